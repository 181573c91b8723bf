//! The rules of an estate: their meaning, drawn from a seed, and their texts for the product. Only
//! the texts are handed to it.

use crate::random::Random;
use rule_engine::options::RuleOptions;
use rule_engine::set::RuleSet;

/// The cost that counts as a team's weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightBasis {
    Direct,
    Billed,
    Allocated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightWindow {
    Day,
    Week,
    Month,
}

/// One way to share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By accounts.
    Split(Vec<(&'static str, i128)>),
    Cost(CostWay),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostWay {
    pub basis: WeightBasis,
    pub window: WeightWindow,
    /// Only costs with this tag count.
    pub environment: Option<&'static str>,
    /// All teams, or the listed ones. These share evenly where none has a weight.
    pub among: Option<[&'static str; 2]>,
}

/// A service whose charges a rule shares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedService {
    pub service: &'static str,
    pub account: &'static str,
    pub priority: u64,
    pub way: Way,
}

/// A team that serves others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServingTeam {
    pub team: &'static str,
    pub account: &'static str,
    pub way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub shared: Vec<SharedService>,
    /// The idle pool, and the network pool that it may feed.
    pub idle: Way,
    pub network: Way,
    /// In the order of priority.
    pub serving: Vec<ServingTeam>,
    /// Whether serving teams that feed each other are taken one after another.
    pub steps_down: bool,
}

pub const IDLE: &str = "pool/pools/idle";
pub const NETWORK: &str = "pool/pools/network";
const SHARED: [(&str, &str); 3] =
    [("Tax", "pool/shared/tax"), ("Support", "pool/shared/support"), ("Fee", "pool/shared/fee")];
const LISTS: [[&str; 2]; 3] = [["mobile", "search"], ["payments", "web"], ["platform", "search"]];

impl Way {
    pub fn weighs_allocated(&self) -> bool {
        matches!(self, Way::Cost(way) if way.basis == WeightBasis::Allocated)
    }

    pub fn feeds(&self, account: &str) -> bool {
        matches!(self, Way::Split(weights) if weights.iter().any(|(to, _)| *to == account))
    }

    /// As a rule says it.
    fn text(&self) -> String {
        match self {
            Way::Split(weights) => {
                let pair = |(account, weight): &(&str, i128)| match account.split_once('/') {
                    Some(("pool", rule)) => format!("[pool(\"{rule}\"), {weight}]"),
                    Some((_, team)) => format!("[\"{team}\", {weight}]"),
                    None => format!("[\"{account}\", {weight}]"),
                };
                format!("split([{}])", weights.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
            Way::Cost(way) => way.text(),
        }
    }
}

impl CostWay {
    fn text(&self) -> String {
        let basis = match self.basis {
            WeightBasis::Direct => "direct",
            WeightBasis::Billed => "billed_cost",
            WeightBasis::Allocated => "allocated",
        };
        let window = match self.window {
            WeightWindow::Day => "day",
            WeightWindow::Week => "week",
            WeightWindow::Month => "month",
        };
        let teams = self.among.map_or_else(String::new, |[a, b]| format!("[\"{a}\", \"{b}\"], "));
        let filter =
            self.environment.map_or_else(String::new, |it| format!("environment: \"{it}\""));
        let zero = if self.among.is_some() { ", when_zero: \"even\"" } else { "" };
        format!(
            "by_cost({teams}#{{{filter}}}, #{{basis: \"{basis}\", window: \"{window}\"{zero}}})"
        )
    }
}

fn split(random: &mut Random, accounts: &[&'static str]) -> Way {
    Way::Split(accounts.iter().map(|to| (*to, i128::from(1 + random.below(99)))).collect())
}

fn by_cost(random: &mut Random, bases: &[WeightBasis]) -> Way {
    Way::Cost(CostWay {
        basis: bases[random.index(bases.len())],
        window: [WeightWindow::Day, WeightWindow::Week, WeightWindow::Month][random.index(3)],
        environment: [None, None, Some("prod")][random.index(3)],
        among: random.per_mille(300).then(|| LISTS[random.index(LISTS.len())]),
    })
}

const ANY: [WeightBasis; 4] =
    [WeightBasis::Direct, WeightBasis::Billed, WeightBasis::Allocated, WeightBasis::Allocated];

fn serving(random: &mut Random) -> Vec<ServingTeam> {
    let platform = |way| ServingTeam { team: "platform", account: "team/platform", way };
    let ops = |way| ServingTeam { team: "ops", account: "team/ops", way };
    match random.below(5) {
        0 => Vec::new(),
        1 => vec![platform(by_cost(random, &[WeightBasis::Direct]))],
        2 => vec![
            platform(split(random, &["team/search", "team/ops"])),
            ops(split(random, &["team/web", "team/mobile"])),
        ],
        _ => vec![
            platform(split(random, &["team/search", "team/ops", "team/mobile"])),
            ops(split(random, &["team/web", "team/platform"])),
        ],
    }
}

impl Meaning {
    pub fn draw(random: &mut Random) -> Meaning {
        let mut priorities = [10, 20, 30];
        random.shuffle(&mut priorities);
        let shared = SHARED.iter().zip(priorities);
        let shared = shared.map(|((service, account), priority)| {
            let way = match random.below(4) {
                0 => split(random, &["team/payments", "team/search", IDLE]),
                1 => split(random, &["team/platform", "team/web"]),
                _ => by_cost(random, &ANY),
            };
            SharedService { service, account, priority, way }
        });
        let shared = shared.collect();
        let idle = match random.below(3) {
            0 => split(random, &["team/search", "team/web"]),
            1 => split(random, &["team/search", NETWORK]),
            _ => by_cost(random, &ANY),
        };
        let network = match random.below(2) {
            0 => split(random, &["team/mobile", "team/ops"]),
            _ => by_cost(random, &[WeightBasis::Direct, WeightBasis::Billed]),
        };
        let (serving, steps_down) = (serving(random), random.per_mille(300));
        Meaning { shared, idle, network, serving, steps_down }
    }

    pub fn rules(&self) -> RuleSet {
        let rule = |id: &str, header: &str, matches: &str, decision: &str| {
            let matches = match matches {
                "" => String::new(),
                _ => format!("fn matches(charge) {{ {matches} }}\n"),
            };
            let head = format!("//! A rule.\nrule(#{{ {header} }});\n");
            (id.to_owned(), format!("{head}{matches}fn allocate(it) {{ {decision} }}\n"))
        };
        let service = |name: &str| format!("charge.service_name == \"{name}\"");
        let mut texts = vec![
            rule("shared/waste", "priority: 40", &service("Idle"), "assign(pool(\"pools/idle\"))"),
            rule(
                "shared/egress",
                "priority: 41",
                &service("Egress"),
                "assign(pool(\"pools/network\"))",
            ),
            rule(
                "direct/team",
                "priority: 50",
                "charge.has_tag(\"team\")",
                "assign(it.tag(\"team\"))",
            ),
        ];
        for SharedService { service: name, account, priority, way } in &self.shared {
            let id = account.trim_start_matches("pool/");
            texts.push(rule(id, &format!("priority: {priority}"), &service(name), &way.text()));
        }
        for (account, priority, way) in [(IDLE, 60, &self.idle), (NETWORK, 61, &self.network)] {
            let header = format!("priority: {priority}, stage: \"distribution\"");
            texts.push(rule(account.trim_start_matches("pool/"), &header, "", &way.text()));
        }
        for (priority, ServingTeam { team, way, .. }) in (70..).zip(&self.serving) {
            let mutual = if self.steps_down { ", mutual: \"step_down\"" } else { "" };
            let header =
                format!("priority: {priority}, stage: \"cascade\", team: \"{team}\"{mutual}");
            texts.push(rule(&format!("serving/{team}"), &header, "", &way.text()));
        }
        RuleSet::from_sources(&texts, &[], &RuleOptions::default())
            .unwrap_or_else(|findings| panic!("{self:?}: {findings:?}"))
    }
}
