//! Everybody who can get an amount or a share: teams, pools, and nobody known.

/// A team that bears a cost, as a rule names it.
///
/// Cost center, environment and application are dimensions of the posting. They are not accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target {
    pub team: String,
    pub cost_center: Option<String>,
    pub environment: Option<String>,
    pub application: Option<String>,
}

impl Target {
    pub fn team(team: impl Into<String>) -> Target {
        Target { team: team.into(), ..Target::default() }
    }

    pub fn describe(&self) -> String {
        let extra = [
            ("cost_center", &self.cost_center),
            ("environment", &self.environment),
            ("application", &self.application),
        ];
        let extra: Vec<String> = extra
            .iter()
            .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")))
            .collect();
        if extra.is_empty() {
            self.team.clone()
        } else {
            format!("{} ({})", self.team, extra.join(", "))
        }
    }
}

/// Gets an amount, or a share of one.
///
/// The order of recipients is part of the product: amounts are split in it, so that a rest of a
/// nano always falls to the same recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Recipient {
    Team(Target),
    /// The pool of the distribution rule with this id.
    Pool(String),
    /// Nobody known. The amount stays visible.
    Unallocated,
}

impl Recipient {
    pub fn team(team: impl Into<String>) -> Recipient {
        Recipient::Team(Target::team(team))
    }

    pub fn target(&self) -> Option<&Target> {
        match self {
            Recipient::Team(target) => Some(target),
            Recipient::Pool(_) | Recipient::Unallocated => None,
        }
    }

    pub fn target_mut(&mut self) -> Option<&mut Target> {
        match self {
            Recipient::Team(target) => Some(target),
            Recipient::Pool(_) | Recipient::Unallocated => None,
        }
    }

    /// As a person would say it, for findings and reports.
    pub fn describe(&self) -> String {
        match self {
            Recipient::Team(target) => target.describe(),
            Recipient::Pool(rule) => format!("the pool {rule}"),
            Recipient::Unallocated => "unallocated".to_owned(),
        }
    }
}

impl From<Target> for Recipient {
    fn from(target: Target) -> Recipient {
        Recipient::Team(target)
    }
}
