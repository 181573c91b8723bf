//! Quantities that costs can be shared by: hours, bytes or requests of a day, with keys that name
//! the user.

use crate::decimal::{self, NotAnAmount};
use crate::field::{Field, canonical_value};
use crate::money::Sum;
use crate::period::Day;
use crate::tag::{RawTags, TagSchema};
use exact::decimal::shortest;
use std::borrow::Cow;
use std::fmt;

/// The key that names the resource used, normalized by [`resource_key`].
pub const RESOURCE_ID: &str = "resource_id";

/// An exact quantity in billionths of its unit: a day's bytes of a large estate fit many times
/// over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quantity(pub i128);

/// 10¹⁹ units: ten thousand million rows of that size still add up in 128 bits.
const ROW_NANOS_MAX: i128 = 10_i128.pow(28);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAQuantity {
    #[error("the quantity is empty")]
    Empty,
    #[error("'{0}' is not a decimal number")]
    NotANumber(String),
    #[error(
        "'{0}' is below zero: nobody can be charged for less than nothing used, except where \
         usage is money, with a key billing_currency"
    )]
    Negative(String),
    #[error("'{0}' is beyond 10000000000000000000, the largest quantity of one row")]
    TooLarge(String),
}

impl Quantity {
    pub const ZERO: Quantity = Quantity(0);

    /// Reads the quantity of one row, in every spelling that amounts have. Digits below a billionth
    /// round half-even.
    pub fn parse(text: &[u8]) -> Result<Quantity, NotAQuantity> {
        let nanos = decimal::parse_nanos(text).map_err(|error| match error {
            NotAnAmount::Empty => NotAQuantity::Empty,
            NotAnAmount::NotANumber(text)
            | NotAnAmount::TooLarge(text)
            | NotAnAmount::BeyondCharges(text) => NotAQuantity::NotANumber(text),
        })?;
        Quantity::of_row(nanos, || {
            String::from_utf8_lossy(text.get(..60).unwrap_or(text)).trim().to_owned()
        })
    }

    /// As `parse`, of `value × 10^-scale`.
    pub fn from_scaled(value: i128, scale: u32) -> Result<Quantity, NotAQuantity> {
        Quantity::parse(format!("{value}E-{scale}").as_bytes())
    }

    fn of_row(nanos: Option<i128>, shown: impl Fn() -> String) -> Result<Quantity, NotAQuantity> {
        match nanos {
            Some(nanos) if nanos.abs() <= ROW_NANOS_MAX => Ok(Quantity(nanos)),
            _ => Err(NotAQuantity::TooLarge(shown())),
        }
    }

    /// Refuses a quantity below zero, unless the keys say that it is money: a bill has credits.
    pub fn used_by(self, keys: &Keys) -> Result<Quantity, NotAQuantity> {
        let is_money = keys.iter().any(|(key, _)| key == BILLING_CURRENCY);
        if self.0 < 0 && !is_money {
            return Err(NotAQuantity::Negative(self.plain()));
        }
        Ok(self)
    }

    /// The shortest exact decimal text.
    pub fn plain(self) -> String {
        shortest(self.0, 9)
    }

    /// The sum, unless it is beyond 128 bits.
    pub fn checked_add(self, other: Quantity) -> Option<Quantity> {
        self.0.checked_add(other.0).map(Quantity)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sum::from_nanos(self.0).fmt(f)
    }
}

/// The keys of usage: canonical tags such as `team` and `namespace`, and dimensions such as
/// `resource_id`. They are sorted, each has one value, and no value is empty.
pub type Keys = Vec<(String, String)>;

/// The key that names the currency of quantities that are money, such as a price avoided.
pub const BILLING_CURRENCY: &str = "billing_currency";

/// Whether usage with these keys can drive costs in this currency.
pub fn is_for(keys: &Keys, currency: &str) -> bool {
    keys.iter().all(|(key, value)| key != BILLING_CURRENCY || value == currency)
}

/// A quantity that was used on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    pub source: String,
    pub day: Day,
    pub metric: String,
    pub unit: String,
    pub keys: Keys,
    pub value: Quantity,
}

impl Usage {
    /// The key's value, or nothing.
    pub fn key(&self, name: &str) -> Option<&str> {
        self.keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Makes a source's keys canonical. The names of dimensions mean dimensions, in snake case or as in
/// FOCUS. All others are tags, and the schema makes one key of their spellings. Keys without a
/// value are left out.
pub fn canonical_keys(raw: RawTags, schema: &TagSchema) -> Keys {
    let (mut dimensions, mut tags) = (Keys::new(), RawTags::new());
    for (key, value) in raw.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
        match Field::by_name(key.trim()).or_else(|| Field::by_focus_name(key.trim())) {
            Some(Field::RESOURCE_ID) => {
                dimensions.push((RESOURCE_ID.into(), resource_key(&value).into_owned()))
            }
            Some(field) => dimensions.push((
                field.name().into(),
                canonical_value(field, &value).map_or(value, str::to_owned),
            )),
            None => tags.push((key, value)),
        }
    }
    // Of equal keys the last one counts, as with tags. A tag never overwrites the dimension that is
    // named like it.
    let mut keys: std::collections::BTreeMap<String, String> =
        schema.canonical(&tags).into_iter().filter(|(_, value)| !value.is_empty()).collect();
    keys.extend(dimensions);
    keys.into_iter().collect()
}

/// A resource's id in a form that bills and clusters share.
///
/// Both write ids with parts that the other leaves out: schemes, zones, accounts, prefixes of ARNs.
/// Those are taken away.
///
/// | written | key |
/// |---|---|
/// | `aws:///eu-west-1a/i-0abc`, `arn:aws:ec2:…:instance/i-0abc` | `i-0abc` |
/// | `arn:aws:ec2:…:volume/vol-1`, `aws://eu-west-1a/vol-1` | `vol-1` |
/// | `arn:aws:elasticloadbalancing:…:loadbalancer/app/shop/50dc` | `app/shop/50dc` |
/// | `azure:///subscriptions/S/…/virtualMachines/VM-1` | `/subscriptions/s/…/virtualmachines/vm-1` |
/// | `gce://project/zone/node-1`, `//compute.googleapis.com/projects/project/zones/zone/…` | `projects/project/zones/zone/instances/node-1` |
///
/// Anything else stays as it is, without spaces around it. Two things that differ stay different: a
/// short id is only taken where it is unique without the rest.
pub fn resource_key(id: &str) -> Cow<'_, str> {
    let id = id.trim();
    if let Some(rest) = id.strip_prefix("aws://") {
        return rest.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(id).into();
    }
    if id.starts_with("arn:") {
        return of_arn(id).unwrap_or(id).into();
    }
    let path = id.strip_prefix("azure://").unwrap_or(id);
    if path.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/")) {
        return path.to_lowercase().into();
    }
    if let Some(rest) = id.strip_prefix("gce://") {
        let parts: Vec<&str> = rest.split('/').collect();
        return match parts.as_slice() {
            [project, zone, name] if parts.iter().all(|part| !part.is_empty()) => {
                format!("projects/{project}/zones/{zone}/instances/{name}").into()
            }
            _ => id.into(),
        };
    }
    google_path(id).unwrap_or(id).into()
}

/// Instances, volumes and load balancers are known by the end of their ARN.
fn of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    let (kind, name) = resource.split_once('/')?;
    let known = match service {
        "ec2" => {
            matches!(kind, "instance" | "volume" | "snapshot" | "natgateway" | "network-interface")
        }
        "elasticloadbalancing" => kind == "loadbalancer",
        _ => false,
    };
    (known && !name.is_empty()).then_some(name)
}

/// `projects/…` of a full resource name or a URL of Google's API.
fn google_path(id: &str) -> Option<&str> {
    let at = id.find("projects/")?;
    let before = id.get(..at)?;
    let is_google = before.is_empty()
        || before == "/"
        || before.starts_with("//")
        || before.starts_with("https://");
    is_google.then(|| id.get(at..)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::TagRule;

    #[test]
    fn reads_quantities_in_every_spelling_of_amounts() {
        for (text, nanos) in [
            ("0", 0),
            ("-0", 0),
            ("+1.50", 1_500_000_000),
            (" 24 ", 24_000_000_000),
            ("1E-8", 10),
            ("7.340032e+07", 73_400_320_000_000_000),
            // Half-even at the billionth, whether with few digits or with many.
            ("0.0000000005", 0),
            ("0.0000000015", 2),
            ("0.00000000250000000000000000000000000000000000", 2),
            ("0.00000000250000000000000000000000000000000001", 3),
            ("9223372036854775808", 9_223_372_036_854_775_808_000_000_000),
            ("1e19", 10_i128.pow(28)),
        ] {
            assert_eq!(Quantity::parse(text.as_bytes()), Ok(Quantity(nanos)), "{text}");
        }
        assert_eq!(Quantity::from_scaled(15, 1), Ok(Quantity(1_500_000_000)));
        assert_eq!(Quantity(1_500_000_000).to_string(), "1.500000000");
        for (nanos, plain) in
            [(1_500_000_000, "1.5"), (10_000_000_000, "10"), (0, "0"), (1, "0.000000001")]
        {
            assert_eq!(Quantity(nanos).plain(), plain);
        }
    }

    #[test]
    fn refuses_what_is_no_quantity_and_says_why() {
        let refused =
            |text: &str| Quantity::parse(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(refused("  "), Err("the quantity is empty".into()));
        assert_eq!(refused("12 GB"), Err("'12 GB' is not a decimal number".into()));
        assert_eq!(refused("NaN"), Err("'NaN' is not a decimal number".into()));
        assert_eq!(
            refused("-1e60"),
            Err("'-1e60' is beyond 10000000000000000000, the largest quantity of one row".into())
        );
        let half = Quantity(-500_000_000);
        assert_eq!(Quantity::parse(b"-0.5"), Ok(half));
        assert_eq!(half.used_by(&Keys::new()), Err(NotAQuantity::Negative("-0.5".into())));
        let money = vec![(BILLING_CURRENCY.to_owned(), "USD".to_owned())];
        assert_eq!(half.used_by(&money), Ok(half));
        assert_eq!(
            refused("1e60"),
            Err("'1e60' is beyond 10000000000000000000, the largest quantity of one row".into())
        );
        assert_eq!(
            refused("10000000000000000001"),
            Err("'10000000000000000001' is beyond 10000000000000000000, the largest quantity of one row".into())
        );
        assert_eq!(Quantity(i128::MAX).checked_add(Quantity(1)), None);
    }

    #[test]
    fn bills_and_clusters_meet_in_one_resource_key() {
        for (written, key) in [
            ("aws:///eu-west-1a/i-0abc", "i-0abc"),
            ("aws://eu-west-1a/vol-1", "vol-1"),
            ("arn:aws:ec2:eu-west-1:123456789012:instance/i-0abc", "i-0abc"),
            ("arn:aws-cn:ec2:cn-north-1:123456789012:volume/vol-1", "vol-1"),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/50dc",
                "app/shop/50dc",
            ),
            ("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/classic", "classic"),
            (" i-0abc ", "i-0abc"),
            (
                "azure:///subscriptions/S1/resourceGroups/RG/providers/Microsoft.Compute/virtualMachines/VM-1",
                "/subscriptions/s1/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm-1",
            ),
            ("/Subscriptions/S1/resourceGroups/RG", "/subscriptions/s1/resourcegroups/rg"),
            (
                "gce://shop/europe-west1-b/node-1",
                "projects/shop/zones/europe-west1-b/instances/node-1",
            ),
            (
                "//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/node-1",
                "projects/shop/zones/europe-west1-b/instances/node-1",
            ),
            (
                "projects/shop/zones/europe-west1-b/instances/node-1",
                "projects/shop/zones/europe-west1-b/instances/node-1",
            ),
            // An id that is unique only as a whole stays whole.
            ("arn:aws:s3:::bucket/i-0abc", "arn:aws:s3:::bucket/i-0abc"),
            ("arn:aws:rds:eu-west-1:1:db:orders", "arn:aws:rds:eu-west-1:1:db:orders"),
            ("arn:aws:ec2", "arn:aws:ec2"),
            ("aws:///eu-west-1a/", "aws:///eu-west-1a/"),
            ("gce://shop/node-1", "gce://shop/node-1"),
            ("my-projects/a", "my-projects/a"),
            ("", ""),
        ] {
            assert_eq!(resource_key(written), key, "{written}");
            assert_eq!(resource_key(key), key, "a key is its own key");
        }
    }

    #[test]
    fn keys_are_tags_or_dimensions() {
        let schema = TagSchema {
            absent: Vec::new(),
            rules: vec![TagRule {
                name: "namespace".into(),
                synonyms: vec!["k8s_ns".into()],
                fold_values: true,
                ..TagRule::default()
            }],
        };
        let raw = |keys: &[(&str, &str)]| {
            keys.iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect::<RawTags>()
        };
        let canonical = canonical_keys(
            raw(&[
                ("K8S_NS", " Shop "),
                ("ResourceId", "aws:///a/i-1"),
                ("region_id", "eu"),
                ("pod", ""),
                ("x", "Y"),
            ]),
            &schema,
        );
        assert_eq!(
            canonical,
            raw(&[("namespace", "shop"), ("region_id", "eu"), ("resource_id", "i-1"), ("x", "Y")])
        );
    }
}
