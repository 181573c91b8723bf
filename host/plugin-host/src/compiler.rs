//! Compiles the component of a stranger in a process of its own first. That process has a bounded
//! time and a bounded memory, and takes nothing down with it when it ends.
//!
//! It leaves compiled code in the cache, where the host finds it. Its answer only says that the
//! component can be compiled within the limits. The digest of a compiled component is kept, so that
//! the next start needs no process.

use crate::engine;
use crate::limits::PluginLimits;
use domain::hint::Hint;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Instant;

/// The program that compiles: this program itself, started with other arguments.
#[derive(Clone, Debug)]
pub struct Compiler {
    pub program: PathBuf,
    /// It reads the component from its standard input, and prints why it cannot be compiled;
    /// nothing if it can.
    pub arguments: Vec<String>,
    /// Where digests of what has been compiled are kept; never a folder that authors of plugins
    /// write to.
    pub passed: Option<PathBuf>,
}

/// The reason why a component is not compiled, and the setting that would allow it.
pub struct CompileRefusal {
    pub reason: String,
    pub hint: Option<Hint>,
}

impl From<String> for CompileRefusal {
    fn from(reason: String) -> CompileRefusal {
        CompileRefusal { reason, hint: None }
    }
}

impl Compiler {
    /// Whether a component can be compiled within the limits; `key` stands for it and for the
    /// engine.
    pub fn check(
        &self,
        key: &str,
        bytes: &[u8],
        limits: &PluginLimits,
    ) -> Result<(), CompileRefusal> {
        let passed = self.passed.as_ref().map(|folder| folder.join(key));
        if passed.as_ref().is_some_and(|file| file.exists()) {
            return Ok(());
        }
        let began = Instant::now();
        let printed = self.run(bytes, limits);
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(
            key,
            bytes = bytes.len(),
            ms,
            ok = printed.is_ok(),
            "component was compiled"
        );
        match printed?.trim() {
            "" => {}
            reason => return Err(reason.to_owned().into()),
        }
        if let Some(file) = passed {
            // If the file cannot be written, the next start compiles once more.
            let _ = file
                .parent()
                .map(engine::make_private)
                .and_then(Result::ok)
                .and_then(|()| fs::write(&file, "").ok());
        }
        Ok(())
    }

    /// Runs the program, and returns its output.
    fn run(&self, bytes: &[u8], limits: &PluginLimits) -> Result<String, CompileRefusal> {
        let cannot = |error: std::io::Error| {
            CompileRefusal::from(format!("no process can be started to compile it: {error}"))
        };
        let mut command = Command::new(&self.program);
        // The program gets an empty environment, because the environment may hold secrets.
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(cannot)?;
        let printed = printed(&mut child, bytes, limits);
        let status = child.wait().map_err(cannot)?;
        match printed {
            None => {
                let seconds = limits.compile.as_secs();
                let line = format!("[limits]\ncompile_seconds = {}", seconds.saturating_mul(4));
                let hint = Hint::text("if you trust who made it, give it more time:\n")
                    .then(Hint::setting(line));
                Err(CompileRefusal {
                    reason: format!("it did not compile within {seconds} s"),
                    hint: Some(hint),
                })
            }
            Some(_) if !status.success() => Err(ended(status, limits)),
            Some(printed) => Ok(printed),
        }
    }
}

/// The output of the process. `None` if the time is up; then the process is ended.
fn printed(child: &mut Child, bytes: &[u8], limits: &PluginLimits) -> Option<String> {
    let (mut stdin, mut stdout) = (child.stdin.take()?, child.stdout.take()?);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        // A process that does not read to the end has ended, one way or the other: its status says
        // which.
        scope.spawn(move || stdin.write_all(bytes));
        scope.spawn(move || {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text);
            // Nobody listens any more when the time is up.
            let _ = sender.send(text);
        });
        let printed = receiver.recv_timeout(limits.compile).ok();
        if printed.is_none() {
            // It may have ended by itself by now.
            let _ = child.kill();
        }
        printed
    })
}

/// Words for a process that ended by itself. Rust aborts when there is no memory left.
fn ended(status: ExitStatus, limits: &PluginLimits) -> CompileRefusal {
    let mib = limits.compile_bytes >> 20;
    CompileRefusal {
        reason: format!(
            "the process that compiles it ended with {status}, as it does when {mib} MiB \
                 of memory are not enough"
        ),
        hint: Some(Hint::text("if you trust who made it, give it more memory:\n").then(
            Hint::setting(format!("[limits]\ncompile_memory_mib = {}", mib.saturating_mul(2))),
        )),
    }
}

/// Bounds the memory of this process. The process that compiles calls it. A system without such a
/// limit ignores it.
pub fn bound_memory(bytes: u64) {
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) });
}
