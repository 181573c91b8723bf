//! Mappings of tables, of charges and of usage.

use super::{BatchRefusal, Intake, field};
use crate::capability::deliveries::billing_period;
use crate::wit::bindings::types as wit;
use domain::mapping::{
    Choice, Condition, Feed, FeedFrom, KeyFrom, Mapping, MetricFrom, Origin, Skip, TagColumn,
    TagMap, Term, UsageMapping, Value,
};
use domain::period::DateOrder;

impl Intake<'_> {
    pub(super) fn mapping(&mut self, mapping: wit::Mapping) -> Result<Mapping, BatchRefusal> {
        self.take_table(&mapping.table, false)?;
        let what = format!("its mapping of '{}'", mapping.table);
        let billing_period =
            billing_period(&what, mapping.billing_period.as_deref()).map_err(BatchRefusal::Junk)?;
        let mut feeds: Vec<FeedFrom> = Vec::with_capacity(mapping.feeds.len());
        for from in mapping.feeds {
            let feed = feed(from.feed);
            if feeds.iter().any(|known| known.feed == feed) {
                return Err(BatchRefusal::Junk(format!(
                    "its mapping of '{}' feeds {feed:?} twice",
                    mapping.table
                )));
            }
            feeds.push(FeedFrom { feed, origin: origin(from.origin) });
        }
        for needed in
            [Feed::BilledCost, Feed::EffectiveCost, Feed::BillingCurrency, Feed::ChargePeriodStart]
        {
            if !feeds.iter().any(|known| known.feed == needed) {
                return Err(BatchRefusal::Junk(format!(
                    "its mapping of '{}' does not feed {needed:?}",
                    mapping.table
                )));
            }
        }
        Ok(Mapping {
            table: mapping.table,
            feeds,
            tag_columns: mapping
                .tag_columns
                .into_iter()
                .map(|tag| TagColumn { key: tag.key, column: tag.column })
                .collect(),
            tag_maps: mapping.tag_maps.into_iter().map(tag_map).collect(),
            skips: skips(mapping.skips),
            nulls: mapping.nulls,
            date_order: date_order(mapping.date_order),
            tag_prefixes: mapping.tag_prefixes,
            short_rows: mapping.short_rows,
            billing_period,
        })
    }

    pub(super) fn usage_mapping(
        &mut self,
        mapping: wit::UsageMapping,
    ) -> Result<UsageMapping, BatchRefusal> {
        self.take_table(&mapping.table, true)?;
        if mapping.metrics.is_empty() {
            return Err(BatchRefusal::Junk(format!(
                "its mapping of '{}' names no metric",
                mapping.table
            )));
        }
        let named = mapping
            .metrics
            .iter()
            .flat_map(|from| [&from.metric, &from.unit])
            .chain(mapping.keys.iter().map(|from| &from.origin));
        if named
            .chain([&mapping.period_start])
            .any(|origin| matches!(origin, wit::Origin::FirstOf(_)))
        {
            return Err(BatchRefusal::Junk(format!(
                "its mapping of '{}' has choices, which usage cannot",
                mapping.table
            )));
        }
        let metric = |from: wit::MetricFrom| MetricFrom {
            metric: origin(from.metric),
            value: from.value,
            unit: origin(from.unit),
        };
        Ok(UsageMapping {
            table: mapping.table,
            period_start: origin(mapping.period_start),
            metrics: mapping.metrics.into_iter().map(metric).collect(),
            keys: mapping
                .keys
                .into_iter()
                .map(|from| KeyFrom { key: from.key, origin: origin(from.origin) })
                .collect(),
            tags: mapping.tags,
            skips: skips(mapping.skips),
            nulls: mapping.nulls,
            date_order: date_order(mapping.date_order),
        })
    }

    /// A table is mapped once to charges and once to usage: its rows would count double.
    fn take_table(&mut self, table: &str, as_usage: bool) -> Result<(), BatchRefusal> {
        if !self.tables.iter().any(|known| known.name == table) {
            return Err(BatchRefusal::Junk(format!(
                "it maps the table '{table}', which it was not granted"
            )));
        }
        if !self.mapped.insert((table.to_owned(), as_usage)) {
            return Err(BatchRefusal::Junk(format!(
                "it maps the table '{table}' twice, whose rows would count double"
            )));
        }
        Ok(())
    }
}

fn tag_map(map: wit::TagMap) -> TagMap {
    TagMap { column: map.column, from: map.from, to: map.to }
}

fn skips(skips: Vec<wit::Skip>) -> Vec<Skip> {
    skips.into_iter().map(|skip| Skip { column: skip.column, values: skip.values }).collect()
}

fn date_order(order: wit::DateOrder) -> DateOrder {
    match order {
        wit::DateOrder::Iso => DateOrder::Iso,
        wit::DateOrder::MonthDayYear => DateOrder::MonthDayYear,
        wit::DateOrder::DayMonthYear => DateOrder::DayMonthYear,
    }
}

fn feed(feed: wit::Feed) -> Feed {
    match feed {
        wit::Feed::Dimension(dimension) => Feed::Dimension(field(dimension)),
        wit::Feed::BilledCost => Feed::BilledCost,
        wit::Feed::EffectiveCost => Feed::EffectiveCost,
        wit::Feed::BillingCurrency => Feed::BillingCurrency,
        wit::Feed::ChargePeriodStart => Feed::ChargePeriodStart,
        wit::Feed::Tags => Feed::Tags,
        wit::Feed::BillingPeriodStart => Feed::BillingPeriodStart,
        wit::Feed::PricingQuantity => Feed::PricingQuantity,
        wit::Feed::ConsumedQuantity => Feed::ConsumedQuantity,
        wit::Feed::ListUnitPrice => Feed::ListUnitPrice,
        wit::Feed::ContractedUnitPrice => Feed::ContractedUnitPrice,
        wit::Feed::ListCost => Feed::ListCost,
        wit::Feed::ContractedCost => Feed::ContractedCost,
    }
}

fn origin(origin: wit::Origin) -> Origin {
    match origin {
        wit::Origin::Column(header) => Origin::Column(header),
        wit::Origin::Constant(value) => Origin::Constant(value),
        wit::Origin::FirstOf(choices) => Origin::FirstOf(choices.into_iter().map(choice).collect()),
    }
}

fn choice(choice: wit::Choice) -> Choice {
    let condition = |condition: wit::Condition| Condition {
        column: condition.column,
        values: condition.values,
        negated: condition.negated,
    };
    let term = |term: wit::Term| Term {
        column: term.column,
        subtract: term.subtract,
        member: term.member,
    };
    Choice {
        when: choice.when.into_iter().map(condition).collect(),
        value: match choice.value {
            wit::Value::Column(header) => Value::Column(header),
            wit::Value::Constant(value) => Value::Constant(value),
            wit::Value::Sum(terms) => Value::Sum(terms.into_iter().map(term).collect()),
        },
    }
}
