//! `demo`: an invented estate to try the binary on.

use crate::scene::Scene;

#[test]
fn a_demo_runs_and_verifies_and_leaves_other_folders_alone() {
    let scene = Scene::empty();
    let demo = scene
        .run("demo --dir estate")
        .expect(0)
        .says("team")
        .says("total")
        .says("difference 0.000000000");
    let next: Vec<&str> = demo
        .stdout
        .lines()
        .filter_map(|line| line.split_once(" --config ").map(|(_, rest)| rest))
        .collect();
    assert_eq!(next.len(), 3, "{}", demo.stdout);
    for command in next {
        scene.run(&format!("--config {}", command.replace('\'', ""))).expect(0);
    }
    // Misspelled teams are told, each with what mends it.
    for (name, meant) in
        [("hceckout", "checkout"), ("ml-researhc", "ml-research"), ("searhc", "search")]
    {
        let mend = format!("values = {{ \"{name}\" = \"{meant}\" }}");
        assert!(demo.stderr.contains(&format!("the team '{name}' bears costs")), "{}", demo.stderr);
        assert!(demo.stderr.contains(&mend), "{}", demo.stderr);
    }
    scene.run("--config estate/apportion.toml ledger verify").expect(0);
    let again = scene.run("demo --dir estate").expect(0);
    assert_eq!(again.stdout, demo.stdout, "the same seed makes the same estate");
    scene.write("mine/notes.txt", "keep");
    scene.run("demo --dir mine").fails_with(1, "C105", "mine");
    assert_eq!(scene.read("mine/notes.txt"), "keep");
}
