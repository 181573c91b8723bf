//! A source that asks AWS through the environment of its SDK.

use crate::scene::{Output, Scene};

/// All variables that the SDK finds. Those of the test's own process are not passed on.
pub fn environment(endpoint: &str) -> [(&str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-tests"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ]
}

pub fn scene(config: &str, aws: &str) -> Scene {
    let scene = Scene::with_rules();
    scene.write(
        "apportion.toml",
        &format!(
            "dimensions = [\"service_name\", \"sub_account_id\", \"charge_category\", \"sku_meter\"]\n\
             [sources.explorer]\nplugin = \"aws-cost-explorer\"\ngrants = [\"aws-cost-explorer\"]\nconfig = {{ {config} }}\n{aws}\n"
        ),
    );
    scene
}

pub fn run(scene: &Scene, endpoint: &str) -> Output {
    scene.run_with(
        &["run", "--from", "2026-03", "--to", "2026-03", "--format", "json"],
        &environment(endpoint),
    )
}
