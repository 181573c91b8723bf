//! Tests across crates: house rules (`tidy/`), hostile guests (`test-plugins/`, `artifacts/`), speed (`bench/`).
