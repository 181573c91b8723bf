//! What strangers wrote is compiled in a process of its own first: it gets so much time and memory, and takes nothing down with it.
//!
//! That process leaves compiled code in the cache, where the host finds it. Its word counts for nothing but that the component can be
//! compiled within the limits; what was compiled once is remembered by its digest, so that a start costs no process.

use crate::engine;
use crate::limits::Limits;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;

/// The program that compiles, which is the host's own in another role.
#[derive(Clone, Debug)]
pub struct Compiler {
    pub program: PathBuf,
    /// It reads the component from its standard input, and prints why it cannot be compiled; nothing if it can.
    pub arguments: Vec<String>,
    /// Where digests of what has been compiled are kept; never a folder that authors of plugins write to.
    pub passed: Option<PathBuf>,
}

/// Why a component is not compiled, and the setting that would let it be.
pub struct Refused {
    pub reason: String,
    pub hint: Option<String>,
}

impl From<String> for Refused {
    fn from(reason: String) -> Refused {
        Refused { reason, hint: None }
    }
}

impl Compiler {
    /// Whether a component can be compiled within the limits; `key` stands for it and for the engine.
    pub fn check(&self, key: &str, bytes: &[u8], limits: &Limits) -> Result<(), Refused> {
        let passed = self.passed.as_ref().map(|folder| folder.join(key));
        if passed.as_ref().is_some_and(|file| file.exists()) {
            return Ok(());
        }
        match self.run(bytes, limits)?.trim() {
            "" => {}
            reason => return Err(reason.to_owned().into()),
        }
        if let Some(file) = passed {
            // Where it cannot be written, the next start compiles once more.
            let _ = file
                .parent()
                .map(engine::make_private)
                .and_then(Result::ok)
                .and_then(|()| fs::write(&file, "").ok());
        }
        Ok(())
    }

    /// What it printed.
    fn run(&self, bytes: &[u8], limits: &Limits) -> Result<String, Refused> {
        let cannot = |error: std::io::Error| {
            Refused::from(format!("no process can be started to compile it: {error}"))
        };
        let mut command = Command::new(&self.program);
        // It is told nothing: the environment has secrets.
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
                let hint = format!(
                    "if you trust who made it, give it more time:\n[limits]\ncompile_seconds = {}",
                    seconds.saturating_mul(4)
                );
                Err(Refused {
                    reason: format!("it did not compile within {seconds} s"),
                    hint: Some(hint),
                })
            }
            Some(_) if !status.success() => Err(ended(status, limits)),
            Some(printed) => Ok(printed),
        }
    }
}

/// `None` where the time is up, and with it the process.
fn printed(child: &mut Child, bytes: &[u8], limits: &Limits) -> Option<String> {
    let (mut stdin, mut stdout) = (child.stdin.take()?, child.stdout.take()?);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| {
        // A process that does not read to the end has ended, one way or the other: its status says which.
        scope.spawn(move || stdin.write_all(bytes));
        scope.spawn(move || {
            let mut text = String::new();
            let _ = stdout.read_to_string(&mut text);
            // Nobody listens any more where the time is up.
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

/// Out of memory, Rust aborts.
fn ended(status: ExitStatus, limits: &Limits) -> Refused {
    let mib = limits.compile_bytes >> 20;
    Refused {
        reason: format!(
            "the process that compiles it ended with {status}, as it does when {mib} MiB of memory are not enough"
        ),
        hint: Some(format!(
            "if you trust who made it, give it more memory:\n[limits]\ncompile_memory_mib = {}",
            mib.saturating_mul(2)
        )),
    }
}

/// For the process that compiles: from now on it has no more than so much memory. A system that does not know the limit goes without.
pub fn bound_memory(bytes: u64) {
    let _ = setrlimit(Resource::Data, Rlimit { current: Some(bytes), maximum: Some(bytes) });
}
