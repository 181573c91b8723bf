//! What collectors that ask JSON APIs share: answers read strictly, numbers kept as text, pages that end, days without a clock.
//!
//! A collector says how to ask and how an answer becomes charges (`Service`); `Pages` does the rest. What is not
//! understood is set aside with the JSON pointer of its place, and nothing is guessed.

mod answer;
mod arithmetic;
mod node;
mod pages;
mod rows;
mod settings;
mod window;

pub use answer::{Api, json, missing_secrets};
pub use arithmetic::{product, sum};
pub use exact::Day;
pub use node::{Fault, Node};
pub use pages::{Origin, Pages, Service, Then};
pub use rows::{Rows, charge, dimension, tag};
pub use settings::{From, Settings, from};
pub use window::Window;
