//! The settings of a source that reads JSON or asks BigQuery.

use apportion_plugin_sdk::{Error, Problem};
use json_api::Settings;

pub const SLOT: &str = "token";
const KEYS: [&str; 12] = [
    "mode",
    "credits",
    "project",
    "table_project",
    "dataset",
    "table",
    "detailed",
    "partitioned",
    "location",
    "page_rows",
    "url",
    "months",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Exports,
    Json,
    Query,
}

/// How credits are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credits {
    /// They are subtracted from the cost.
    Net,
    /// They are left out.
    Gross,
    /// They are charges of their own.
    Charges,
}

/// The mode is read first, because each mode has settings of its own.
pub fn mode(config: &str) -> Result<Mode, Error> {
    let config = table_settings::settings(config)?;
    let words = [("exports", Mode::Exports), ("json", Mode::Json), ("query", Mode::Query)];
    config.get("mode").map_or(Ok(Mode::Exports), |mode| table_settings::word("mode", mode, &words))
}

/// The only setting of the mode `json`.
pub fn credits(config: &str) -> Result<Credits, Error> {
    credits_of(&Settings::read(config, &["mode", "credits"])?)
}

fn credits_of(settings: &Settings) -> Result<Credits, Error> {
    let words = [("net", Credits::Net), ("gross", Credits::Gross), ("charges", Credits::Charges)];
    Ok(settings.word("credits", &words)?.unwrap_or(Credits::Net))
}

/// The table of an export, and how it is queried.
#[derive(Clone, Debug)]
pub struct Table {
    pub url: String,
    pub project: String,
    /// The table's name in SQL, with project and dataset.
    pub name: String,
    pub detailed: bool,
    pub partitioned: bool,
    pub location: Option<String>,
    pub page_rows: i64,
    pub months: i32,
    pub credits: Credits,
}

impl Table {
    pub fn parse(config: &str) -> Result<Table, Error> {
        let settings = Settings::read(config, &KEYS)?;
        let project = settings.segment("project", "my-billing-project")?;
        let table_project = match settings.text("table_project")? {
            Some(_) => settings.segment("table_project", "my-billing-project")?,
            None => project.clone(),
        };
        let name = |key: &str, example: &str| {
            let name = settings.segment(key, example)?;
            let dotted = || {
                Error::Config(
                    Problem::new(format!("{key} cannot be \"{name}\""))
                        .hint(format!("{key} = \"{example}\"")),
                )
            };
            if name.contains('.') { Err(dotted()) } else { Ok(name) }
        };
        let (dataset, table) = (
            name("dataset", "billing_export")?,
            name("table", "gcp_billing_export_v1_0123AB_4567CD_89EF01")?,
        );
        Ok(Table {
            url: settings.url("url", "https://bigquery.googleapis.com")?,
            project,
            name: format!("`{table_project}.{dataset}.{table}`"),
            detailed: settings.flag("detailed")?.unwrap_or(false),
            partitioned: settings.flag("partitioned")?.unwrap_or(true),
            location: settings
                .text("location")?
                .map_or(Ok(None), |_| settings.segment("location", "EU").map(Some))?,
            page_rows: settings.whole("page_rows", 1, 100_000)?.unwrap_or(5_000),
            months: settings.months(1)?,
            credits: credits_of(&settings)?,
        })
    }
}
