//! The rule language as its authors meet it.

mod cases;
mod compiling;
mod deciding;
mod limits;
mod memo;
mod properties;
mod reload;
mod shipped;
mod stages;
mod support;
