//! Rules whose cases fail, and rules without cases: everybody who uses rules treats them alike.

use crate::scene::{SETTINGS, Scene};
use crate::serving::Server;

/// A case of a rule that is no longer so.
fn break_a_case(scene: &Scene) {
    let cases = scene.read("rules/direct/team.cases.toml");
    let cases = cases.replace("{ assign = \"payments\" }", "{ assign = \"search\" }");
    scene.write("rules/direct/team.cases.toml", &cases);
}

#[test]
fn rules_whose_cases_fail_are_refused_everywhere() {
    let scene = Scene::with_bill();
    break_a_case(&scene);
    let refused = scene.run("run").fails_with(1, "R302", "failing_cases = \"warn\"");
    assert!(refused.stderr.contains("expected assign search, got assign payments"));
    assert!(!scene.path("apportion.db").exists(), "nothing is posted");
    scene.run("rule approve --by Ada --note no").fails_with(1, "R302", "apportion rule test");
    scene.run("config show").expect(0).says("failing_cases = \"refuse\"");

    let scene = Scene::after_run();
    let plan = "plan --out plan.json";
    scene.run(plan).expect(0);
    break_a_case(&scene);
    for command in ["run", "run --stored", plan, "apply plan.json"] {
        scene.run(command).fails_with(1, "R302", "failing_cases = \"warn\"");
    }
    // A property is a law as well, and a file that cannot be read says nothing.
    let law =
        "[[property]]\nname = \"law\"\ncharges = { service_name = \"EC2\" }\nalways = \"pass\"\n";
    scene.write("rules/direct/team.cases.toml", law);
    scene.run("run").fails_with(1, "R305", "rules whose cases fail are not used");
    scene.write("rules/direct/team.cases.toml", "[[case]]\nname =\n");
    scene.run("run").fails_with(1, "R301", "rules/direct/team.cases.toml:2:");
}

#[test]
fn failing_cases_are_warnings_where_the_settings_say_so() {
    let scene = Scene::with_bill();
    scene.write("apportion.toml", &format!("failing_cases = \"warn\"\n{SETTINGS}"));
    break_a_case(&scene);
    for command in ["run", "plan --out plan.json", "rule approve --by Ada --note yes"] {
        let warned = scene.run(command).expect(0);
        let warning = "warning: rules/direct/team.cases.toml:4:10: R302: \"a tagged charge\"";
        assert!(warned.stderr.contains(warning), "{command}: {}", warned.stderr);
    }
    scene.run("rule test").fails_with(1, "R302", "a tagged charge");
    let mut server = Server::start(&scene);
    let cases = scene.read("rules/direct/team.cases.toml");
    scene.write("rules/direct/team.cases.toml", &cases.replace("\"search\"", "\"web\""));
    server.wait_for("expected assign web, got assign payments");
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"), "{}", server.get("/readyz"));
    scene.write("apportion.toml", &format!("failing_cases = \"warm\"\n{SETTINGS}"));
    scene.run("run").fails_with(1, "C104", "Did you mean `warn`?");
}

#[test]
fn rules_without_cases_are_used_everywhere() {
    let scene = Scene::with_bill();
    std::fs::remove_file(scene.path("rules/direct/team.cases.toml")).expect("the file is there");
    scene.write("rules/shared/support.cases.toml", "");
    let ran = scene.run("run").expect(0);
    assert!(!ran.stderr.contains("R301"), "{}", ran.stderr);
    scene.run("plan").expect(0);
    let server = Server::start(&scene);
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"), "{}", server.get("/readyz"));
    let tested = scene.run("rule test").fails_with(1, "R301", "rules/direct/team.cases.toml");
    assert_eq!(tested.stderr.matches("the rule has no cases").count(), 2, "{}", tested.stderr);
}
