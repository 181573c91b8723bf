//! The source's settings.

use apportion_plugin_sdk::Error;
use table_settings::{charges, word};

/// The cost of a line that is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    #[default]
    Unblended,
    Net,
    Blended,
}

/// The use of rows of tasks and pods. Their cost is a part of their instance's cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    #[default]
    Usage,
    Charges,
    Ignore,
}

#[derive(Debug, Default)]
pub struct Options {
    pub charges: charges::Options,
    pub cost: Cost,
    pub split: Split,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let (mut cost, mut split) = (Cost::default(), Split::default());
        let charges = charges::Options::parse(
            config,
            charges::Options::default(),
            &["cost", "split"],
            |key, value| {
                match key {
                    "cost" => {
                        cost = word(
                            key,
                            value,
                            &[
                                ("unblended", Cost::Unblended),
                                ("net", Cost::Net),
                                ("blended", Cost::Blended),
                            ],
                        )?
                    }
                    "split" => {
                        split = word(
                            key,
                            value,
                            &[
                                ("usage", Split::Usage),
                                ("charges", Split::Charges),
                                ("ignore", Split::Ignore),
                            ],
                        )?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            },
        )?;
        Ok(Options { charges, cost, split })
    }
}
