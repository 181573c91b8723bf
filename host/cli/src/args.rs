//! Arguments that several commands share.

use crate::log;
use domain::axis::Axis;
use domain::diagnostic::Diagnostic;
use installation::settings::{Need, Settings, SettingsPlace};
use std::path::PathBuf;

#[derive(clap::Args, Clone, Debug, Default)]
pub struct GlobalArgs {
    /// Settings file [env: APPORTION_CONFIG] [default: apportion.toml]
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// Ledger file, instead of the one in the settings [env: APPORTION_LEDGER]
    #[arg(long, global = true, value_name = "PATH")]
    pub ledger: Option<PathBuf>,
    /// Print data and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

impl GlobalArgs {
    /// Reads the settings that the arguments name.
    pub fn settings(&self, need: Need) -> Result<Settings, Vec<Diagnostic>> {
        let place = SettingsPlace { config: self.config.clone(), ledger: self.ledger.clone() };
        let settings = Settings::load(&place, need);
        let log = settings.as_ref().map_or_else(|refused| &refused.log, |settings| &settings.log);
        log::follow(log, self.quiet);
        settings.map_err(|refused| refused.findings)
    }
}

#[derive(clap::Args, Clone, Debug, Default)]
pub struct PeriodArgs {
    /// First day or month, such as 2026-01-15 or 2026-01
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last day or month, included
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Text,
    Json,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    #[default]
    Text,
    Json,
    Csv,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[value(rename_all = "snake_case")]
pub enum MetricName {
    #[default]
    EffectiveCost,
    BilledCost,
    ListCost,
    ContractedCost,
    PricingQuantity,
    ConsumedQuantity,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GranularityName {
    Daily,
    Weekly,
    #[default]
    Monthly,
    Quarterly,
    Yearly,
    Total,
}

#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisName {
    /// The day of posting: what was owed. A closed month never changes
    #[default]
    Posting,
    /// The day of the charge: what was consumed, as it is known now
    Charge,
}

impl From<AxisName> for Axis {
    fn from(name: AxisName) -> Axis {
        match name {
            AxisName::Posting => Axis::Posting,
            AxisName::Charge => Axis::Charge,
        }
    }
}
