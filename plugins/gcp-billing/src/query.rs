//! The table in BigQuery: one query, its rows page by page, cells decoded by the schema.

use crate::row;
use crate::settings::{SLOT, Table};
use apportion_plugin_sdk::http::{Place, Request, encoded};
use apportion_plugin_sdk::run_info;
use json_api::{Api, Fault, Node, Rows, Service, Then, Window};
use serde_json::{Map, Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long BigQuery works on a query before it answers that it is not done.
const WAIT_MS: u32 = 30_000;

pub struct Query {
    table: Table,
    /// The schema of the first page. Later pages may leave it out.
    schema: Option<Value>,
    rows: i64,
}

/// The first request; nothing where no day is wanted.
pub fn first(table: &Table, window: Window) -> Option<((), Request)> {
    if window.is_empty() {
        return None;
    }
    let query = sql(table, window);
    // BigQuery takes a repeated request with the same id for the same query, and bills it once.
    let mut id = DefaultHasher::new();
    (run_info::source(), run_info::now(), &query).hash(&mut id);
    let mut body = json!({
        "query": query, "useLegacySql": false, "maxResults": table.page_rows, "timeoutMs": WAIT_MS, "requestId": format!("apportion-{:016x}", id.finish()),
    });
    if let (Some(location), Some(body)) = (&table.location, body.as_object_mut()) {
        body.insert("location".into(), location.as_str().into());
    }
    let url = format!("{}/bigquery/v2/projects/{}/queries", table.url, table.project);
    Some(((), Request::query(url, body.to_string()).json().secret(SLOT, Place::Bearer)))
}

/// The query. Days are cast to text, because timestamps would come as floating seconds.
fn sql(table: &Table, window: Window) -> String {
    let resource = if table.detailed { ", resource" } else { "" };
    let partitions = if table.partitioned {
        format!(" AND (_PARTITIONTIME >= TIMESTAMP('{}') OR _PARTITIONTIME IS NULL)", window.start)
    } else {
        String::new()
    };
    format!(
        "SELECT CAST(DATE(usage_start_time) AS STRING) AS usage_start_time, billing_account_id, service, sku, project, location{resource}, labels, usage, \
         cost, currency, cost_type, credits, invoice FROM {} \
         WHERE usage_start_time >= TIMESTAMP('{}') AND usage_start_time < TIMESTAMP('{}'){partitions}",
        table.name, window.start, window.end
    )
}

impl Query {
    pub fn new(table: Table) -> Query {
        Query { table, schema: None, rows: 0 }
    }

    /// Asks for rows of a query that is running or done.
    fn results(&self, answer: &Node) -> Result<Request, Fault> {
        let job = answer.at("jobReference")?;
        let id = job.at("jobId")?;
        let is_id =
            id.text()?.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte));
        if !is_id {
            return Err(id.fault("it is not the id of a job"));
        }
        let url = format!(
            "{}/bigquery/v2/projects/{}/queries/{}",
            self.table.url,
            self.table.project,
            encoded(id.text()?)
        );
        let request = Request::get(url)
            .parameter("maxResults", &self.table.page_rows.to_string())
            .parameter("timeoutMs", &WAIT_MS.to_string());
        let location = job.text_of("location")?;
        let request = if let Some(location) = location {
            request.parameter("location", location)
        } else {
            request
        };
        Ok(request.header("accept", "application/json").secret(SLOT, Place::Bearer))
    }
}

/// A cell by its field's schema: a record becomes an object, a repeated field a list, and the rest
/// text.
fn decoded(field: &Node, cell: &Node) -> Result<Value, Fault> {
    let Some(value) = cell.get("v") else { return Ok(Value::Null) };
    if field.text_of("mode")? == Some("REPEATED") {
        return value
            .items()?
            .iter()
            .map(|item| item.at("v").and_then(|value| single(field, &value)))
            .collect();
    }
    single(field, &value)
}

fn single(field: &Node, value: &Node) -> Result<Value, Fault> {
    match field.at("type")?.text()? {
        "RECORD" | "STRUCT" => record(&field.at("fields")?, value),
        _ => value.text().map(Value::from),
    }
}

/// The cells of a row under the fields of its schema.
fn record(fields: &Node, row: &Node) -> Result<Value, Fault> {
    let (fields, cells) = (fields.items()?, row.at("f")?.items()?);
    if fields.len() != cells.len() {
        return Err(row.fault(format!(
            "it has {} cells under {} columns",
            cells.len(),
            fields.len()
        )));
    }
    let mut members = Map::new();
    for (field, cell) in fields.iter().zip(&cells) {
        members.insert(field.at("name")?.text()?.to_owned(), decoded(field, cell)?);
    }
    Ok(Value::Object(members))
}

impl Service for Query {
    type Kind = ();

    fn api(&self) -> Api {
        Api {
            name: "BigQuery",
            credential: "the service account needs the roles `BigQuery Data Viewer` on the \
                dataset and `BigQuery Job User` in the project",
        }
    }

    fn kind(&self, answer: &Node) -> Option<()> {
        answer.get("jobReference").map(|_| ())
    }

    fn read(&mut self, (): (), answer: &Node, rows: &mut Rows) -> Result<Vec<Then<()>>, Fault> {
        if !answer.at("jobComplete")?.flag()? {
            return Ok(vec![Then::Poll((), self.results(answer)?)]);
        }
        if let Some(schema) = answer.get("schema") {
            self.schema = Some(schema.value.clone());
        }
        let schema = self.schema.take().ok_or_else(|| answer.fault("it has no `schema`"))?;
        let fields =
            Node { value: &schema, place: format!("{}/schema", answer.place) }.at("fields")?;
        let page = answer.get("rows").map_or(Ok(Vec::new()), |rows| rows.items())?;
        self.rows += page.len() as i64;
        for row in page {
            rows.take(&row, |row| {
                let value = record(&fields, row)?;
                row::charges(&Node { value: &value, place: row.place.clone() }, self.table.credits)
            });
        }
        self.schema = Some(schema);
        if let Some(token) = answer.text_of("pageToken")? {
            return Ok(vec![Then::Page((), self.results(answer)?.parameter("pageToken", token))]);
        }
        // A lost page would be lost money.
        match answer.get("totalRows") {
            Some(total) if total.whole()? != self.rows => {
                Err(total.fault(format!("it says {}, and {} came", total.whole()?, self.rows)))
            }
            _ => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
#[path = "tests/query.rs"]
mod tests;
