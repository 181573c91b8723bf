//! The first steps: help and init.

use crate::scene::Scene;

#[test]
fn help_and_version_go_to_stdout_and_a_wrong_line_to_stderr() {
    let scene = Scene::empty();
    scene.run("--version").expect(0).says("apportion 0.1.0");
    scene.run("--help").expect(0).says("prove every cent").says("Exit codes");
    scene.run("costs --help").expect(0).says("apportion costs --granularity daily --format csv");
    let wrong = scene.run("rn").fails_with(2, "C201", "unrecognized subcommand 'rn'");
    assert_eq!(wrong.stdout, "");
    scene.run("run --colour").fails_with(2, "C201", "unexpected argument '--colour'");
    scene.run("period close march").fails_with(2, "C201", "'march' is not a month such as 2026-03");
}

#[test]
fn init_writes_what_can_be_run_and_overwrites_nothing() {
    let scene = Scene::empty();
    let init = scene.run("init").expect(0);
    assert_eq!(init.stdout, "");
    assert!(init.stderr.starts_with("wrote apportion.toml\nwrote rules/"), "{}", init.stderr);
    assert!(scene.path("bills").is_dir());
    scene.run("config show").expect(0).says("sources.bills.plugin = \"focus-file\"");
    scene.run("rule check").expect(0);
    scene.run("rule test").expect(0);
    scene.write("bills/jan.csv", crate::scene::BILL);
    scene.run("run").expect(0).says("difference 0.000000000");
    scene.write("apportion.toml", "# mine\n");
    scene.run("init").fails_with(1, "C105", "would be overwritten; nothing was written");
    assert_eq!(scene.read("apportion.toml"), "# mine\n");
}
