//! The source's settings: the request, the place of the rows, and the meaning of their members.

use crate::path::JsonPath;
use apportion_plugin_sdk::http::{Method, Place};
use apportion_plugin_sdk::{Error, Problem};
use serde_json::{Map, Value};
use table_settings::{FEED_COLUMNS, known, object, text, texts_by_key, unknown, word};

const KEYS: [&str; 16] = [
    "url",
    "method",
    "body",
    "headers",
    "auth",
    "dates",
    "days",
    "paging",
    "rows",
    "fields",
    "tags",
    "all_tags",
    "rename",
    "skip",
    "divide_by",
    "usage",
];
const AUTH_KEYS: [&str; 4] = ["slot", "place", "user", "name"];
const PAGING_KEYS: [&str; 8] =
    ["style", "path", "parameter", "first", "size_parameter", "size", "more", "most"];
const USAGE_KEYS: [&str; 7] =
    ["rows", "metric", "unit", "value", "period_start", "keys", "all_keys"];
/// Days that are collected where no period is asked for.
const DAYS_DEFAULT: i32 = 35;
const DAYS_MAX: u64 = 3_660;
const PAGES_DEFAULT: u64 = 1_000;

#[derive(Debug)]
pub struct Options {
    pub ask: Ask,
    /// How many days are collected where no period is asked for.
    pub days: i32,
    pub paging: Paging,
    pub charges: Option<Charges>,
    pub usage: Vec<Usage>,
    pub rename: Vec<(String, Vec<(String, String)>)>,
}

/// A request; url and body have places for the dates.
#[derive(Debug)]
pub struct Ask {
    pub url: String,
    pub method: Method,
    pub body: Option<String>,
    pub headers: Vec<(String, String)>,
    pub auth: Option<(String, Place)>,
    pub dates: Dates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    Date,
    Rfc3339,
    Unix,
    UnixMs,
}

#[derive(Debug)]
pub struct Paging {
    pub style: Style,
    /// The place in the answer that says whether there are more pages.
    pub more: Option<JsonPath>,
    /// The most pages.
    pub most: u64,
}

#[derive(Debug)]
pub enum Style {
    OnePage,
    /// The place of the next page's URL; without a path it is in the header `link`.
    NextLink(Option<JsonPath>),
    Cursor {
        path: JsonPath,
        parameter: String,
    },
    Page {
        parameter: String,
        first: u64,
    },
    Offset {
        parameter: String,
        size_parameter: Option<String>,
        size: u64,
    },
}

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    Path(JsonPath),
    Constant(String),
}

#[derive(Debug)]
pub struct Charges {
    pub rows: JsonPath,
    /// Fields by their names in `FEED_COLUMNS`.
    pub fields: Vec<(String, From)>,
    pub tags: Vec<(String, From)>,
    /// An object whose members are all tags.
    pub all_tags: Option<JsonPath>,
    pub skip: Vec<(JsonPath, Vec<String>)>,
    /// 100 for amounts in cents.
    pub divide_by: u32,
}

#[derive(Debug)]
pub struct Usage {
    pub rows: JsonPath,
    pub metric: From,
    pub unit: From,
    pub value: From,
    pub period_start: From,
    pub keys: Vec<(String, From)>,
    pub all_keys: Option<JsonPath>,
}

fn lacks(what: &str, line: &str) -> Error {
    Error::Config(Problem::new(format!("{what} is missing")).hint(line))
}

fn path(what: &str, value: &Value) -> Result<JsonPath, Error> {
    JsonPath::parse(&text(what, value)?)
        .map_err(|reason| Error::config(format!("{what}: {reason}")))
}

/// A path of rows begins at the answer.
fn rows(what: &str, value: &Value) -> Result<JsonPath, Error> {
    let path = path(what, value)?;
    if path.starts_above() {
        Err(Error::config(format!("{what} has to begin with $, the answer")))
    } else {
        Ok(path)
    }
}

fn from(what: &str, value: &Value) -> Result<From, Error> {
    let written = text(what, value)?;
    if !JsonPath::is_path(&written) {
        return Ok(From::Constant(written));
    }
    let path = path(what, value)?;
    if path.has_star() {
        Err(Error::config(format!("{what} is one value, so that its path can have no star")))
    } else {
        Ok(From::Path(path))
    }
}

fn froms(what: &str, value: &Value) -> Result<Vec<(String, From)>, Error> {
    object(what, value)?
        .iter()
        .map(|(key, value)| Ok((key.clone(), from(&format!("{what}.{key}"), value)?)))
        .collect()
}

fn number(what: &str, value: &Value, least: u64, most: u64) -> Result<u64, Error> {
    let found = value.as_u64().filter(|number| (least..=most).contains(number));
    found.ok_or_else(|| {
        Error::config(format!("{what} has to be a number from {least} to {most}, not {value}"))
    })
}

impl Options {
    pub fn parse(config: &str) -> Result<Options, Error> {
        let config = table_settings::settings(config)?;
        let settings = object("the settings", &config)?;
        known("setting", settings, &KEYS)?;
        let charges = Charges::parse(settings)?;
        let usage = match settings.get("usage") {
            Some(Value::Array(entries)) => {
                entries.iter().map(Usage::parse).collect::<Result<Vec<Usage>, Error>>()?
            }
            Some(other) => {
                return Err(Error::config(format!("usage must be a list of tables, not {other}")));
            }
            None => Vec::new(),
        };
        if charges.is_none() && usage.is_empty() {
            return Err(lacks("the place of the rows", "rows = \"$.data[*]\""));
        }
        Ok(Options {
            ask: Ask::parse(settings)?,
            days: settings.get("days").map_or(Ok(DAYS_DEFAULT), |days| {
                // At most DAYS_MAX, so no digit is lost.
                number("days", days, 1, DAYS_MAX).map(|days| days as i32)
            })?,
            paging: settings
                .get("paging")
                .map_or(Ok(Paging { style: Style::OnePage, more: None, most: 1 }), Paging::parse)?,
            charges,
            usage,
            rename: settings.get("rename").map_or(Ok(Vec::new()), rename)?,
        })
    }

    /// The value of a name after renaming.
    pub fn renamed(&self, name: &str, value: String) -> String {
        let values = self.rename.iter().find(|(known, _)| known == name).map(|(_, values)| values);
        values
            .and_then(|values| values.iter().find(|(old, _)| *old == value))
            .map_or(value, |(_, new)| new.clone())
    }
}

fn rename(value: &Value) -> Result<Vec<(String, Vec<(String, String)>)>, Error> {
    object("rename", value)?
        .iter()
        .map(|(name, values)| Ok((name.clone(), texts_by_key(&format!("rename.{name}"), values)?)))
        .collect()
}

impl Ask {
    fn parse(settings: &Map<String, Value>) -> Result<Ask, Error> {
        let url = settings.get("url").ok_or_else(|| {
            lacks("url", "url = \"https://api.example.com/v1/costs?from={start}&to={end}\"")
        })?;
        let body = settings.get("body").map(|body| text("body", body)).transpose()?;
        let usual = if body.is_some() { Method::Post } else { Method::Get };
        Ok(Ask {
            url: text("url", url)?,
            method: settings.get("method").map_or(Ok(usual), |method| {
                word("method", method, &[("GET", Method::Get), ("POST", Method::Post)])
            })?,
            body,
            headers: settings
                .get("headers")
                .map_or(Ok(Vec::new()), |headers| texts_by_key("headers", headers))?,
            auth: settings.get("auth").map(auth).transpose()?,
            dates: settings.get("dates").map_or(Ok(Dates::Date), |dates| {
                word(
                    "dates",
                    dates,
                    &[
                        ("date", Dates::Date),
                        ("rfc3339", Dates::Rfc3339),
                        ("unix", Dates::Unix),
                        ("unix_ms", Dates::UnixMs),
                    ],
                )
            })?,
        })
    }
}

fn auth(value: &Value) -> Result<(String, Place), Error> {
    let auth = object("auth", value)?;
    known("key of auth", auth, &AUTH_KEYS)?;
    let line = "auth = { slot = \"token\", place = \"bearer\" }";
    let slot = text("auth.slot", auth.get("slot").ok_or_else(|| lacks("auth.slot", line))?)?;
    let name = || {
        text(
            "auth.name",
            auth.get("name").ok_or_else(|| {
                lacks(
                    "auth.name",
                    "auth = { slot = \"key\", place = \"header\", name = \"x-api-key\" }",
                )
            })?,
        )
    };
    let place = auth.get("place").ok_or_else(|| lacks("auth.place", line))?;
    Ok((
        slot,
        match word(
            "auth.place",
            place,
            &[("bearer", 0), ("basic", 1), ("header", 2), ("query", 3)],
        )? {
            0 => Place::Bearer,
            1 => Place::Basic(auth.get("user").map(|user| text("auth.user", user)).transpose()?),
            2 => Place::Header(name()?),
            _ => Place::Query(name()?),
        },
    ))
}

impl Paging {
    fn parse(value: &Value) -> Result<Paging, Error> {
        let paging = object("paging", value)?;
        known("key of paging", paging, &PAGING_KEYS)?;
        let needed = |key: &str| {
            paging.get(key).ok_or_else(|| {
                lacks(
                    &format!("paging.{key}"),
                    "paging = { style = \"cursor\", path = \"$.next\", parameter = \"cursor\" }",
                )
            })
        };
        let parameter = || text("paging.parameter", needed("parameter")?);
        let found = paging.get("path").map(|found| rows("paging.path", found)).transpose()?;
        let styles = [("next_link", 0), ("cursor", 1), ("page", 2), ("offset", 3)];
        let style = match word("paging.style", needed("style")?, &styles)? {
            0 => Style::NextLink(found),
            1 => Style::Cursor {
                path: rows("paging.path", needed("path")?)?,
                parameter: parameter()?,
            },
            2 => Style::Page {
                parameter: parameter()?,
                first: paging
                    .get("first")
                    .map_or(Ok(1), |first| number("paging.first", first, 0, 1))?,
            },
            _ => Style::Offset {
                parameter: parameter()?,
                size_parameter: paging
                    .get("size_parameter")
                    .map(|name| text("paging.size_parameter", name))
                    .transpose()?,
                size: number("paging.size", needed("size")?, 1, 1_000_000)?,
            },
        };
        Ok(Paging {
            style,
            more: paging.get("more").map(|more| rows("paging.more", more)).transpose()?,
            most: paging
                .get("most")
                .map_or(Ok(PAGES_DEFAULT), |most| number("paging.most", most, 1, 1_000_000))?,
        })
    }
}

impl Charges {
    fn parse(settings: &Map<String, Value>) -> Result<Option<Charges>, Error> {
        let Some(place) = settings.get("rows") else { return Ok(None) };
        let fields = froms(
            "fields",
            settings
                .get("fields")
                .ok_or_else(|| lacks("fields", "fields = { billed_cost = \"$.cost\", … }"))?,
        )?;
        let names = || FEED_COLUMNS.iter().map(|target| target.name).filter(|name| *name != "tags");
        if let Some((name, _)) = fields.iter().find(|(name, _)| !names().any(|known| known == name))
        {
            return Err(unknown("field", name, names()));
        }
        for (needed, line) in [
            ("billed_cost", "billed_cost = \"$.cost\""),
            ("charge_period_start", "charge_period_start = \"$.date\""),
            ("billing_currency", "billing_currency = \"USD\""),
            ("service_name", "service_name = \"$.service\""),
        ] {
            if !fields.iter().any(|(name, _)| name == needed) {
                return Err(lacks(&format!("fields.{needed}"), line));
            }
        }
        let skip = settings.get("skip").map_or(Ok(Vec::new()), |skip| {
            object("skip", skip)?
                .iter()
                .map(|(place, values)| {
                    let values = if values.is_string() {
                        vec![text("skip", values)?]
                    } else {
                        table_settings::texts("skip", values)?
                    };
                    Ok((path("skip", &Value::from(place.as_str()))?, values))
                })
                .collect::<Result<Vec<_>, Error>>()
        })?;
        Ok(Some(Charges {
            rows: rows("rows", place)?,
            fields,
            tags: settings.get("tags").map_or(Ok(Vec::new()), |tags| froms("tags", tags))?,
            all_tags: settings.get("all_tags").map(|tags| path("all_tags", tags)).transpose()?,
            skip,
            divide_by: settings
                .get("divide_by")
                .map_or(Ok(1), |by| number("divide_by", by, 1, 1_000_000_000))?
                as u32,
        }))
    }
}

impl Usage {
    fn parse(value: &Value) -> Result<Usage, Error> {
        let usage = object("an entry of usage", value)?;
        known("key of usage", usage, &USAGE_KEYS)?;
        let line = "[[sources.NAME.config.usage]]\nrows = \"$.data[*]\"\nmetric = \
            \"requests\"\nunit = \"requests\"\nvalue = \"$.count\"\nperiod_start = \"$.date\"";
        let needed = |key: &str| usage.get(key).ok_or_else(|| lacks(&format!("usage.{key}"), line));
        let found = |key: &str| from(&format!("usage.{key}"), needed(key)?);
        Ok(Usage {
            rows: rows("usage.rows", needed("rows")?)?,
            metric: found("metric")?,
            unit: found("unit")?,
            value: found("value")?,
            period_start: found("period_start")?,
            keys: usage.get("keys").map_or(Ok(Vec::new()), |keys| froms("usage.keys", keys))?,
            all_keys: usage.get("all_keys").map(|keys| path("usage.all_keys", keys)).transpose()?,
        })
    }
}
