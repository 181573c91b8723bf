//! `apportion`: the only crate that knows the terminal, settings files and the environment.

mod args;
#[cfg(test)]
mod catalogue;
mod code;
mod command;
mod config_place;
mod env_var;
mod error;
mod estate;
#[cfg(test)]
mod golden;
mod query;
mod reach;
mod reading;
#[cfg(test)]
mod reference;
mod schema;
mod settings;
mod sources;
mod table;
mod ui;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    error::guarded(command::dispatch)
}
