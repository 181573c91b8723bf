//! AWS through its official SDK, without a server: a failure names its remedy and shows no
//! credential.

use crate::scenes::aws::{run, scene};

#[test]
fn what_goes_wrong_is_told_with_what_mends_it_and_without_a_credential() {
    let scene = scene("", "[sources.explorer.aws]\ntimeout_seconds = 2");
    // Nobody listens at this port.
    let port = test_support::server::counterpart::free_port();
    let down = run(&scene, &format!("http://127.0.0.1:{port}")).expect(3);
    assert!(down.stderr.contains("P201: AWS Cost Explorer cannot be reached"), "{}", down.stderr);
    assert!(!down.stderr.contains("a-secret-of-tests"), "{}", down.stderr);
    let nobody = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "none"),
        ("AWS_SHARED_CREDENTIALS_FILE", "none"),
    ];
    let nobody =
        scene.run_with(&["run", "--from", "2026-03", "--to", "2026-03"], &nobody).expect(3);
    assert!(
        nobody.stderr.contains("P201: there are no credentials for AWS Cost Explorer"),
        "{}",
        nobody.stderr
    );
    assert!(
        nobody.stderr.contains("[sources.explorer.aws]\nprofile = \"billing\""),
        "{}",
        nobody.stderr
    );
    let filter = self::scene("filter = { Dimension = { Key = 'SERVICE', Values = ['x'] } }", "");
    let refused = run(&filter, &format!("http://127.0.0.1:{port}")).expect(3);
    assert!(
        refused.stderr.contains("there is no 'Dimension' in an expression"),
        "{}",
        refused.stderr
    );
    let endpoint = self::scene("", "[sources.explorer.aws]\nendpoint = \"ce.example\"");
    run(&endpoint, "http://127.0.0.1:1").fails_with(
        1,
        "C104",
        "apportion.toml:7:12: C104: the endpoint 'ce.example' is not a URL",
    );
}
