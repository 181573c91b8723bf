//! What a survey remembers of the pages on their way to the run.

use crate::watched_collector::{WatchedCollector, Watcher};
use decode::describe;
use domain::charge::KeptDetails;
use domain::field::Field;
use domain::mapping::{Choice, Feed, Mapping, Origin, UsageMapping, Value};
use domain::port::{Batch, CollectRequest, Collector, Delivery, Rows};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The findings on the way: deliveries, and the columns of mapped tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finds {
    /// Those that count and those that are left out, in the order of the plugin.
    pub deliveries: Vec<Delivery>,
    /// The headers of all mapped tables, each once.
    headers: Vec<String>,
    known: BTreeSet<String>,
    used: BTreeSet<String>,
    tables: BTreeSet<String>,
}

impl Finds {
    /// The headers that nothing is made of.
    pub fn unused_columns(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(String::as_str).filter(|header| !self.used.contains(*header))
    }

    fn look_at(&mut self, request: &CollectRequest, kept: &Kept, batch: &Batch) {
        self.deliveries.extend(batch.deliveries.iter().cloned());
        let table = match &batch.rows {
            Rows::Mapped(mapping) => {
                let mut name = |column: &str| self.used.insert(column.into());
                charge_columns(mapping, kept, &mut name);
                &mapping.table
            }
            Rows::MappedUsage(mapping) => {
                usage_columns(mapping, &mut |column| self.used.insert(column.into()));
                &mapping.table
            }
            Rows::Charges(_) | Rows::Table(_) => return,
        };
        if !self.tables.insert(table.clone()) {
            return;
        }
        // A table that cannot be described fails its source a moment later, with the reason.
        let facts = request.tables.iter().find(|known| known.name == *table).map(describe);
        for column in facts.and_then(Result::ok).into_iter().flat_map(|facts| facts.columns) {
            if self.known.insert(column.name.clone()) {
                self.headers.push(column.name);
            }
        }
    }
}

/// The place that a witness writes its finds to.
#[derive(Clone, Default)]
pub struct FindsOfSource(Arc<Mutex<Finds>>);

impl FindsOfSource {
    pub fn take(&self) -> Finds {
        std::mem::take(&mut *self.open())
    }

    fn open(&self) -> MutexGuard<'_, Finds> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the settings keep of charges. A column of anything else is not used.
pub struct Kept {
    pub dimensions: Vec<Field>,
    pub details: KeptDetails,
}

impl Kept {
    fn keeps(&self, feed: Feed, mapping: &Mapping) -> bool {
        match feed {
            Feed::BilledCost
            | Feed::EffectiveCost
            | Feed::BillingCurrency
            | Feed::ChargePeriodStart
            | Feed::Tags => true,
            // The table's delivery may tell it for all rows.
            Feed::BillingPeriodStart => mapping.billing_period.is_none(),
            Feed::Dimension(field) if self.dimensions.contains(&field) => true,
            detail => self.details.keeps(detail),
        }
    }
}

/// Remembers what it saw.
pub struct Witness {
    kept: Kept,
    finds: FindsOfSource,
}

impl Witness {
    pub fn of(
        collector: Arc<dyn Collector>,
        kept: Kept,
    ) -> (WatchedCollector<Witness>, FindsOfSource) {
        let finds = FindsOfSource::default();
        let watcher = Witness { kept, finds: finds.clone() };
        (WatchedCollector { collector, watcher }, finds)
    }
}

impl Watcher for Witness {
    fn begin(&self) {
        drop(self.finds.take());
    }

    fn see(&self, request: &CollectRequest, batch: &Batch) {
        self.finds.open().look_at(request, &self.kept, batch);
    }
}

/// Hands out the columns that charges are made of.
fn charge_columns(mapping: &Mapping, kept: &Kept, name: &mut dyn FnMut(&str) -> bool) {
    for from in mapping.feeds.iter().filter(|from| kept.keeps(from.feed, mapping)) {
        origin_columns(&from.origin, name);
    }
    for column in mapping.tag_columns.iter().map(|tag| &tag.column) {
        name(column);
    }
    for column in mapping.tag_maps.iter().map(|map| &map.column) {
        name(column);
    }
    for column in mapping.skips.iter().map(|skip| &skip.column) {
        name(column);
    }
}

/// Hands out the columns that usage is made of.
fn usage_columns(mapping: &UsageMapping, name: &mut dyn FnMut(&str) -> bool) {
    origin_columns(&mapping.period_start, name);
    for metric in &mapping.metrics {
        origin_columns(&metric.metric, name);
        origin_columns(&metric.unit, name);
        name(&metric.value);
    }
    mapping.keys.iter().for_each(|key| origin_columns(&key.origin, name));
    for column in mapping.tags.iter().chain(mapping.skips.iter().map(|skip| &skip.column)) {
        name(column);
    }
}

fn origin_columns(origin: &Origin, name: &mut dyn FnMut(&str) -> bool) {
    match origin {
        Origin::Column(column) => {
            name(column);
        }
        Origin::Constant(_) => {}
        Origin::FirstOf(choices) => choices.iter().for_each(|choice| choice_columns(choice, name)),
    }
}

fn choice_columns(choice: &Choice, name: &mut dyn FnMut(&str) -> bool) {
    for condition in &choice.when {
        name(&condition.column);
    }
    match &choice.value {
        Value::Column(column) => {
            name(column);
        }
        Value::Constant(_) => {}
        Value::Sum(terms) => {
            for term in terms {
                name(&term.column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::diagnostic::Diagnostic;
    use domain::mapping::{Condition, FeedFrom, Skip, TagColumn, TagMap, Term};
    use domain::period::DateOrder;
    use domain::port::{GrantedTable, PluginIdentity};
    use domain::text_form::TextForm;
    use std::io::Write;
    use std::path::Path;

    /// A plugin that maps one table in two pages, with a delivery before each.
    struct TwoPages {
        identity: PluginIdentity,
        mapping: Mapping,
    }

    impl TwoPages {
        /// Maps more columns than the others do.
        fn new(more: Vec<FeedFrom>) -> TwoPages {
            let mut mapping = mapping();
            mapping.feeds.extend(more);
            let identity =
                PluginIdentity { name: "p".into(), version: "1".into(), digest: String::new() };
            TwoPages { identity, mapping }
        }
    }

    fn witness(
        plugin: TwoPages,
        details: KeptDetails,
    ) -> (WatchedCollector<Witness>, FindsOfSource) {
        Witness::of(Arc::new(plugin), Kept { dimensions: vec![Field::SERVICE_NAME], details })
    }

    impl Collector for TwoPages {
        fn identity(&self) -> &PluginIdentity {
            &self.identity
        }

        fn check(&self, _: &CollectRequest) -> Result<Vec<Diagnostic>, Diagnostic> {
            Ok(Vec::new())
        }

        fn collect(
            &self,
            _: &CollectRequest,
            sink: &mut dyn FnMut(Batch) -> Result<(), Diagnostic>,
        ) -> Result<(), Diagnostic> {
            for (name, left_out) in [("new", None), ("old", Some("a newer one is there".into()))] {
                let delivery = Delivery { name: name.into(), billing_period: None, left_out };
                let rows = Rows::Mapped(self.mapping.clone());
                sink(Batch { rows, deliveries: vec![delivery], ..Batch::default() })?;
            }
            Ok(())
        }
    }

    fn mapping() -> Mapping {
        let column = |feed, name: &str| FeedFrom { feed, origin: Origin::Column(name.into()) };
        let effective = Choice {
            when: vec![Condition {
                column: "kind".into(),
                values: vec!["plan".into()],
                negated: false,
            }],
            value: Value::Sum(vec![Term { column: "fee".into(), subtract: false, member: None }]),
        };
        let empty = Mapping {
            table: "bill.csv".into(),
            feeds: Vec::new(),
            tag_columns: vec![TagColumn { key: "team".into(), column: "user:team".into() }],
            tag_maps: vec![TagMap {
                column: "labels".into(),
                from: String::new(),
                to: String::new(),
            }],
            skips: vec![Skip { column: "level".into(), values: vec!["total".into()] }],
            nulls: Vec::new(),
            date_order: DateOrder::Iso,
            tag_prefixes: Vec::new(),
            short_rows: false,
            billing_period: None,
        };
        let feeds = vec![
            column(Feed::BilledCost, "cost"),
            column(Feed::Dimension(Field::SERVICE_NAME), "service"),
            column(Feed::Dimension(Field::REGION_ID), "region"),
            FeedFrom { feed: Feed::EffectiveCost, origin: Origin::FirstOf(vec![effective]) },
        ];
        Mapping { feeds, ..empty }
    }

    fn request(bill: &Path) -> CollectRequest {
        CollectRequest {
            source: "bills".into(),
            config: "{}".into(),
            period: None,
            state: None,
            now: "2026-03-01T00:00:00Z".into(),
            tables: vec![GrantedTable {
                name: "bill.csv".into(),
                path: bill.into(),
                form: TextForm::default(),
            }],
        }
    }

    #[test]
    fn a_column_is_unused_if_no_feed_that_is_kept_condition_sum_tag_or_skip_names_it() {
        let mut bill = tempfile::NamedTempFile::new().expect("a file");
        bill.write_all(b"invoice,cost,service,region,kind,fee,user:team,labels,level,note\n")
            .expect("a header");
        let (witness, finds) = witness(TwoPages::new(Vec::new()), KeptDetails::NONE);
        let request = request(bill.path());
        let mut pages = 0;
        // The second try counts, and not both.
        for _ in 0..2 {
            witness
                .collect(&request, &mut |_| {
                    pages += 1;
                    Ok(())
                })
                .expect("two pages");
        }
        let finds = finds.take();
        assert_eq!(pages, 4);
        // The settings do not keep the region.
        let unused: Vec<&str> = finds.unused_columns().collect();
        assert_eq!(unused, ["invoice", "region", "note"]);
        let names: Vec<(&str, bool)> = finds
            .deliveries
            .iter()
            .map(|delivery| (delivery.name.as_str(), delivery.left_out.is_some()))
            .collect();
        assert_eq!(names, [("new", false), ("old", true)]);
    }

    /// The billing period of every row is that of the table's delivery.
    #[test]
    fn what_details_are_made_of_is_used_if_the_settings_keep_them() {
        let mut bill = tempfile::NamedTempFile::new().expect("a file");
        bill.write_all(b"month,invoice,issuer,unit,amount,meter,list,price\n").expect("a header");
        let column = |feed, name: &str| FeedFrom { feed, origin: Origin::Column(name.into()) };
        let unused = |details: KeptDetails| {
            let mut plugin = TwoPages::new(vec![
                column(Feed::BillingPeriodStart, "month"),
                column(Feed::Dimension(Field::INVOICE_ID), "invoice"),
                column(Feed::Dimension(Field::INVOICE_ISSUER_NAME), "issuer"),
                column(Feed::Dimension(Field::PRICING_UNIT), "unit"),
                column(Feed::PricingQuantity, "amount"),
                column(Feed::Dimension(Field::CONSUMED_UNIT), "meter"),
                column(Feed::ListCost, "list"),
                column(Feed::ListUnitPrice, "price"),
            ]);
            plugin.mapping.billing_period = "2026-03-01".parse().ok();
            let (witness, finds) = witness(plugin, details);
            witness.collect(&request(bill.path()), &mut |_| Ok(())).expect("two pages");
            finds.take().unused_columns().collect::<Vec<_>>().join(" ")
        };
        let none = KeptDetails::NONE;
        assert_eq!(unused(none), "month invoice issuer unit amount meter list price");
        assert_eq!(unused(KeptDetails::ALL), "month");
        for (details, expect) in [
            (KeptDetails { prices: true, ..none }, "month invoice issuer amount meter"),
            (KeptDetails { quantities: true, ..none }, "month invoice issuer list price"),
            (KeptDetails { invoice: true, ..none }, "month unit amount meter list price"),
        ] {
            assert_eq!(unused(details), expect);
        }
    }
}
