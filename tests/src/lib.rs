//! Tests across crates: house rules (`tidy/`), simulated months (`simulation/`), fakes and servers
//! (`support/`), hostile guests (`test-plugins/`, `artifacts/`), provoked errors (`errors/`), and
//! speed (`bench/`).
