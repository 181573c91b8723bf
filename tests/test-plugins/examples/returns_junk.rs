//! Returns a batch that is wrong in the way that its settings name.

use apportion_plugin_sdk::{
    Batch, Collector, Dimension, Error, Feed, FeedFrom, Field, Manifest, Mapping, Request, Rows,
    register_collector,
};

struct Guest(String);

impl Collector for Guest {
    fn manifest() -> Manifest {
        test_plugins::collector("returns-junk").power("table-decode", "to have something to map")
    }

    fn open(request: Request) -> Result<Guest, Error> {
        Ok(Guest(request.config))
    }

    fn next(&mut self) -> Result<Option<Batch>, Error> {
        let json = |text: &str| Rows::Json(text.into());
        let rows = match self.0.as_str() {
            "json-broken" => json("[{]"),
            "json-not-utf8" => Rows::Json(vec![b'[', b'"', 0xff, b'"', b']']),
            "json-not-rows" => json("{}"),
            "json-unknown-field" => json(r#"[{"bild_cost": "1"}]"#),
            "json-twice" => json(r#"[{"billed_cost": "1", "billed_cost": "2"}]"#),
            "json-number" => json(r#"[{"billed_cost": 1.5}]"#),
            "json-lacks" => json(r#"[{"billed_cost": "1"}]"#),
            "json-more" => json("[] []"),
            "json-deep" => Rows::Json(vec![b'['; 1 << 20]),
            "arrow-broken" => Rows::Arrow(vec![0x5a; 4096]),
            "arrow-huge" => {
                Rows::Arrow(vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4])
            }
            "arrow-cut" => Rows::Arrow(include_bytes!("../fixtures/charges.arrow")[..900].to_vec()),
            "arrow-lacks" => {
                Rows::Arrow(include_bytes!("../fixtures/without_billed_cost.arrow").to_vec())
            }
            "arrow-float" => {
                Rows::Arrow(include_bytes!("../fixtures/float_amounts.arrow").to_vec())
            }
            "charge-twice" => {
                let mut charges = test_plugins::three_charges();
                charges[0]
                    .dimensions
                    .push(Dimension { field: Field::ServiceName, value: "other".into() });
                Rows::Charges(charges)
            }
            "mapping-ungranted" => Rows::Mapped(mapping("/etc/passwd")),
            "mapping-incomplete" => Rows::Mapped(Mapping {
                feeds: mapping("bill.csv").feeds.split_off(1),
                ..mapping("bill.csv")
            }),
            "mapping-feed-twice" => {
                let mut mapping = mapping("bill.csv");
                mapping.feeds.push(mapping.feeds[0].clone());
                Rows::Mapped(mapping)
            }
            "mapping-no-billing-period" => {
                Rows::Mapped(mapping("bill.csv").billing_period("2026-3"))
            }
            "json-new-field-twice" => json(r#"[{"list_cost": "1", "list_cost": "1"}]"#),
            // The second page maps the same table again: its money would be counted twice.
            _ => Rows::Mapped(mapping("bill.csv")),
        };
        Ok(test_plugins::batch(rows))
    }
}

fn mapping(table: &str) -> Mapping {
    let feeds = [
        (Feed::BilledCost, "a"),
        (Feed::EffectiveCost, "a"),
        (Feed::BillingCurrency, "b"),
        (Feed::ChargePeriodStart, "c"),
    ];
    Mapping {
        feeds: feeds.map(|(feed, column)| FeedFrom::column(feed, column)).into(),
        ..Mapping::new(table)
    }
}

register_collector!(Guest);
