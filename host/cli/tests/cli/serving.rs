//! `serve` as a process: it answers, takes over good rules when they are saved, and else keeps the
//! last good ones.

use crate::plans::change_support;
use crate::scene::{SETTINGS, Scene};
pub use crate::server::{Server, json};

impl Server {
    /// Posts a body, and returns the answer: status line, headers and body.
    pub fn post(&self, path: &str, token: &str, body: &str) -> String {
        self.ask(
            &format!("POST {path}"),
            &format!("Authorization: Bearer {token}\r\nContent-Length: {}\r\n", body.len()),
            body,
        )
    }

    /// Its open files and its threads, as Linux lists them.
    #[cfg(target_os = "linux")]
    pub fn files_and_threads(&self) -> [usize; 2] {
        ["fd", "task"].map(|kind| {
            let listed = std::fs::read_dir(format!("/proc/{}/{kind}", self.child.id()));
            listed.expect("a process").count()
        })
    }
}

#[test]
fn a_saved_rule_counts_from_the_next_run_on_and_a_broken_one_changes_nothing() {
    let scene = Scene::after_run();
    let mut server = Server::start(&scene);
    let costs = |server: &Server| {
        server.get("/api/v1/costs/team/payments?start_date=2026-01-01&end_date=2026-01-31")
    };
    assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(costs(&server).contains("66.666666666"), "{}", costs(&server));

    let rule = scene.read("rules/shared/support.rhai");
    scene.write("rules/shared/support.rhai", &rule.replace("by_cost() }", "by_cost( }"));
    server.wait_for("rules/shared/support.rhai:6:");
    server.wait_for("the last good ones stay in force");
    assert!(server.get("/api/v1/rules").contains("R101"));

    scene.write(
        "rules/shared/support.cases.toml",
        &scene
            .read("rules/shared/support.cases.toml")
            .replace("{ by_cost = {} }", "{ assign = \"platform\" }"),
    );
    scene.write("rules/shared/support.rhai", &rule.replace("by_cost()", "assign(\"platform\")"));
    server.wait_for("rules reloaded: generation ");
    assert!(!server.get("/api/v1/rules").contains("R101"));
    let plan = server.wait_for("plan for rules ");
    assert!(plan.contains("USD 10.00 between teams"), "{plan}");
    let plan = server.get("/api/v1/plan");
    assert!(plan.contains(r#""state":"made""#) && plan.contains(r#""name":"platform""#), "{plan}");
    assert!(costs(&server).contains("66.666666666"), "nothing was posted");

    scene.run("run").expect(0);
    assert!(
        costs(&server).contains("60.000000000") && !costs(&server).contains("66.666666666"),
        "{}",
        costs(&server)
    );
}

#[test]
fn a_plan_is_approved_and_applied_over_http_by_who_has_the_token() {
    let scene = Scene::with_bill();
    scene.write("apportion.toml", &format!("require_approval = true\n{SETTINGS}"));
    scene.run_with(&["rule", "approve", "--by", "Ada", "--note", "the first ones"], &[]).expect(0);
    scene.run("run").expect(0);
    let mut server = Server::start_with(&scene, &["--token-file", "token"]);
    let token = scene.read("token").trim().to_owned();
    assert_eq!(token.len(), 64);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(scene.path("token")).expect("the token").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);

    let cases = scene
        .read("rules/shared/support.cases.toml")
        .replace("{ by_cost = {} }", "{ assign = \"platform\" }");
    scene.write("rules/shared/support.cases.toml", &cases);
    scene.write(
        "rules/shared/support.rhai",
        &scene.read("rules/shared/support.rhai").replace("by_cost()", "assign(\"platform\")"),
    );
    server.wait_for("plan for rules ");
    let plan = json(&server.get("/api/v1/plan"));
    let generation = plan["plan"]["generation"]["after"].as_str().expect("the rules");
    let outcome = plan["plan"]["outcome"].as_str().expect("the outcome");

    let apply = serde_json::json!({ "generation": generation, "outcome": outcome }).to_string();
    let approve =
        serde_json::json!({ "generation": generation, "by": "Grace", "note": "as agreed" })
            .to_string();
    let wrong = server.post("/api/v1/plan/apply", &token.replace(['0', '1'], "2"), &apply);
    assert!(wrong.starts_with("HTTP/1.1 401") && wrong.contains("S205"), "{wrong}");
    let early = server.post("/api/v1/plan/apply", &token, &apply);
    assert!(early.starts_with("HTTP/1.1 409") && early.contains("N402"), "{early}");
    let other =
        server.post("/api/v1/plan/approve", &token, &approve.replace(generation, "another"));
    assert!(other.starts_with("HTTP/1.1 409") && other.contains("N302"), "{other}");
    let approved = server.post("/api/v1/plan/approve", &token, &approve);
    assert!(approved.starts_with("HTTP/1.1 200") && approved.contains("Grace"), "{approved}");
    assert!(
        scene
            .run("costs --group-by team")
            .expect(0)
            .stdout
            .lines()
            .all(|line| !line.contains("platform")),
        "nothing is posted yet"
    );
    let applied = server.post("/api/v1/plan/apply", &token, &apply);
    assert!(
        applied.starts_with("HTTP/1.1 200") && applied.contains("\"state\":\"complete\""),
        "{applied}"
    );
    scene.run("costs --group-by team").expect(0).says("platform");
    scene
        .run("rule history")
        .expect(0)
        .says("approved by Grace")
        .says("having seen a plan: as agreed");
    let again = server.post("/api/v1/plan/apply", &token, &apply);
    assert!(again.starts_with("HTTP/1.1 409") && again.contains("N303"), "{again}");
    let explained = server.get("/api/v1/explain?what=platform");
    assert!(
        explained.contains("\"10.000000000\"") && explained.contains("shared/support"),
        "{explained}"
    );
    scene.run("ledger verify").expect(0);
}

/// A rule in the one case, a setting of a tag in the other.
#[test]
fn what_changed_while_nothing_served_is_planned_at_the_start_and_can_be_applied() {
    // 10 of support was shared by 60 : 30. Without `synonyms`, 30 of search has no team.
    let settings = |scene: &Scene| {
        let text = SETTINGS.replace("synonyms = [\"team_name\"]\n", "");
        scene.write("apportion.toml", &text);
    };
    let check = |change: &dyn Fn(&Scene), name: &str| {
        let scene = Scene::after_run();
        change(&scene);
        let mut server = Server::start_with(&scene, &["--token-file", "token"]);
        server.wait_for("plan for rules ");
        let latest = json(&server.get("/api/v1/plan"));
        assert_eq!(latest["state"], "made", "{latest}");
        assert!(latest.to_string().contains(name), "{latest}");
        let plan = &latest["plan"];
        let body = serde_json::json!({
            "generation": plan["generation"]["after"],
            "outcome": plan["outcome"],
        });
        let token = scene.read("token");
        let applied = server.post("/api/v1/plan/apply", token.trim(), &body.to_string());
        assert!(applied.starts_with("HTTP/1.1 200"), "{applied}");
        drop(server);
        // Nothing differs any more. The line comes after the thread has looked.
        let mut server = Server::start(&scene);
        scene.write("rules/shared/support.rhai", "fn matches(");
        server.wait_for("the last good ones stay in force");
        assert_eq!(json(&server.get("/api/v1/plan"))["state"], "none");
    };
    check(&change_support, "platform");
    check(&settings, "[tags.team]");
}

/// Two hundred saves one upon the other. The last one is in force and planned, and nothing stays
/// open of those before it.
#[cfg(target_os = "linux")]
#[test]
fn of_many_saves_the_last_one_counts_and_none_leaves_a_thread_or_a_file() {
    const SPARE: usize = 8;
    let scene = Scene::after_run();
    let (rule, cases) = ("rules/shared/support.rhai", "rules/shared/support.cases.toml");
    let (first_rule, first_cases) = (scene.read(rule), scene.read(cases));
    let save = |team: &str| {
        let expected = format!("{{ assign = \"{team}\" }}");
        scene.write(cases, &first_cases.replace("{ by_cost = {} }", &expected));
        scene.write(rule, &first_rule.replace("by_cost()", &format!("assign(\"{team}\")")));
    };
    let server = Server::start(&scene);
    let planned = |team: &str| {
        let is_planned = || {
            let latest = server.get("/api/v1/plan");
            latest.contains(r#""state":"made""#) && latest.contains(&format!(r#""name":"{team}""#))
        };
        while !is_planned() {
            std::thread::yield_now();
        }
    };
    save("platform");
    planned("platform");
    let before = server.files_and_threads();
    for turn in 0..200 {
        match turn % 4 {
            // Half a file, and settings that are none, come and go with the rest.
            0 => scene.write(rule, &first_rule[..first_rule.len() / 2]),
            1 => scene.write("apportion.toml", "rules ="),
            2 => scene.write("apportion.toml", SETTINGS),
            _ => save(&format!("team-{turn}")),
        }
        assert!(server.get("/healthz").starts_with("HTTP/1.1 200"));
    }
    save("the-last");
    planned("the-last");
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    let after = server.files_and_threads();
    for (before, after) in before.into_iter().zip(after) {
        assert!(after <= before + SPARE, "{before} became {after}");
    }
}

#[test]
fn before_the_first_run_nothing_is_planned_at_the_start() {
    let scene = Scene::with_bill();
    let mut server = Server::start(&scene);
    scene.write("rules/shared/support.rhai", "fn matches(");
    server.wait_for("the last good ones stay in force");
    assert_eq!(json(&server.get("/api/v1/plan"))["state"], "none");
}

#[test]
fn a_token_file_that_others_can_read_is_refused() {
    let scene = Scene::after_run();
    scene.write("token", &"x".repeat(40));
    std::fs::set_permissions(
        scene.path("token"),
        std::os::unix::fs::PermissionsExt::from_mode(0o644),
    )
    .expect("the mode is set");
    scene.run("serve --listen 127.0.0.1:0 --token-file token").fails_with(
        1,
        "S103",
        "chmod 600 token",
    );
    scene.write("short", "abc");
    std::fs::set_permissions(
        scene.path("short"),
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .expect("the mode is set");
    scene.run("serve --listen 127.0.0.1:0 --token-file short").fails_with(
        1,
        "S103",
        "remove the file, and `serve` makes one",
    );
    scene.run("serve --listen 127.0.0.1:0 --token-file nowhere/token").fails_with(
        1,
        "S103",
        "cannot be made",
    );
}

#[test]
fn without_a_token_file_nothing_can_be_changed() {
    let server = Server::start(&Scene::after_run());
    let refused = server.post("/api/v1/plan/apply", "anything", "{}");
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("S204"), "{refused}");
    let wrong_method = server.get("/api/v1/plan/apply");
    assert!(
        wrong_method.starts_with("HTTP/1.1 405") && wrong_method.contains("use POST"),
        "{wrong_method}"
    );
}
