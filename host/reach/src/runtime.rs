//! One small runtime for all clients; the rest of the house is blocking.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Waits for the end of `future`. Not to be called from within the runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Lets time pass, where a server asked for it or an operator bounds the pace.
pub fn wait(time: Duration) {
    block_on(async { tokio::time::sleep(time).await });
}

/// Does what needs a runtime to be there, such as making a client, but waits for nothing.
pub fn enter<T>(work: impl FnOnce() -> T) -> T {
    let _guard = runtime().enter();
    work()
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        // Every client speaks TLS by this provider; a second call finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime =
            Builder::new_multi_thread().worker_threads(2).thread_name("reach").enable_all().build();
        assert!(runtime.is_ok(), "threads can be started");
        match runtime {
            Ok(runtime) => runtime,
            Err(error) => std::panic::panic_any(error.to_string()),
        }
    })
}
