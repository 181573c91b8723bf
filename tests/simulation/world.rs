//! The bills of a simulated estate, and the deliveries that bring them: complete, late, doubled,
//! corrected, lost or with junk.

use crate::random::Random;
use domain::charge::RawCharge;
use domain::code::PLUGIN_FAILED;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::period::{Day, Period};
use domain::port::{Batch, Rows};
use std::collections::{BTreeMap, BTreeSet};

pub const TEAMS: [&str; 6] = ["mobile", "ops", "payments", "platform", "search", "web"];
const ENVIRONMENTS: [&str; 3] = ["", "dev", "prod"];

/// A charge as the bill has it, in nanos.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub service: &'static str,
    /// The tag `team`; empty where there is none.
    pub team: &'static str,
    /// The tag `environment`; empty where there is none.
    pub environment: &'static str,
    pub billed: i64,
    pub effective: i64,
}

pub type Days = BTreeMap<Day, Vec<Line>>;

/// One source: its real bill, and the days that the ledger knows differently.
pub struct Bill {
    pub name: &'static str,
    pub currency: &'static str,
    pub days: Days,
    untold: BTreeSet<Day>,
}

/// The delivery of a source in one night.
pub struct Delivery {
    pub batches: Vec<Batch>,
    pub failure: Option<Diagnostic>,
    /// The days that it states, as the ledger has to have them afterwards.
    pub stated: Days,
    /// Rows that cannot be understood.
    pub junk: u64,
}

fn line(random: &mut Random) -> Line {
    let amount = |random: &mut Random| (random.below(50_000_000_000) + 1) as i64;
    let effective = amount(random);
    let billed = if random.per_mille(700) { effective } else { amount(random) };
    // A credit now and then.
    let sign = if random.per_mille(100) { -1 } else { 1 };
    let (billed, effective) = (sign * billed, sign * effective);
    let environment = ENVIRONMENTS[random.index(ENVIRONMENTS.len())];
    let shared = ["Tax", "Support", "Fee", "Idle", "Egress", "Compute"];
    let (service, team) = match random.below(2 * shared.len() as u64) {
        number if (number as usize) < shared.len() => (shared[number as usize], ""),
        _ => ("Compute", TEAMS[random.index(TEAMS.len())]),
    };
    Line { service, team, environment, billed, effective }
}

/// Two charges that cancel out, of one team and of two environments.
fn cancelling_pair(random: &mut Random) -> [Line; 2] {
    let one = Line { service: "Spare", team: "web", environment: "prod", ..line(random) };
    let (billed, effective) = (-one.billed, -one.effective);
    [one.clone(), Line { environment: "dev", billed, effective, ..one }]
}

/// Nanos as decimal text.
fn decimal(nanos: i64) -> String {
    let (sign, all) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    format!("{sign}{}.{:09}", all / 1_000_000_000, all % 1_000_000_000)
}

impl Bill {
    pub fn new(name: &'static str, currency: &'static str) -> Bill {
        Bill { name, currency, days: Days::new(), untold: BTreeSet::new() }
    }

    /// A day goes by: it has charges, and some earlier day may turn out otherwise.
    pub fn live(&mut self, random: &mut Random, today: Day) {
        let count = 4 + random.index(8);
        let mut lines: Vec<Line> = std::iter::repeat_with(|| line(random)).take(count).collect();
        if random.per_mille(100) {
            lines.extend(cancelling_pair(random));
        }
        self.days.insert(today, lines);
        self.untold.insert(today);
        let known: Vec<Day> = self.days.keys().copied().collect();
        let past = known[random.index(known.len())];
        let lines = self.days.entry(past).or_default();
        match random.below(6) {
            // A charge that comes late.
            0 => lines.push(line(random)),
            // A correction.
            1 if !lines.is_empty() => {
                let at = random.index(lines.len());
                lines[at].effective += random.below(1_000_000_007) as i64 + 1;
            }
            // A charge that is withdrawn, perhaps the last one of its day.
            2 => drop(lines.pop()),
            _ => return,
        }
        self.untold.insert(past);
    }

    /// Delivers the days that the ledger does not know yet, and now and then one that it knows.
    pub fn deliver(&mut self, random: &mut Random) -> Delivery {
        let mut days = self.untold.clone();
        if random.per_mille(300) {
            let known: Vec<Day> = self.days.keys().copied().collect();
            days.insert(known[random.index(known.len())]);
        }
        let stated: Days = days
            .iter()
            .map(|day| (*day, self.days.get(day).cloned().unwrap_or_default()))
            .collect();
        let mut charges: Vec<RawCharge> = stated
            .iter()
            .flat_map(|(day, lines)| lines.iter().map(|line| self.charge(*day, line)))
            .collect();
        random.shuffle(&mut charges);
        let junk = if random.per_mille(150) { 1 + random.below(3) } else { 0 };
        for _ in 0..junk {
            let at = random.index(charges.len() + 1);
            charges.insert(at, self.junk(random));
        }
        let complete = days.iter().filter_map(|day| Period::new(*day, day.plus(1)).ok()).collect();
        let mut batches: Vec<Batch> = charges
            .chunks(5)
            .map(|page| Batch { rows: Rows::Charges(page.to_vec()), ..Batch::default() })
            .collect();
        batches.push(Batch { complete, ..Batch::default() });
        if random.per_mille(150) {
            // The line goes down halfway, and everything is told again the next time.
            batches.truncate(batches.len() / 2);
            let failure = Diagnostic::new(PLUGIN_FAILED, "the line went down");
            return Delivery { batches, failure: Some(failure), stated: Days::new(), junk: 0 };
        }
        self.untold.clear();
        Delivery { batches, failure: None, stated, junk }
    }

    fn charge(&self, day: Day, line: &Line) -> RawCharge {
        let tags = [("team", line.team), ("environment", line.environment)];
        let tags = tags.into_iter().filter(|(_, value)| !value.is_empty());
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        RawCharge {
            charge_period_start: format!("{day}T00:00:00Z"),
            billed_cost: decimal(line.billed),
            effective_cost: decimal(line.effective),
            billing_currency: self.currency.into(),
            dimensions: vec![(Field::SERVICE_NAME, line.service.into())],
            tags,
            ..RawCharge::default()
        }
    }

    /// A row that no reader understands.
    fn junk(&self, random: &mut Random) -> RawCharge {
        let whole = Line { service: "Junk", team: "", environment: "", billed: 1, effective: 1 };
        let charge = self.charge(Day::of_instant(0), &whole);
        match random.below(3) {
            0 => RawCharge { billed_cost: "a lot".into(), ..charge },
            1 => RawCharge { charge_period_start: "yesterday".into(), ..charge },
            _ => RawCharge { billing_currency: "U$D".into(), ..charge },
        }
    }
}
