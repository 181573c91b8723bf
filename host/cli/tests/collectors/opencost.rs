//! OpenCost, played by a server of the test: forgotten days stay charged, and a refusal is
//! reported.

use crate::scenes::opencost::{answer, collected, configure, figures, grouped, scene};
use test_support::server::http::{Answer, HttpServer};

#[test]
fn what_opencost_has_forgotten_stays_charged() {
    let row = "{\"code\":200,\"data\":[{\"shop\":{\"window\":{\"start\":\"2026-10-05T00:00:00Z\",\"end\":\"2026-10-06T00:00:00Z\"},\"cpuCost\":2.5,\"totalCost\":2.5}}]}";
    let first = answer(row.into());
    let scene = scene(&first, "mode = \"charges\"\naggregate = [\"namespace\"]");
    collected(&scene, "2026-10-05", "2026-10-05", 0);
    let server = answer("{\"code\":200,\"data\":[{}]}".into());
    configure(&scene, &server, "mode = \"charges\"\naggregate = [\"namespace\"]");
    let run = scene.run("run --from 2026-10-05 --to 2026-10-05").expect(3);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(
        said.contains("OpenCost says nothing on 2026-10-05, which is a gap and not zero"),
        "{said}"
    );
    assert_eq!(grouped(&scene, "team"), figures([("shop", "2.500000000")]));
    let server = HttpServer::start(|_| {
        Answer::status(400, "Invalid 'window' parameter: illegal window: nonsense")
    });
    configure(&scene, &server, "mode = \"charges\"");
    let run = scene.run("run --from 2026-10-05 --to 2026-10-05").expect(3);
    let said = format!("{}{}", run.stdout, run.stderr);
    assert!(
        said.contains("answered 400: Invalid 'window' parameter: illegal window: nonsense"),
        "{said}"
    );
}
