//! Decisions as a person would say them: for findings, the functions' page and reports.

use crate::decision::{
    Basis, Bound, Candidates, Decision, Driver, DriverFilter, Limit, Price, Recipient, Spread,
    Target, Tier, Unknown, UsageDriver,
};
use crate::decision::{WhenNegative, WhenZero, Window};
use exact::decimal::shortest;

pub fn describe(decision: &Decision) -> String {
    match decision {
        Decision::Assign(recipient) => format!("assign {}", describe_recipient(recipient)),
        Decision::Spread(spread) => describe_spread(spread),
        Decision::Exclude { reason } => format!("exclude \"{reason}\""),
    }
}

pub fn describe_recipient(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Team(target) => describe_target(target),
        Recipient::Pool(rule) => format!("the pool {rule}"),
        Recipient::Unallocated => "unallocated".to_owned(),
    }
}

fn describe_target(target: &Target) -> String {
    let extra = [
        ("cost_center", &target.cost_center),
        ("environment", &target.environment),
        ("application", &target.application),
    ];
    let extra: Vec<String> = extra
        .iter()
        .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}={value}")))
        .collect();
    if extra.is_empty() {
        target.team.clone()
    } else {
        format!("{} ({})", target.team, extra.join(", "))
    }
}

fn describe_spread(spread: &Spread) -> String {
    let mut words = vec![describe_driver(&spread.by)];
    words.extend(spread.bounds.iter().map(describe_bound));
    match &spread.when_zero {
        WhenZero::Stay => {}
        WhenZero::Even => words.push("when_zero even".into()),
        WhenZero::Spread(fallback) => {
            words.push(format!("when_zero {}", describe_spread(fallback)))
        }
    }
    match spread.when_negative {
        WhenNegative::Zero => {}
        WhenNegative::Keep => words.push("when_negative keep".into()),
        WhenNegative::Stay => words.push("when_negative stay".into()),
    }
    words.join(" ")
}

pub fn describe_driver(driver: &Driver) -> String {
    match driver {
        Driver::Fixed(weights) => {
            let parts: Vec<String> = weights
                .iter()
                .map(|(recipient, weight)| format!("{} {weight}", describe_recipient(recipient)))
                .collect();
            format!("split {}", parts.join(", "))
        }
        Driver::Cost { among, filter, basis } => {
            let mut words = vec!["by_cost".to_owned(), describe_among(among)];
            words.extend(describe_filter(filter));
            if *basis == Basis::Billed {
                words.push("basis billed_cost".into());
            }
            words.join(" ")
        }
        Driver::Usage(usage) => format!("by_usage {}", describe_usage(usage)),
        Driver::Tiers(tiers) => {
            let tier = |tier: &Tier| match tier.upto {
                Some(upto) => format!("up to {upto}: {}", describe_spread(&tier.spread)),
                None => format!("beyond: {}", describe_spread(&tier.spread)),
            };
            format!("tiered {}", tiers.iter().map(tier).collect::<Vec<_>>().join("; "))
        }
        Driver::RateCard { usage, prices, remainder } => {
            let prices: Vec<String> = prices.iter().map(describe_price).collect();
            format!(
                "rate_card {} at {}, remainder to {}",
                describe_usage(usage),
                prices.join(", "),
                describe_recipient(remainder)
            )
        }
        Driver::Plugin { plugin, config, among, metrics } => {
            let metrics = if metrics.is_empty() {
                String::new()
            } else {
                format!(" with {}", metrics.join(", "))
            };
            format!("plugin {plugin} {config} {}{metrics}", describe_among(among))
        }
    }
}

fn describe_among(among: &Candidates) -> String {
    match among {
        Candidates::AllTeams => "all teams".into(),
        Candidates::Listed(targets) => {
            targets.iter().map(describe_target).collect::<Vec<_>>().join(", ")
        }
    }
}

fn describe_filter(filter: &DriverFilter) -> impl Iterator<Item = String> {
    filter.iter().map(|(key, value)| format!("where {key} = \"{value}\""))
}

fn describe_usage(usage: &UsageDriver) -> String {
    let mut words = vec![usage.metric.clone()];
    if let Candidates::Listed(_) = usage.among {
        words.push(format!("of {}", describe_among(&usage.among)));
    }
    words.extend(describe_filter(&usage.filter));
    if usage.key != "team" {
        words.push(format!("key {}", usage.key));
    }
    words.extend(usage.table.iter().map(|table| format!("table {table}")));
    words.extend(
        usage
            .recipients
            .iter()
            .map(|(value, recipient)| format!("{value} → {}", describe_recipient(recipient))),
    );
    match &usage.unknown {
        Unknown::To(Recipient::Unallocated) => {}
        Unknown::To(recipient) => words.push(format!("unknown {}", describe_recipient(recipient))),
        Unknown::Ignore => words.push("unknown ignore".into()),
    }
    match usage.window {
        Window::Days(1) => {}
        Window::Days(days) => words.push(format!("window {days} days")),
        Window::Month => words.push("window month".into()),
    }
    words.join(" ")
}

fn describe_price(price: &Price) -> String {
    let amount = shortest(price.price.0, 18);
    match price.upto {
        Some(upto) => format!("{amount} up to {}", upto.plain()),
        None => amount,
    }
}

fn describe_bound(bound: &Bound) -> String {
    let limit = |limit: Limit| match limit {
        Limit::Amount(amount) => amount.to_string(),
        Limit::Part(millionths) => format!("{}%", shortest(millionths.into(), 4)),
    };
    let least =
        bound.at_least.map(|least| format!(" at least {}", limit(least))).unwrap_or_default();
    let most = bound.at_most.map(|most| format!(" at most {}", limit(most))).unwrap_or_default();
    format!("{}{least}{most}", describe_recipient(&bound.recipient))
}
