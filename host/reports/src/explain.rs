//! Why somebody bears a cost: from the account through the rule to the resources, the values that
//! the rule read, the weights of a shared pool, and the plugin that collected it.
//!
//! The sums of each level add up to the level above, to the nano. A list that is cut short has a
//! rest that is summed. Nothing is taken from memory: charges are read again, and the stored
//! version of each rule is asked again.

pub mod answer;
pub mod document;
pub mod query;
pub mod read;

mod gather;
mod resource_document;
mod resources;
mod subject;
