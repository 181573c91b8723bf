//! The source's settings.

use apportion_plugin_sdk::Error;
use table_settings::{charges, text, word};

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

/// How payments for commitments are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Effective {
    /// They are spread over the usage that they covered.
    #[default]
    Amortized,
    /// The effective cost is the billed cost.
    Billed,
}

#[derive(Debug, Default)]
pub struct Options {
    pub charges: charges::Options,
    pub cost: Cost,
    pub effective: Effective,
    /// The only report that is read, by the name of its folder.
    pub report: Option<String>,
    pub split: Split,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let mut options = Options::default();
        options.charges = charges::Options::parse(
            config,
            charges::Options::default(),
            &["cost", "effective_cost", "report", "split"],
            |key, value| {
                match key {
                    "cost" => options.cost = word(key, value, COSTS)?,
                    "effective_cost" => options.effective = word(key, value, EFFECTIVE)?,
                    "report" => options.report = Some(text(key, value)?),
                    "split" => options.split = word(key, value, SPLITS)?,
                    _ => return Ok(false),
                }
                Ok(true)
            },
        )?;
        Ok(options)
    }
}

const COSTS: &[(&str, Cost)] =
    &[("unblended", Cost::Unblended), ("net", Cost::Net), ("blended", Cost::Blended)];
const EFFECTIVE: &[(&str, Effective)] =
    &[("amortized", Effective::Amortized), ("billed", Effective::Billed)];
const SPLITS: &[(&str, Split)] =
    &[("usage", Split::Usage), ("charges", Split::Charges), ("ignore", Split::Ignore)];
