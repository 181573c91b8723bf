//! Builders for the manifest, problems and mappings.

use crate::{
    Batch, Charge, Choice, Condition, DateOrder, Error, Feed, FeedFrom, Kind, Manifest, Mapping,
    Origin, PowerRequest, Problem, Rows, Stream, Term, Value,
};

impl Manifest {
    /// A manifest without powers, whose settings may be anything.
    pub fn new(kind: Kind, name: &str, version: &str, description: &str) -> Manifest {
        Manifest {
            name: name.into(),
            version: version.into(),
            description: description.into(),
            kind,
            powers: Vec::new(),
            config_schema: "{}".into(),
            streams: Vec::new(),
            restatement_days: None,
        }
    }

    /// Asks for a power. The operator reads `reason` before granting it.
    pub fn power(mut self, power: &str, reason: &str) -> Manifest {
        self.powers.push(PowerRequest {
            power: power.into(),
            reason: reason.into(),
            optional: false,
        });
        self
    }

    /// Asks for a power that the plugin can do without.
    pub fn optional_power(mut self, power: &str, reason: &str) -> Manifest {
        self.powers.push(PowerRequest {
            power: power.into(),
            reason: reason.into(),
            optional: true,
        });
        self
    }

    /// The JSON schema of the settings, as text.
    pub fn config_schema(mut self, schema: &str) -> Manifest {
        self.config_schema = schema.into();
        self
    }

    pub fn stream(mut self, name: &str, description: &str) -> Manifest {
        self.streams.push(Stream { name: name.into(), description: description.into() });
        self
    }

    /// How many days after a charge period its source may still change it.
    pub fn restated_for_days(mut self, days: u32) -> Manifest {
        self.restatement_days = Some(days);
        self
    }
}

impl Problem {
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), hint: None, table: None, column: None }
    }

    /// Adds a command or a line of the settings that mends the problem.
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }

    pub fn table(mut self, table: impl Into<String>) -> Problem {
        self.table = Some(table.into());
        self
    }

    pub fn column(mut self, column: impl Into<String>) -> Problem {
        self.column = Some(column.into());
        self
    }
}

impl Error {
    /// The settings of the source are wrong.
    pub fn config(message: impl Into<String>) -> Error {
        Error::Config(Problem::new(message))
    }
}

impl Batch {
    pub fn new(rows: Rows) -> Batch {
        Batch { rows, usage: Vec::new(), rejected: Vec::new(), state: None }
    }
}

impl Default for Charge {
    /// A charge that says nothing yet.
    fn default() -> Charge {
        Charge {
            charge_period_start: String::new(),
            billed_cost: String::new(),
            effective_cost: String::new(),
            billing_currency: String::new(),
            service_name: String::new(),
            charge_category: String::new(),
            billing_period_start: None,
            pricing_quantity: None,
            consumed_quantity: None,
            list_unit_price: None,
            contracted_unit_price: None,
            list_cost: None,
            contracted_cost: None,
            dimensions: Vec::new(),
            tags: Vec::new(),
        }
    }
}

impl FeedFrom {
    pub fn column(feed: Feed, header: impl Into<String>) -> FeedFrom {
        FeedFrom { feed, origin: Origin::Column(header.into()) }
    }

    pub fn constant(feed: Feed, value: impl Into<String>) -> FeedFrom {
        FeedFrom { feed, origin: Origin::Constant(value.into()) }
    }

    pub fn first_of(feed: Feed, choices: Vec<Choice>) -> FeedFrom {
        FeedFrom { feed, origin: Origin::FirstOf(choices) }
    }
}

impl Mapping {
    /// A mapping of a table that feeds nothing yet.
    pub fn new(table: impl Into<String>) -> Mapping {
        Mapping {
            table: table.into(),
            feeds: Vec::new(),
            tag_columns: Vec::new(),
            tag_maps: Vec::new(),
            skips: Vec::new(),
            nulls: Vec::new(),
            date_order: DateOrder::Iso,
            tag_prefixes: Vec::new(),
            short_rows: false,
            billing_period: None,
        }
    }

    /// The billing period that the table's delivery states as a whole. `start` is its first day,
    /// such as `2026-03-01`.
    #[must_use]
    pub fn billing_period(self, start: impl Into<String>) -> Mapping {
        Mapping { billing_period: Some(start.into()), ..self }
    }
}

impl Choice {
    /// A choice that always fits.
    pub fn always(value: Value) -> Choice {
        Choice { when: Vec::new(), value }
    }

    /// A choice that fits where the cell of a column is one of `values`.
    pub fn when(column: impl Into<String>, values: &[&str], value: Value) -> Choice {
        Choice::always(value).and(column, values)
    }

    pub fn and(mut self, column: impl Into<String>, values: &[&str]) -> Choice {
        self.when.push(Condition {
            column: column.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
            negated: false,
        });
        self
    }

    /// Narrows the choice to rows where the cell of a column is not empty.
    pub fn and_filled(mut self, column: impl Into<String>) -> Choice {
        self.when.push(Condition {
            column: column.into(),
            values: vec![String::new()],
            negated: true,
        });
        self
    }
}

impl Term {
    pub fn plus(column: impl Into<String>) -> Term {
        Term { column: column.into(), subtract: false, member: None }
    }

    pub fn minus(column: impl Into<String>) -> Term {
        Term { subtract: true, ..Term::plus(column) }
    }
}
