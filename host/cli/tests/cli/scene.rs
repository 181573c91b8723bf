//! A folder with settings, rules and bills. The binary runs in it, with no other environment than
//! the test gives it.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub struct Scene {
    dir: TempDir,
}

pub struct Output {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub const SETTINGS: &str = r#"[sources.aws]
plugin = "focus-file"
paths = ["bills"]
grants = ["table-decode"]

[tags.team]
synonyms = ["team_name"]
fold_values = true
values = { pay = "payments" }
"#;

/// Five charges of two months: three of two teams, one of support for both teams, and one that no
/// rule claims. The last of these has a rest beyond nanos.
pub const BILL: &str = "\
BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName,ProviderName,SubAccountId,ResourceId,Tags
60,60,USD,2026-01-05T00:00:00Z,Usage,EC2,AWS,1,i-1,\"{\"\"team\"\": \"\"payments\"\"}\"
30,30,USD,2026-01-05T00:00:00Z,Usage,S3,AWS,2,b-1,\"{\"\"Team_Name\"\": \"\"Search \"\"}\"
10,10,USD,2026-01-05T00:00:00Z,Purchase,AWS Support,AWS,1,,
0.0000000005,5.25,USD,2026-02-01T00:00:00Z,Usage,EC2,AWS,3,i-2,
1E-8,0.125,USD,2026-02-01T00:00:00Z,Usage,EC2,AWS,1,i-1,\"{\"\"team\"\": \"\"pay\"\"}\"
";

const TEAM_RULE: &str = r#"//! The tag `team` names who pays.
rule(#{ priority: 200, owner: "finops@example.com", review_by: "2099-01-01" });

fn matches(charge) { charge.has_tag("team") }

fn allocate(charge) { assign(charge.tag("team")) }
"#;

const TEAM_CASES: &str = r#"[[case]]
name = "a tagged charge"
charge = { service_name = "EC2", tags = { team = "payments" } }
expect = { assign = "payments" }

[[case]]
name = "no tag"
charge = { service_name = "EC2" }
expect = "no match"
"#;

const SUPPORT_RULE: &str = r#"//! Support is paid by what each team costs.
rule(#{ priority: 100, owner: "finops@example.com", review_by: "2099-01-01" });

fn matches(charge) { charge.service_name == "AWS Support" }

fn allocate(charge) { by_cost() }
"#;

const SUPPORT_CASES: &str = r#"[[case]]
name = "the support plan"
charge = { service_name = "AWS Support" }
expect = { by_cost = {} }

[[case]]
name = "anything else"
charge = { service_name = "EC2" }
expect = "no match"
"#;

impl Scene {
    /// An empty folder.
    pub fn empty() -> Scene {
        Scene { dir: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Settings, two rules and no bill.
    pub fn with_rules() -> Scene {
        let scene = Scene::empty();
        scene.write("apportion.toml", SETTINGS);
        scene.write("rules/direct/team.rhai", TEAM_RULE);
        scene.write("rules/direct/team.cases.toml", TEAM_CASES);
        scene.write("rules/shared/support.rhai", SUPPORT_RULE);
        scene.write("rules/shared/support.cases.toml", SUPPORT_CASES);
        scene
    }

    /// Settings, two rules and a bill, ready to be run.
    pub fn with_bill() -> Scene {
        let scene = Scene::with_rules();
        scene.write("bills/jan.csv", BILL);
        scene
    }

    /// A scene with a bill, after its first run.
    pub fn after_run() -> Scene {
        let scene = Scene::with_bill();
        scene.run("run").expect(0);
        scene
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        self.write_bytes(name, text.as_bytes());
    }

    pub fn write_bytes(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file in a folder"))
            .expect("the folder can be made");
        fs::write(path, bytes).expect("the file can be written");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs `apportion` with arguments that are separated by blanks.
    pub fn run(&self, arguments: &str) -> Output {
        self.run_with(&arguments.split_whitespace().collect::<Vec<_>>(), &[])
    }

    pub fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.output_of(self.command(arguments, environment))
    }

    pub fn output_of(&self, mut command: Command) -> Output {
        let output = command.output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The rows of `costs` by a group, over all days of charges.
    pub fn cost_rows(&self, group: &str) -> Vec<Value> {
        let costs = self.run_with(
            &[
                "costs",
                "--axis",
                "charge",
                "--granularity",
                "total",
                "--format",
                "json",
                "--group-by",
                group,
            ],
            &[],
        );
        costs.expect(0).json()["costs"].as_array().expect("rows").clone()
    }

    pub fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = self.command_of(env!("CARGO_BIN_EXE_apportion"), arguments);
        command.envs(environment.iter().copied());
        command
    }

    /// Another program in the scene's folder, with the environment of the binary.
    pub fn command_of(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        // All tests share the compiled plugins, as all runs of one user do.
        command.env(
            "APPORTION_CACHE",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-plugins"),
        );
        command
    }
}

impl Output {
    /// Asserts the exit code.
    pub fn expect(self, code: i32) -> Output {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts the exit code, and an error with this code and these words on stderr.
    pub fn fails_with(self, exit: i32, code: &str, words: &str) -> Output {
        let output = self.expect(exit);
        let error = output
            .stderr
            .lines()
            .find(|line| line.starts_with("error: ") && line.contains(&format!("{code}: ")));
        let error = error.unwrap_or_else(|| panic!("no error {code} in\n{}", output.stderr));
        assert!(output.stderr.contains(words), "'{words}' is not in\n{}\n({error})", output.stderr);
        output
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}:\n{}", self.stdout))
    }

    /// Asserts that a text stands in stdout.
    pub fn says(self, words: &str) -> Output {
        assert!(self.stdout.contains(words), "'{words}' is not in\n{}", self.stdout);
        self
    }
}
