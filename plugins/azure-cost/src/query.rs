//! The Cost Management query API: columns with names and types, and rows of cells under them.

use crate::charge_type::category;
use crate::settings::{Api, Basis, Granularity};
use apportion_plugin_sdk::http::Request;
use apportion_plugin_sdk::{Charge, Field};
use json_api::{Day, Fault, Node, Rows, Service, Then, Window, charge, dimension, tag};
use serde_json::json;

const VERSION: &str = "2025-03-01";
/// Names of cost columns, beside the name that was asked for.
const COSTS: [&str; 5] = ["Cost", "PreTaxCost", "totalCost", "CostUSD", "PreTaxCostUSD"];

/// The fields of columns by name. Every other column is a tag.
const DIMENSIONS: [(&str, Field); 22] = [
    ("ServiceName", Field::ServiceName),
    ("MeterCategory", Field::ServiceName),
    ("MeterSubCategory", Field::ServiceSubcategory),
    ("MeterSubcategory", Field::ServiceSubcategory),
    ("ServiceFamily", Field::ServiceCategory),
    ("SubscriptionId", Field::SubAccountId),
    ("SubscriptionName", Field::SubAccountName),
    ("ResourceId", Field::ResourceId),
    ("ResourceType", Field::ResourceType),
    ("ResourceLocation", Field::RegionId),
    ("Meter", Field::SkuMeter),
    ("MeterId", Field::SkuId),
    ("Product", Field::ChargeDescription),
    ("PartNumber", Field::SkuPriceId),
    ("InvoiceId", Field::InvoiceId),
    ("BillingAccountId", Field::BillingAccountId),
    ("BillingAccountName", Field::BillingAccountName),
    ("BenefitId", Field::CommitmentDiscountId),
    ("BenefitName", Field::CommitmentDiscountName),
    ("ReservationId", Field::CommitmentDiscountId),
    ("ReservationName", Field::CommitmentDiscountName),
    ("PublisherName", Field::PublisherName),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The answer to one of the queries.
    Part(usize),
    File,
}

struct Part {
    basis: Basis,
    start: Day,
    /// The query, which each page is asked with again.
    body: String,
}

pub struct Query {
    api: Api,
    parts: Vec<Part>,
}

/// One query for each cost and month.
pub fn begin(api: Api, window: Window) -> (Query, Vec<(Answer, Request)>) {
    let mut query = Query::new(api);
    let mut requests = Vec::new();
    for basis in query.api.costs.clone() {
        for month in window.months() {
            let (start, end) = (month.max(window.start), month.month_plus(1).min(window.end));
            let body = body(&query.api, basis, start, end);
            let url = format!(
                "{}/{}/providers/Microsoft.CostManagement/query",
                query.api.url, query.api.scope
            );
            requests.push((
                Answer::Part(query.parts.len()),
                query.request(Request::query(url, body.clone()).parameter("api-version", VERSION)),
            ));
            query.parts.push(Part { basis, start, body });
        }
    }
    (query, requests)
}

fn body(api: &Api, basis: Basis, start: Day, end: Day) -> String {
    let dimensions = api.group_by.iter().map(|name| json!({ "type": "Dimension", "name": name }));
    let tags = api.group_by_tags.iter().map(|key| json!({ "type": "TagKey", "name": key }));
    json!({
        "type": match basis { Basis::Actual => "ActualCost", Basis::Amortized => "AmortizedCost" },
        "timeframe": "Custom",
        "timePeriod": { "from": start.midnight(), "to": format!("{}T23:59:59Z", end.plus(-1)) },
        "dataset": {
            "granularity": match api.granularity { Granularity::Daily => "Daily", Granularity::Monthly => "Monthly" },
            "aggregation": { "totalCost": { "name": api.cost_column, "function": "Sum" } },
            "grouping": dimensions.chain(tags).collect::<Vec<_>>(),
        },
    })
    .to_string()
}

/// A column's name. Its type is checked where its cells are read.
struct Columns(Vec<String>);

impl Columns {
    fn read(properties: &Node) -> Result<Columns, Fault> {
        let columns = properties.at("columns")?.items()?;
        columns
            .iter()
            .map(|column| column.at("name")?.text().map(str::to_owned))
            .collect::<Result<_, _>>()
            .map(Columns)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|known| known.eq_ignore_ascii_case(name))
    }

    fn cell<'n, 'a>(&self, cells: &'n [Node<'a>], name: &str) -> Option<&'n Node<'a>> {
        cells.get(self.position(name)?).filter(|cell| !cell.value.is_null())
    }

    fn text<'a>(&self, cells: &[Node<'a>], name: &str) -> Result<Option<&'a str>, Fault> {
        self.cell(cells, name)
            .map(Node::text)
            .transpose()
            .map(|text| text.filter(|text| !text.is_empty()))
    }
}

impl Query {
    pub fn new(api: Api) -> Query {
        Query { api, parts: Vec::new() }
    }

    fn request(&self, request: Request) -> Request {
        self.api.dress(request.header("content-type", "application/json"))
    }

    fn row(
        &self,
        columns: &Columns,
        row: &Node,
        basis: Basis,
        start: Option<Day>,
    ) -> Result<Vec<Charge>, Fault> {
        let cells = row.items()?;
        if cells.len() != columns.0.len() {
            return Err(row.fault(format!(
                "it has {} cells under {} columns",
                cells.len(),
                columns.0.len()
            )));
        }
        let cost = std::iter::once(self.api.cost_column.as_str())
            .chain(COSTS)
            .find_map(|name| columns.cell(&cells, name));
        let cost = cost.ok_or_else(|| {
            row.fault(format!("there is no column {} with a cost in it", self.api.cost_column))
        })?;
        let currency = columns.text(&cells, "Currency")?.or(self.api.currency.as_deref());
        let currency = currency.ok_or_else(|| row.fault("there is no currency in it"))?;
        let day = match (
            columns.cell(&cells, "UsageDate").or_else(|| columns.cell(&cells, "BillingMonth")),
            start,
        ) {
            (Some(cell), _) => date(cell)?,
            (None, Some(start)) => start,
            (None, None) => return Err(row.fault("there is no day in it")),
        };
        let service = columns
            .text(&cells, "ServiceName")?
            .or(columns.text(&cells, "MeterCategory")?)
            .unwrap_or("Azure");
        let category = category(columns.text(&cells, "ChargeType")?);
        let mut charge = charge(day.midnight(), number(cost)?, currency, service, category);
        self.describe(&mut charge, columns, &cells)?;
        self.api.place(&mut charge, basis);
        Ok(vec![charge])
    }

    fn describe(
        &self,
        charge: &mut Charge,
        columns: &Columns,
        cells: &[Node],
    ) -> Result<(), Fault> {
        dimension(charge, Field::ProviderName, Some("Microsoft"));
        for (name, cell) in columns.0.iter().zip(cells) {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            let is_read = [
                "UsageDate",
                "BillingMonth",
                "Currency",
                "ServiceName",
                "ChargeType",
                "TagKey",
                "TagValue",
            ]
            .into_iter()
            .chain(COSTS)
            .any(is);
            if is_read || is(&self.api.cost_column) || cell.value.is_null() {
                continue;
            }
            let value = cell.text()?;
            match DIMENSIONS.iter().find(|(known, _)| is(known)) {
                // The charge has the service's name already.
                Some((_, Field::ServiceName)) => {}
                Some((_, field)) => dimension(charge, *field, Some(value)),
                None if is("ResourceGroup") || is("ResourceGroupName") => {
                    tag(charge, "resource_group", Some(value))
                }
                None => tag(charge, name, Some(value)),
            }
        }
        let value = columns.text(cells, "TagValue")?;
        if let Some(key) = columns.text(cells, "TagKey")? {
            tag(charge, key, value);
        }
        Ok(())
    }
}

/// The number in a cell. A text is refused, even if it holds a number.
fn number(cell: &Node) -> Result<String, Fault> {
    if cell.value.is_number() { cell.amount() } else { Err(cell.fault("it is not a number")) }
}

/// `20260301`, `"20260301"` or `"2026-03-01T00:00:00"`.
fn date(cell: &Node) -> Result<Day, Fault> {
    let Ok(number) = cell.whole() else { return cell.day() };
    let found = Day::from_numbers(number / 10_000, number / 100 % 100, number % 100);
    found.ok_or_else(|| cell.fault(format!("{number} is not a day such as 20260331")))
}

impl Service for Query {
    type Kind = Answer;

    fn api(&self) -> json_api::Api {
        json_api::Api { name: "Azure", credential: CREDENTIAL }
    }

    fn kind(&self, answer: &Node) -> Option<Answer> {
        answer.get("properties")?.get("rows").map(|_| Answer::File)
    }

    fn read(
        &mut self,
        kind: Answer,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Answer>>, Fault> {
        let properties = answer.at("properties")?;
        let columns = Columns::read(&properties)?;
        let part = if let Answer::Part(number) = kind { self.parts.get(number) } else { None };
        let basis = part
            .map(|part| part.basis)
            .or(self.api.costs.first().copied())
            .unwrap_or(Basis::Actual);
        let start = part.map(|part| part.start);
        for row in properties.at("rows")?.items()? {
            rows.take(&row, |row| self.row(&columns, row, basis, start));
        }
        match (part, properties.text_of("nextLink")?) {
            (Some(part), Some(next)) => {
                Ok(vec![Then::Page(kind, self.request(Request::query(next, part.body.clone())))])
            }
            _ => Ok(Vec::new()),
        }
    }
}

pub const CREDENTIAL: &str = "the application needs the role `Cost Management Reader` at this \
    scope (or `Enrollment reader` of an EA billing account, `Billing account reader` of an MCA \
    one)";

#[cfg(test)]
#[path = "tests/query.rs"]
mod tests;
