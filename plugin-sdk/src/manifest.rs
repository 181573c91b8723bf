//! What a plugin says of itself, piece by piece.

use crate::{Batch, Error, Feed, FeedFrom, Kind, Manifest, Origin, PowerRequest, Problem, Rows, Stream};

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

    /// Asks for a power; `reason` is what the operator reads who is asked to grant it.
    pub fn power(mut self, power: &str, reason: &str) -> Manifest {
        self.powers.push(PowerRequest { power: power.into(), reason: reason.into() });
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

    /// For how many days after a charge period its source may still change it.
    pub fn restated_for_days(mut self, days: u32) -> Manifest {
        self.restatement_days = Some(days);
        self
    }
}

impl Problem {
    pub fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), hint: None, table: None, column: None }
    }

    /// A command or line to type.
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

impl FeedFrom {
    pub fn column(feed: Feed, header: impl Into<String>) -> FeedFrom {
        FeedFrom { feed, origin: Origin::Column(header.into()) }
    }

    pub fn constant(feed: Feed, value: impl Into<String>) -> FeedFrom {
        FeedFrom { feed, origin: Origin::Constant(value.into()) }
    }
}
