//! One small runtime for all clients; the rest of the house is blocking.

use std::future::Future;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

/// Waits for the end of `future`. Must not be called from within the runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Lets time pass: because a server asked for it, or because the operator bounds the pace.
pub fn wait(time: Duration) {
    block_on(async { tokio::time::sleep(time).await });
}

/// Does work that needs a runtime but waits for nothing, such as making a client.
pub fn enter<T>(work: impl FnOnce() -> T) -> T {
    let _guard = runtime().enter();
    work()
}

/// Milliseconds since an instant, for logs.
pub fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        // All clients use this provider of TLS. It is an error to install it twice, and no harm.
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
