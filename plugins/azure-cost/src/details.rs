//! The usage details API: objects with the columns of an export as members.

use crate::charge_type::category;
use crate::map;
use crate::query::CREDENTIAL;
use crate::settings::{Agreement, Api, Basis};
use apportion_plugin_sdk::http::Request;
use apportion_plugin_sdk::{Charge, Feed};
use json_api::{Fault, Node, Rows, Service, Then, Window, charge, dimension, tag};
use table_settings::FEED_COLUMNS;

const VERSION: &str = "2024-08-01";

pub struct Details {
    api: Api,
}

/// The requests: one list for each of the two costs.
pub fn requests(api: &Api, window: Window) -> Vec<(Basis, Request)> {
    if window.is_empty() {
        return Vec::new();
    }
    let (start, last) = (window.start.to_string(), window.end.plus(-1).to_string());
    let url = format!("{}/{}/providers/Microsoft.Consumption/usageDetails", api.url, api.scope);
    let ask = |basis: &Basis| {
        let metric = match basis {
            Basis::Actual => "ActualCost",
            Basis::Amortized => "AmortizedCost",
        };
        let request = Request::get(&url)
            .parameter("api-version", VERSION)
            .parameter("metric", metric)
            .parameter("$top", "1000");
        let request = match api.agreement {
            Agreement::Customer => {
                request.parameter("startDate", &start).parameter("endDate", &last)
            }
            Agreement::Enterprise => request.parameter(
                "$filter",
                &format!("properties/usageStart ge '{start}' and properties/usageEnd le '{last}'"),
            ),
        };
        (*basis, api.dress(request))
    };
    api.costs.iter().map(ask).collect()
}

impl Details {
    pub fn new(api: &Api) -> Details {
        Details { api: api.clone() }
    }

    fn row(&self, row: &Node, basis: Basis) -> Result<Vec<Charge>, Fault> {
        let properties = row.at("properties")?;
        let members = properties.members()?;
        let needed = |field: &str| {
            find(&members, field).ok_or_else(|| properties.fault(format!("it has no {field}")))
        };
        let start = needed("charge_period_start")?.day()?.midnight();
        let service = match find(&members, "service_name") {
            Some(service) => service.text()?,
            None => "Azure",
        };
        let category = category(properties.text_of("chargeType")?);
        let mut charge = charge(
            start,
            needed("billed_cost")?.amount()?,
            needed("billing_currency")?.text()?,
            service,
            category,
        );
        for target in FEED_COLUMNS {
            let Feed::Dimension(field) = target.feed else { continue };
            if let Some(member) = find(&members, target.name)
                .filter(|_| !["service_name", "charge_category"].contains(&target.name))
            {
                dimension(&mut charge, field, Some(member.text()?));
            }
        }
        let quantity = find(&members, "consumed_quantity").map(|cell| cell.amount());
        charge.consumed_quantity = quantity.transpose()?;
        let period = find(&members, "billing_period_start").map(|cell| cell.day());
        charge.billing_period_start = period.transpose()?.map(|day| day.to_string());
        for name in ["resourceGroup", "costCenter", "invoiceSectionName", "invoiceSection"] {
            let key = if name == "resourceGroup" { "resource_group" } else { name };
            tag(&mut charge, key, properties.text_of(name)?);
        }
        if let Some(tags) = row.get("tags") {
            for (key, value) in tags.members()? {
                tag(&mut charge, key, Some(value.text()?));
            }
        }
        self.api.place(&mut charge, basis);
        Ok(vec![charge])
    }
}

/// The first member that spells the field and is not empty.
fn find<'n, 'a>(members: &'n [(&'a str, Node<'a>)], field: &str) -> Option<&'n Node<'a>> {
    let spelled = |spelling: &&str| {
        members.iter().find(|(name, node)| map::plain(name) == **spelling && !is_nothing(node))
    };
    map::spellings(field).iter().find_map(spelled).map(|(_, node)| node)
}

fn is_nothing(node: &Node) -> bool {
    node.value.is_null() || node.value.as_str().is_some_and(str::is_empty)
}

impl Service for Details {
    type Kind = Basis;

    fn api(&self) -> json_api::Api {
        json_api::Api { name: "Azure", credential: CREDENTIAL }
    }

    fn kind(&self, answer: &Node) -> Option<Basis> {
        answer.get("value").and_then(|_| self.api.costs.first().copied())
    }

    fn read(
        &mut self,
        basis: Basis,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Basis>>, Fault> {
        for row in answer.at("value")?.items()? {
            rows.take(&row, |row| self.row(row, basis));
        }
        let next = answer.text_of("nextLink")?;
        Ok(next
            .map(|next| Then::Page(basis, self.api.dress(Request::get(next))))
            .into_iter()
            .collect())
    }
}

#[cfg(test)]
#[path = "tests/details.rs"]
mod tests;
