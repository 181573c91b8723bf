//! Sources that take their credentials from the environment or a profile.

use crate::scene::{Output, Scene};

pub const KEYS: [(&str, &str); 4] = [
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_MAX_ATTEMPTS", "1"),
];

pub fn explorer(aws: &str) -> Scene {
    let scene = Scene::with_rules();
    let source = "[sources.explorer]\nplugin = \"aws-cost-explorer\"\ngrants = [\"aws-cost-explorer\"]\n[sources.explorer.aws]\n";
    scene.write("apportion.toml", &format!("{source}{aws}\n"));
    scene
}

pub fn run(scene: &Scene, endpoint: &str, environment: &[(&str, &str)], exit: i32) -> Output {
    let all: Vec<(&str, &str)> =
        environment.iter().copied().chain([("AWS_ENDPOINT_URL", endpoint)]).collect();
    let output =
        scene.run_with(&["run", "--from", "2026-03", "--to", "2026-03"], &all).expect(exit);
    for secret in ["a-secret-of-tests", "secret-of-the-profile"] {
        assert!(
            !output.stdout.contains(secret) && !output.stderr.contains(secret),
            "{}",
            output.stderr
        );
    }
    output
}
