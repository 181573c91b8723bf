//! `serve`: the API, with rules that are reloaded when they are saved, and sources that are
//! collected when they are due.

use super::token;
use crate::args::GlobalArgs;
use crate::error::Failure;
use crate::log;
use crate::ui::Ui;
use domain::code;
use domain::diagnostic::Diagnostic;
use installation::settings::{Need, Settings};
use installation::{Background, Installation};
use server::ServerOptions;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

#[derive(clap::Args, Debug)]
pub struct ServeArgs {
    /// Loopback address to listen on [env: APPORTION_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Let who has the token in this file approve and apply plans; the file is made if it is not
    /// there
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

pub fn serve(ui: Ui, global: &GlobalArgs, args: &ServeArgs) -> Result<(), Failure> {
    let settings = global.settings(Need::File)?;
    let listen = args.listen.unwrap_or(settings.server.listen.value);
    let token = args.token_file.as_deref().map(token::token).transpose()?;
    serve_until_stopped(ui, settings, listen, token)
}

/// Answers until the process is told to end.
pub fn serve_until_stopped(
    ui: Ui,
    settings: Settings,
    listen: SocketAddr,
    token: Option<String>,
) -> Result<(), Failure> {
    log::tell_times();
    let installation = Installation::open(settings)?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| {
        Diagnostic::new(
            code::INTERNAL,
            format!("the threads of the server cannot be started: {error}"),
        )
    })?;
    let background = Background::start(&installation)?;
    let options = ServerOptions { installation, listen, token: token.map(Into::into) };
    let ready = |address: SocketAddr| {
        ui.note(&format!("listening on http://{address}; end with Ctrl-C"));
    };
    let served = runtime.block_on(server::serve(options, ready, stopped()));
    background.stop();
    Ok(served?)
}

/// Ends with Ctrl-C or a polite kill.
async fn stopped() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        },
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
