//! `apportion`: the command line. It alone knows arguments and the terminal.

mod args;
#[cfg(test)]
mod catalogue;
mod code;
mod command;
mod error;
#[cfg(test)]
mod golden;
mod log;
mod query;
#[cfg(test)]
mod reference;
mod signals;
mod table;
mod ui;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    log::start();
    signals::survive_full_files();
    error::guarded(command::dispatch)
}
