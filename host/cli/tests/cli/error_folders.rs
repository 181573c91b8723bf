//! Every code of an error has a folder in `tests/errors`. The folder's command prints the code, and
//! the text that is written down beside the command.

use regex_lite::Regex;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use test_support::server::web::{Web, reply};

const ERRORS: &str = "../../tests/errors";

/// Texts that differ between machines or runs, each with the word that replaces it.
static MASKS: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    [
        (r"127\.0\.0\.1:\d{2,5}", "127.0.0.1:PORT"),
        (r"\b[0-9a-f]{64}\b", "DIGEST"),
        (r"\([0-9a-f]{12}\)", "(DIGEST)"),
        (r"\b\d+(\.\d+)? (ms|s)\b", "DURATION"),
    ]
    .map(|(pattern, word)| (Regex::new(pattern).expect("a pattern"), word))
});

fn masked(text: &str, folder: &Path) -> String {
    let checkout = Path::new("../..").canonicalize().expect("the checkout").display().to_string();
    let text = text.replace(&folder.display().to_string(), "FOLDER").replace(&checkout, "CHECKOUT");
    MASKS.iter().fold(text, |text, (pattern, word)| pattern.replace_all(&text, *word).into_owned())
}

/// The surroundings of every command: the binary, test plugins, and a web server.
struct Surroundings {
    folder: TempDir,
    web: Web,
}

impl Surroundings {
    fn new() -> Surroundings {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("bin")).expect("a folder");
        symlink(env!("CARGO_BIN_EXE_apportion"), path("bin/apportion")).expect("a link");
        fs::create_dir(path("plugins")).expect("a folder");
        for (name, bytes) in test_artifacts::ALL {
            fs::write(path(&format!("plugins/{name}.wasm")), bytes).expect("a file");
        }
        let bill = fs::read(Path::new(ERRORS).join("base/bills/jan.csv")).expect("a bill");
        let web = Web::start(move |_, request| {
            let path = request.split(' ').nth(1).unwrap_or_default();
            match path.split('/').nth(1) {
                Some("given") => reply(200, &[], &bill),
                Some("refused") => reply(401, &[], ""),
                _ => reply(404, &[], ""),
            }
        });
        Surroundings { folder, web }
    }

    /// Runs a folder's command. Returns all that it prints, masked, and its exit code.
    fn provoke(&self, errors: &Path) -> String {
        let scene = tempfile::tempdir().expect("a folder");
        copy(&Path::new(ERRORS).join("base"), scene.path());
        copy(errors, scene.path());
        let bin = self.folder.path().join("bin").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-c", "exec 2>&1; . ./command"])
            .current_dir(scene.path())
            .env_clear()
            .env("PATH", format!("{bin}:{path}"))
            .env("PLUGINS", self.folder.path().join("plugins"))
            .env("WEB", self.web.url("").trim_start_matches("http://"))
            .env("APPORTION_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled-plugins"))
            .stdin(Stdio::null())
            .output()
            .expect("sh");
        let plugins = self.folder.path().join("plugins").display().to_string();
        let text = String::from_utf8_lossy(&output.stdout).replace(&plugins, "PLUGINS");
        let text = masked(&text, scene.path());
        format!("{text}exit {}\n", output.status.code().unwrap_or(-1))
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            fs::create_dir_all(&to).expect("a folder");
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("a file");
        }
    }
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(ERRORS).expect("the folder of errors").flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("command").exists()).collect();
    found.sort();
    found
}

/// The complaint about a folder, if there is one.
fn complaint(surroundings: &Surroundings, folder: &Path) -> Option<String> {
    let code = folder.file_name().map(|name| name.to_string_lossy().into_owned())?;
    let text = surroundings.provoke(folder);
    if !text.contains(&code) {
        return Some(format!("{code} is not provoked:\n{text}"));
    }
    let file = folder.join("expected.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(file, text).expect("the text can be written");
        return None;
    }
    let expected = fs::read_to_string(file).unwrap_or_default();
    (text != expected).then(|| format!("{code} says\n{text}and was expected to say\n{expected}"))
}

#[test]
fn every_folder_provokes_its_code_with_the_text_that_is_written_down() {
    let (surroundings, folders, next) = (Surroundings::new(), folders(), AtomicUsize::new(0));
    assert!(folders.len() > 80, "only {} folders were found", folders.len());
    let work = || {
        let mine = std::iter::from_fn(|| folders.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.filter_map(|folder| complaint(&surroundings, folder)).collect::<Vec<_>>()
    };
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(
        complaints.is_empty(),
        "{}\nrun `UPDATE=1 cargo test -p apportion --test cli error_folders` and look at the \
            difference",
        complaints.join("\n")
    );
}
