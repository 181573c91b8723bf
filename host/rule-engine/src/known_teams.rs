//! Teams as the tag schema and `tables/teams.csv` know them: one spelling and one cost center each.

use crate::code::RULE_TEAM;
use crate::decision::{Refusal, meant, refuse};
use crate::options::UnknownTeams;
use crate::table::{IS_AN_ACCOUNT, LookupTable, TEAMS, TableRow, Tables};
use domain::account::Account;
use domain::decision::Decision;
use domain::period::Day;
use domain::recipient::Target;
use domain::spread::Spread;
use domain::tag::{TagSchema, folded_value};
use std::sync::Arc;

const TEAM: &str = "team";
const COST_CENTER: &str = "cost_center";

#[derive(Clone, Debug)]
pub(crate) struct KnownTeams {
    pub(crate) tables: Arc<Tables>,
    pub(crate) tags: Arc<TagSchema>,
    pub(crate) unknown: UnknownTeams,
}

impl KnownTeams {
    fn table(&self) -> Option<&LookupTable> {
        self.tables.get(TEAMS)
    }

    /// Whether the table lists a team on some day. Without a table every team counts as listed.
    pub(crate) fn lists(&self, name: &str) -> bool {
        self.table().is_none_or(|table| table.row(&[name], None).is_some())
    }

    /// The listed team that a name is close to.
    pub(crate) fn close_to(&self, name: &str) -> Option<&str> {
        domain::diagnostic::did_you_mean(name, self.table()?.keys())
    }

    /// The team that a name means on a day, with its cost center, or the reason why it is none.
    pub(crate) fn team(&self, name: &str, day: Option<Day>) -> Result<Target, Refusal> {
        let spelled = self.tags.spelled(TEAM, name);
        let refused = |message: String| Refusal { code: RULE_TEAM, message };
        if Account::is_like(&spelled) {
            return Err(refused(format!(
                "'{spelled}' {IS_AN_ACCOUNT}; for a tag, give the value another name in \
                 [tags.team], such as values = {{ \"{spelled}\" = \"team-{}\" }}",
                spelled.replace('/', "-")
            )));
        }
        let Some(table) = self.table() else { return Ok(Target::team(spelled)) };
        match table.row(&[&spelled], day) {
            Some(row) => Ok(Target {
                team: shown(row, &spelled),
                cost_center: self.cost_center(table, row),
                ..Target::default()
            }),
            None if self.unknown != UnknownTeams::Refuse => Ok(Target::team(spelled)),
            None => Err(refused(match table.row(&[&spelled], None) {
                Some(_) => format!("the team '{spelled}' of tables/{TEAMS}.csv does not hold then"),
                None => format!(
                    "there is no team '{spelled}' in tables/{TEAMS}.csv{}",
                    meant(&spelled, table.keys())
                ),
            })),
        }
    }

    fn cost_center(&self, table: &LookupTable, row: &TableRow) -> Option<String> {
        let is_meant = |name: &&str| self.tags.canonical_key(name) == COST_CENTER;
        let column = table.header().skip(1).find(is_meant)?;
        row.cell(table.column(column).ok()?).map(ToString::to_string)
    }

    /// The decision with its teams as they are called on the day. A team that bears all of it has
    /// its cost center; shares get theirs when a day is shared.
    pub(crate) fn named(
        &self,
        mut decision: Decision,
        day: Option<Day>,
    ) -> Result<Decision, Refusal> {
        let bears_all = matches!(decision, Decision::Assign(_));
        for target in decision.targets_mut() {
            let team = self.team(&target.team, day)?;
            target.team = team.team;
            if bears_all && target.cost_center.is_none() {
                target.cost_center = team.cost_center;
            }
        }
        match decision.spread().and_then(Spread::listed_twice) {
            Some(recipient) => Err(refuse(format!(
                "the decision names {} twice, in two spellings",
                recipient.describe()
            ))),
            None => Ok(decision),
        }
    }

    /// The decision without the cost center that the team has by the table, as a case may say it.
    pub(crate) fn bare(&self, decision: &Decision, day: Option<Day>) -> Decision {
        let mut bare = decision.clone();
        for target in bare.targets_mut() {
            let Ok(team) = self.team(&target.team, day) else { continue };
            target.team = team.team;
            target.cost_center =
                target.cost_center.take().filter(|own| team.cost_center.as_ref() != Some(own));
        }
        bare
    }
}

/// The spelling of the table, where it differs only in letters that are folded.
fn shown(row: &TableRow, spelled: &str) -> String {
    match row.written() {
        Some(written) if folded_value(written) == folded_value(spelled) => written.to_owned(),
        _ => spelled.to_owned(),
    }
}
