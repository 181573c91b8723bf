//! Pages of buckets. A bucket is a day with its results.

use apportion_plugin_sdk::http::{Place, Request};
use apportion_plugin_sdk::{Charge, Error, Field};
use json_api::{
    Api, Day, Fault, From, Node, Rows, Service, Settings, Then, Window, charge, dimension, from,
    tag,
};
use std::collections::BTreeSet;

pub const SLOT: &str = "token";
/// The most buckets that OpenAI gives on a page.
const BUCKETS: &str = "180";

#[derive(Debug)]
pub struct Options {
    pub url: String,
    pub from: From,
    pub months: i32,
    group_by: Vec<&'static str>,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let settings = Settings::read(config, &["url", "group_by", "months", "from"])?;
        let groups = settings
            .words("group_by", &[("project_id", "project_id"), ("line_item", "line_item")])?;
        Ok(Options {
            url: settings.url("url", "https://api.openai.com")?,
            from: from(&settings)?,
            months: settings.months(1)?,
            group_by: groups.unwrap_or_else(|| vec!["project_id", "line_item"]),
        })
    }
}

/// The request for the first page; nothing where no day is wanted.
pub fn request(options: &Options, window: Window) -> Option<((), Request)> {
    if window.is_empty() {
        return None;
    }
    let mut request = Request::get(format!("{}/v1/organization/costs", options.url))
        .parameter("start_time", &window.start.start().to_string())
        .parameter("end_time", &window.end.start().to_string())
        .parameter("bucket_width", "1d")
        .parameter("limit", BUCKETS);
    for group in &options.group_by {
        request = request.parameter("group_by", group);
    }
    Some(((), request.header("accept", "application/json").secret(SLOT, Place::Bearer)))
}

pub struct Costs {
    options: Options,
    window: Option<Window>,
    /// Days of all pages so far. A day that comes again would count twice.
    days: BTreeSet<Day>,
    /// Whether an answer has said that it is followed by another, and none that it is the last.
    is_open: bool,
    has_end: bool,
}

impl Costs {
    pub fn new(options: Options, window: Option<Window>) -> Costs {
        Costs { options, window, days: BTreeSet::new(), is_open: false, has_end: false }
    }
}

fn result(result: &Node, day: Day) -> Result<Vec<Charge>, Fault> {
    let amount = result.at("amount")?;
    let currency = amount.at("currency")?.text()?.to_ascii_uppercase();
    let cost = amount.at("value")?.amount()?;
    let (line_item, project) = (result.text_of("line_item")?, result.text_of("project_id")?);
    let category = if cost.starts_with('-') { "Credit" } else { "Usage" };
    let mut charge = charge(day.midnight(), cost, &currency, "OpenAI API", category);
    for (field, value) in [
        (Field::ProviderName, Some("OpenAI")),
        (Field::BillingAccountId, result.text_of("organization_id")?),
        (Field::BillingAccountName, result.text_of("organization_name")?),
        (Field::SubAccountId, project),
        (Field::SubAccountName, result.text_of("project_name")?),
        (Field::SkuId, line_item),
        (Field::ChargeDescription, line_item),
    ] {
        dimension(&mut charge, field, value);
    }
    tag(&mut charge, "line_item", line_item);
    tag(&mut charge, "project", result.text_of("project_name")?.or(project));
    Ok(vec![charge])
}

impl Service for Costs {
    type Kind = ();

    fn api(&self) -> Api {
        Api {
            name: "OpenAI",
            credential: "the secret must be an admin key (`sk-admin-…`) of the organization with \
                the permission `api.usage.read`; project keys cannot read costs",
        }
    }

    fn kind(&self, answer: &Node) -> Option<()> {
        answer.get("data").map(|_| ())
    }

    fn read(&mut self, (): (), answer: &Node, rows: &mut Rows) -> Result<Vec<Then<()>>, Fault> {
        for bucket in answer.at("data")?.items()? {
            let start = bucket.at("start_time")?;
            let day = Day::from_unix(start.whole()?);
            if !self.days.insert(day) {
                return Err(start
                    .fault(format!("the day {day} comes a second time, and would count twice")));
            }
            for row in bucket.at("results")?.items()? {
                rows.take(&row, |row| result(row, day));
            }
        }
        let more = answer.get("has_more").map_or(Ok(false), |more| more.flag())?;
        self.is_open |= more;
        self.has_end |= !more;
        if !more {
            return Ok(Vec::new());
        }
        // An answer that is not the last must name the next one, in saved files too: without it
        // days would be missing.
        let page = answer.at("next_page")?.text()?.to_owned();
        let Some(window) = self.window else { return Ok(Vec::new()) };
        let next = request(&self.options, window)
            .map(|((), request)| Then::Page((), request.parameter("page", &page)));
        Ok(next.into_iter().collect())
    }

    fn missing(&self) -> Option<String> {
        (self.is_open && !self.has_end).then(|| {
            "the files end with an answer that says `has_more`: the answers that follow it are \
             missing"
                .into()
        })
    }
}

#[cfg(test)]
#[path = "tests/costs.rs"]
mod tests;
