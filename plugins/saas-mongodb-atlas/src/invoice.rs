//! Invoices and their line items. Invoiced are whole cents; the exact cost is quantity × price.

use apportion_plugin_sdk::http::{Place, Request};
use apportion_plugin_sdk::{Charge, Error, Field, Problem};
use json_api::{
    Api, Fault, From, Node, Rows, Service, Settings, Then, Window, charge, dimension, from,
    product, tag,
};
use std::collections::BTreeSet;

pub const SLOT: &str = "token";
const VERSION: &str = "application/vnd.atlas.2023-01-01+json";
const CURRENCY: &str = "USD";
const PAGE: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cost {
    Invoiced,
    Computed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Pending,
    Invoice,
    List(usize),
}

#[derive(Debug)]
pub struct Options {
    pub url: String,
    pub from: From,
    pub months: i32,
    organization: Option<String>,
    cost: Cost,
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let settings =
            Settings::read(config, &["organization_id", "cost", "url", "months", "from"])?;
        let from = from(&settings)?;
        let organization = match from {
            From::Api => Some(settings.segment("organization_id", "66d7254246a21a41036ff2e9")?),
            From::Files => None,
        };
        if organization
            .as_deref()
            .is_some_and(|id| id.len() != 24 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()))
        {
            let problem = Problem::new(
                "organization_id is not the id of an organization: those have 24 hexadecimal \
                 digits",
            );
            return Err(Error::Config(
                problem.hint("organization_id = \"66d7254246a21a41036ff2e9\""),
            ));
        }
        Ok(Options {
            url: settings.url("url", "https://cloud.mongodb.com")?,
            from,
            months: settings.months(1)?,
            organization,
            cost: settings
                .word("cost", &[("invoiced", Cost::Invoiced), ("computed", Cost::Computed)])?
                .unwrap_or(Cost::Invoiced),
        })
    }

    fn request(&self, path: &str) -> Request {
        let organization = self.organization.as_deref().unwrap_or_default();
        let url = format!("{}/api/atlas/v2/orgs/{organization}/invoices{path}", self.url);
        Request::get(url).header("accept", VERSION).secret(SLOT, Place::Bearer)
    }

    fn list(&self, page: usize) -> Request {
        self.request("")
            .parameter("pageNum", &page.to_string())
            .parameter("itemsPerPage", &PAGE.to_string())
            .parameter("includeCount", "true")
    }
}

/// Requests for the pending invoice, which is this month's, and for the list of all invoices.
pub fn requests(options: &Options, window: Window) -> Vec<(Answer, Request)> {
    if window.is_empty() {
        return Vec::new();
    }
    vec![(Answer::Pending, options.request("/pending")), (Answer::List(1), options.list(1))]
}

pub struct Invoices {
    options: Options,
    window: Option<Window>,
    /// Invoices that were read or will be. An invoice that comes again would count twice.
    known: BTreeSet<String>,
}

impl Invoices {
    pub fn new(options: Options, window: Option<Window>) -> Invoices {
        Invoices { options, window, known: BTreeSet::new() }
    }

    /// Requests for the invoices of a list that have wanted days.
    fn list(
        &mut self,
        page: usize,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Answer>>, Fault> {
        let entries = answer.at("results")?.items()?;
        let mut thens = Vec::new();
        for entry in &entries {
            rows.note(entry);
            let (id, start, end) = (
                entry.at("id")?.text()?,
                entry.at("startDate")?.day()?,
                entry.at("endDate")?.day()?,
            );
            let is_wanted =
                self.window.is_none_or(|window| start < window.end && window.start < end);
            let is_pending = entry.text_of("statusName")? == Some("PENDING");
            let is_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if is_wanted && !is_pending && is_id && self.known.insert(id.to_owned()) {
                thens.push(Then::Other(Answer::Invoice, self.options.request(&format!("/{id}"))));
            }
        }
        if entries.len() == PAGE {
            thens.push(Then::Page(Answer::List(page + 1), self.options.list(page + 1)));
        }
        Ok(thens)
    }

    fn invoice(&mut self, answer: &Node, rows: &mut Rows) -> Result<(), Fault> {
        let id = answer.at("id")?.text()?;
        self.known.insert(id.to_owned());
        let organization = answer.text_of("orgId")?;
        for item in answer.at("lineItems")?.items()? {
            rows.take(&item, |item| self.item(item, id, organization));
        }
        if let Some(tax) = answer.get("salesTaxCents") {
            rows.take(&tax, |tax| {
                let cost = cents(tax)?;
                let start = answer.at("startDate")?.day()?;
                let mut charge = charge(start.midnight(), cost, CURRENCY, "Tax", "Tax");
                describe(&mut charge, id, organization);
                Ok(if charge.billed_cost == "0" { Vec::new() } else { vec![charge] })
            });
        }
        Ok(())
    }

    fn item(
        &self,
        item: &Node,
        invoice: &str,
        organization: Option<&str>,
    ) -> Result<Vec<Charge>, Fault> {
        let cost = match self.options.cost {
            Cost::Invoiced => cents(&item.at("totalPriceCents")?)?,
            Cost::Computed => {
                let (quantity, price) =
                    (item.at("quantity")?.amount()?, item.at("unitPriceDollars")?.amount()?);
                product(&quantity, &price)
                    .ok_or_else(|| item.fault(format!("{quantity} × {price} is out of bounds")))?
            }
        };
        let sku = item.at("sku")?.text()?;
        let category = if cost.starts_with('-') { "Credit" } else { "Usage" };
        let mut charge = charge(
            item.at("startDate")?.day()?.midnight(),
            cost,
            CURRENCY,
            "MongoDB Atlas",
            category,
        );
        describe(&mut charge, invoice, organization);
        let cluster = item.text_of("clusterName")?;
        for (field, value) in [
            (Field::SkuId, Some(sku)),
            (Field::ChargeDescription, item.text_of("note")?.or(Some(sku))),
            (Field::SubAccountId, item.text_of("groupId")?),
            (Field::SubAccountName, item.text_of("groupName")?),
            (Field::ResourceId, cluster),
            (Field::ResourceName, cluster),
            (Field::ResourceType, cluster.map(|_| "cluster")),
            (Field::PricingUnit, item.text_of("unit")?),
            (Field::ConsumedUnit, item.text_of("unit")?),
        ] {
            dimension(&mut charge, field, value);
        }
        if let Some(tags) = item.get("tags") {
            for (key, values) in tags.members()? {
                let values =
                    values.items()?.iter().map(Node::text).collect::<Result<Vec<_>, _>>()?;
                tag(&mut charge, key, Some(&values.join(",")));
            }
        }
        Ok(vec![charge])
    }
}

fn describe(charge: &mut Charge, invoice: &str, organization: Option<&str>) {
    dimension(charge, Field::ProviderName, Some("MongoDB"));
    dimension(charge, Field::InvoiceId, Some(invoice));
    dimension(charge, Field::BillingAccountId, organization);
}

/// Cents as dollars.
fn cents(node: &Node) -> Result<String, Fault> {
    let cents = node.amount()?;
    product(&cents, "0.01").ok_or_else(|| node.fault(format!("{cents} cents are out of bounds")))
}

impl Service for Invoices {
    type Kind = Answer;

    fn api(&self) -> Api {
        Api {
            name: "Atlas",
            credential: "the service account needs the organization role `Organization Billing \
                Viewer`, and an access list that has this machine's address",
        }
    }

    fn kind(&self, answer: &Node) -> Option<Answer> {
        answer.get("lineItems").map(|_| Answer::Invoice)
    }

    fn read(
        &mut self,
        kind: Answer,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Answer>>, Fault> {
        match kind {
            Answer::List(page) => self.list(page, answer, rows),
            Answer::Pending | Answer::Invoice => self.invoice(answer, rows).map(|()| Vec::new()),
        }
    }
}

#[cfg(test)]
#[path = "tests/invoice.rs"]
mod tests;
