//! Answers to a statement: rows of texts under named columns, in partitions.

use crate::sql::{Options, Report};
use apportion_plugin_sdk::{Charge, Field};
use json_api::{Api, Fault, Node, Rows, Service, Then, charge, dimension, product, tag};

/// The codes of answers to a statement that still runs.
const RUNNING: [&str; 2] = ["333333", "333334"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    First,
    /// A later partition, which has no names of columns.
    Partition(i64),
}

pub struct Statements {
    options: Options,
    columns: Vec<String>,
}

/// A row whose cells have names.
struct Row<'n, 'a> {
    columns: &'n [String],
    row: &'n Node<'a>,
    cells: Vec<Node<'a>>,
}

impl<'a> Row<'_, 'a> {
    fn get(&self, column: &str) -> Option<&Node<'a>> {
        let position = self.columns.iter().position(|name| name.eq_ignore_ascii_case(column))?;
        self.cells.get(position).filter(|cell| !cell.value.is_null())
    }

    fn at(&self, column: &str) -> Result<&Node<'a>, Fault> {
        self.get(column)
            .ok_or_else(|| self.row.fault(format!("it has nothing in the column {column}")))
    }

    fn text_of(&self, column: &str) -> Result<Option<&'a str>, Fault> {
        self.get(column)
            .map(Node::text)
            .transpose()
            .map(|text| text.filter(|text| !text.is_empty()))
    }
}

impl Statements {
    pub fn new(options: Options) -> Statements {
        Statements { options, columns: Vec::new() }
    }

    fn row(&self, row: &Node) -> Result<Vec<Charge>, Fault> {
        let cells = row.items()?;
        if cells.len() != self.columns.len() {
            return Err(row.fault(format!(
                "it has {} cells under {} columns",
                cells.len(),
                self.columns.len()
            )));
        }
        let row = Row { columns: &self.columns, row, cells };
        let mut charge = match self.options.report {
            Report::Credits => self.credits(&row)?,
            Report::Currency => currency(&row)?,
        };
        dimension(&mut charge, Field::ProviderName, Some("Snowflake"));
        Ok(vec![charge])
    }

    fn credits(&self, row: &Row) -> Result<Charge, Fault> {
        let service = row.at("SERVICE_TYPE")?.text()?;
        let credits = row.at("CREDITS_BILLED")?;
        let (amount, price) = (credits.amount()?, self.options.price_of(service));
        let price = price.ok_or_else(|| {
            credits.fault(format!("nobody said what a credit of {service} costs"))
        })?;
        let cost = product(&amount, price)
            .ok_or_else(|| credits.fault(format!("{amount} × {price} is out of bounds")))?;
        let mut charge = charge(
            row.at("USAGE_DATE")?.day()?.midnight(),
            cost,
            &self.options.currency,
            service,
            "Usage",
        );
        dimension(&mut charge, Field::SubAccountId, self.options.account.as_deref());
        dimension(&mut charge, Field::SkuId, Some(service));
        dimension(&mut charge, Field::PricingUnit, Some("credits"));
        Ok(charge)
    }
}

fn currency(row: &Row) -> Result<Charge, Fault> {
    let usage_type = row.text_of("USAGE_TYPE")?;
    let service = row.text_of("SERVICE_TYPE")?.or(usage_type).unwrap_or("Snowflake");
    // Booleans are text too, and have two spellings.
    let is_adjustment = row
        .text_of("IS_ADJUSTMENT")?
        .is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1");
    let category = if is_adjustment { "Adjustment" } else { "Usage" };
    let cost = row.at("USAGE_IN_CURRENCY")?.amount()?;
    let mut charge = charge(
        row.at("USAGE_DATE")?.day()?.midnight(),
        cost,
        row.at("CURRENCY")?.text()?,
        service,
        category,
    );
    for (field, value) in [
        (Field::SubAccountId, row.text_of("ACCOUNT_LOCATOR")?),
        (Field::SubAccountName, row.text_of("ACCOUNT_NAME")?),
        (Field::RegionId, row.text_of("REGION")?),
        (Field::SkuId, usage_type),
        (Field::ChargeDescription, usage_type),
    ] {
        dimension(&mut charge, field, value);
    }
    tag(&mut charge, "rating_type", row.text_of("RATING_TYPE")?);
    Ok(charge)
}

impl Service for Statements {
    type Kind = Answer;

    fn api(&self) -> Api {
        Api {
            name: "Snowflake",
            credential: "the token's role needs `GRANT DATABASE ROLE SNOWFLAKE.USAGE_VIEWER` \
                (credits) or `SNOWFLAKE.ORGANIZATION_BILLING_VIEWER` (currency), and `token_type` \
                must be what the token is",
        }
    }

    fn kind(&self, answer: &Node) -> Option<Answer> {
        answer.get("resultSetMetaData").map(|_| Answer::First)
    }

    fn read(
        &mut self,
        kind: Answer,
        answer: &Node,
        rows: &mut Rows,
    ) -> Result<Vec<Then<Answer>>, Fault> {
        if answer.text_of("code")?.is_some_and(|code| RUNNING.contains(&code))
            && answer.get("data").is_none()
        {
            let handle_node = answer.at("statementHandle")?;
            return Ok(vec![Then::Poll(
                kind,
                self.options.get(&format!("/api/v2/statements/{}", handle(&handle_node)?)),
            )]);
        }
        let mut thens = Vec::new();
        if kind == Answer::First {
            let meta = answer.at("resultSetMetaData")?;
            let columns = meta
                .at("rowType")?
                .items()?
                .iter()
                .map(|column| column.at("name")?.text().map(str::to_owned))
                .collect::<Result<_, _>>()?;
            self.columns = columns;
            let partitions = meta
                .get("partitionInfo")
                .map_or(Ok(1), |info| info.items().map(|partitions| partitions.len()))?;
            for partition in 1..i64::try_from(partitions).unwrap_or(i64::MAX) {
                let handle_node = answer.at("statementHandle")?;
                let request = self
                    .options
                    .get(&format!("/api/v2/statements/{}", handle(&handle_node)?))
                    .parameter("partition", &partition.to_string());
                thens.push(Then::Page(Answer::Partition(partition), request));
            }
        }
        for row in answer.at("data")?.items()? {
            rows.take(&row, |row| self.row(row));
        }
        Ok(thens)
    }
}

/// A statement's handle goes into a path, so a text that could lead out of the path is refused.
fn handle<'a>(node: &Node<'a>) -> Result<&'a str, Fault> {
    let text = node.text()?;
    let is_handle =
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_handle { Ok(text) } else { Err(node.fault("it is not the handle of a statement")) }
}

#[cfg(test)]
#[path = "tests/statement.rs"]
mod tests;
