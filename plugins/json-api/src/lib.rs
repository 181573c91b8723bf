//! Shared by collectors of JSON APIs: answers are read strictly, numbers stay text, and pages end.
//!
//! A collector gives the requests, and turns an answer into charges (`Service`); `Pages` does the
//! rest. A row that is not understood is set aside with the JSON pointer of its place. Nothing is
//! guessed.

mod answer;
mod arithmetic;
mod node;
mod pages;
mod rows;
mod settings;
mod window;

pub use answer::{Api, json, missing_secrets};
pub use arithmetic::{product, sum};
pub use exact::day::Day;
pub use node::{Fault, Node};
pub use pages::{Origin, Pages, Service, Then};
pub use rows::{Rows, charge, dimension, tag};
pub use settings::{From, Settings, from};
pub use window::Window;
