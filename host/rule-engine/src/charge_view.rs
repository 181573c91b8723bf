//! The charge as a script sees it: constant values behind getters that note every read.
//!
//! The reads are the key of the memo: two charges with equal values in everything that a rule read
//! get the same decision. So a value that a script can see must go through a getter here.

use crate::answer::ended;
use crate::code::RULE_DETAIL;
use crate::decision::{Refusal, meant};
use domain::charge::ChargeLine;
use domain::detail::{Detail, LineDetails};
use domain::diagnostic::did_you_mean;
use domain::field::Field;
use domain::figure::Figure;
use domain::money::Money;
use domain::period::Day;
use domain::port::LINE_FIELDS;
use rhai::{Dynamic, EvalAltResult, ImmutableString, NativeCallContext, Position};
use rust_decimal::Decimal;
use std::sync::{Arc, Mutex, PoisonError};

/// A value of the charge that a script has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChargeRead {
    Field(Field),
    Currency,
    Tag(ImmutableString),
    Day,
    Billed,
    Effective,
    Detail(Detail),
}

impl ChargeRead {
    /// Amounts and details take too many values to be a key of the memo.
    pub(crate) fn is_amount(&self) -> bool {
        matches!(self, ChargeRead::Billed | ChargeRead::Effective | ChargeRead::Detail(_))
    }

    /// The value's name in reports.
    pub(crate) fn name(&self) -> String {
        match self {
            ChargeRead::Field(field) => field.name().to_owned(),
            ChargeRead::Currency => "billing_currency".to_owned(),
            ChargeRead::Tag(key) => format!("tag:{key}"),
            ChargeRead::Day => "charge_period_start".to_owned(),
            ChargeRead::Billed => "billed_cost".to_owned(),
            ChargeRead::Effective => "effective_cost".to_owned(),
            ChargeRead::Detail(detail) => detail.name().to_owned(),
        }
    }
}

/// The values of a single charge. They are absent when a resource as such is decided.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineValues {
    pub(crate) day: Option<Day>,
    pub(crate) billed: Option<Money>,
    pub(crate) effective: Option<Money>,
    pub(crate) details: [DetailValue; Detail::COUNT],
    /// The source of a stored charge.
    pub(crate) source: Option<String>,
}

/// A detail of a single charge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum DetailValue {
    /// There is no single charge, or a case does not give the value.
    #[default]
    Absent,
    /// The charge does not say it.
    Unknown,
    Known(Figure),
}

impl From<Option<&ChargeLine>> for LineValues {
    fn from(line: Option<&ChargeLine>) -> LineValues {
        LineValues {
            day: line.map(|line| line.day),
            billed: line.map(|line| line.billed_cost),
            effective: line.map(|line| line.effective_cost),
            details: Detail::ALL.map(|detail| match line.map(|line| line.details.as_deref()) {
                None => DetailValue::Absent,
                Some(details) => details
                    .and_then(|details| details.get(detail))
                    .map_or(DetailValue::Unknown, |figure| DetailValue::Known(figure.clone())),
            }),
            source: line
                .and_then(|line| line.details.as_deref())
                .map(|LineDetails { source, .. }| source.clone()),
        }
    }
}

impl LineValues {
    pub(crate) fn detail(&self, detail: Detail) -> &DetailValue {
        self.details.get(detail as usize).unwrap_or(&DetailValue::Absent)
    }

    pub(crate) fn set_detail(&mut self, detail: Detail, value: DetailValue) {
        if let Some(known) = self.details.get_mut(detail as usize) {
            *known = value;
        }
    }
}

/// The texts of one resource and the values of one charge, with the reads made so far.
pub(crate) struct ChargeView {
    pub(crate) fields: Vec<ImmutableString>,
    pub(crate) currency: ImmutableString,
    pub(crate) tags: Vec<(ImmutableString, ImmutableString)>,
    pub(crate) line: LineValues,
    pub(crate) reads: Mutex<Vec<ChargeRead>>,
}

/// The script's handle on a charge. It has getters and no setters.
#[derive(Clone)]
pub(crate) struct Charge(Arc<ChargeView>);

/// `charge.tags`, to be indexed by key.
#[derive(Clone)]
pub(crate) struct Tags(Arc<ChargeView>);

/// Digits that the script's numbers always hold.
const DIGITS_MAX: usize = 28;

type ScriptError = Box<EvalAltResult>;

impl Charge {
    pub(crate) fn new(view: ChargeView) -> Charge {
        Charge(Arc::new(view))
    }

    /// The reads since the last call, each once, in order.
    pub(crate) fn take_reads(&self) -> Vec<ChargeRead> {
        std::mem::take(&mut *self.0.reads.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the value can be read here. Only the values of a single charge can be absent.
    pub(crate) fn has(&self, read: &ChargeRead) -> bool {
        match read {
            ChargeRead::Day => self.0.line.day.is_some(),
            ChargeRead::Billed => self.0.line.billed.is_some(),
            ChargeRead::Effective => self.0.line.effective.is_some(),
            ChargeRead::Detail(detail) => *self.0.line.detail(*detail) != DetailValue::Absent,
            ChargeRead::Field(_) | ChargeRead::Currency | ChargeRead::Tag(_) => true,
        }
    }

    /// The value as text, without noting a read.
    pub(crate) fn text(&self, read: &ChargeRead) -> String {
        match read {
            ChargeRead::Field(field) => {
                self.0.fields.get(field.index()).map(ToString::to_string).unwrap_or_default()
            }
            ChargeRead::Currency => self.0.currency.to_string(),
            ChargeRead::Tag(key) => self.0.tag(key).to_string(),
            ChargeRead::Day => self.0.line.day.map(|day| day.to_string()).unwrap_or_default(),
            ChargeRead::Billed => {
                self.0.line.billed.map(|money| money.to_string()).unwrap_or_default()
            }
            ChargeRead::Effective => {
                self.0.line.effective.map(|money| money.to_string()).unwrap_or_default()
            }
            ChargeRead::Detail(detail) => match self.0.line.detail(*detail) {
                DetailValue::Known(figure) => figure.to_string(),
                DetailValue::Unknown | DetailValue::Absent => "unknown".to_owned(),
            },
        }
    }

    /// The value as a failure names it. Numbers differ on every charge, and equal failures must
    /// become one outcome, so the number itself is left out.
    pub(crate) fn failure_text(&self, read: &ChargeRead) -> Option<&'static str> {
        match read {
            ChargeRead::Billed | ChargeRead::Effective => Some("an amount"),
            ChargeRead::Detail(detail) => match self.0.line.detail(*detail) {
                DetailValue::Known(_) => Some("a number"),
                DetailValue::Unknown | DetailValue::Absent => Some("unknown"),
            },
            ChargeRead::Field(_) | ChargeRead::Currency | ChargeRead::Tag(_) | ChargeRead::Day => {
                None
            }
        }
    }

    pub(crate) fn field(&mut self, field: Field) -> ImmutableString {
        self.0.note(ChargeRead::Field(field));
        self.0.fields.get(field.index()).cloned().unwrap_or_default()
    }

    pub(crate) fn currency(&mut self) -> ImmutableString {
        self.0.note(ChargeRead::Currency);
        self.0.currency.clone()
    }

    pub(crate) fn tags(&mut self) -> Tags {
        Tags(Arc::clone(&self.0))
    }

    pub(crate) fn tag(&mut self, key: ImmutableString) -> ImmutableString {
        let value = self.0.tag(&key);
        self.0.note(ChargeRead::Tag(key));
        value
    }

    pub(crate) fn has_tag(&mut self, key: ImmutableString) -> bool {
        !self.tag(key).is_empty()
    }

    pub(crate) fn day(&mut self) -> Result<ImmutableString, ScriptError> {
        self.0.note(ChargeRead::Day);
        self.0.line.day.map(|day| day.to_string().into()).ok_or_else(not_here)
    }

    pub(crate) fn billed(&mut self) -> Result<Decimal, ScriptError> {
        self.0.note(ChargeRead::Billed);
        self.0.line.billed.map(decimal).ok_or_else(not_here)
    }

    pub(crate) fn effective(&mut self) -> Result<Decimal, ScriptError> {
        self.0.note(ChargeRead::Effective);
        self.0.line.effective.map(decimal).ok_or_else(not_here)
    }

    /// A detail that is unknown ends the script: a comparison with nothing would be false without a
    /// word.
    pub(crate) fn detail(
        &mut self,
        context: &NativeCallContext,
        detail: Detail,
    ) -> Result<Decimal, ScriptError> {
        self.0.note(ChargeRead::Detail(detail));
        match self.0.line.detail(detail) {
            DetailValue::Absent => Err(not_here()),
            DetailValue::Unknown => Err(ended(context, self.unknown(detail))),
            DetailValue::Known(figure) => Decimal::from_str_exact(&figure.to_string())
                .map_err(|_| ended(context, too_long(detail))),
        }
    }

    pub(crate) fn has_detail(
        &mut self,
        context: &NativeCallContext,
        name: &str,
    ) -> Result<bool, ScriptError> {
        let Some(detail) = Detail::by_name(name) else {
            let refusal = Refusal { code: RULE_DETAIL, message: no_detail(name) };
            return Err(ended(context, refusal));
        };
        self.0.note(ChargeRead::Detail(detail));
        match self.0.line.detail(detail) {
            DetailValue::Absent => Err(not_here()),
            DetailValue::Unknown => Ok(false),
            DetailValue::Known(_) => Ok(true),
        }
    }

    fn unknown(&self, detail: Detail) -> Refusal {
        let (name, column, setting) = (detail.name(), detail.focus_name(), detail.setting());
        let (source, bill) = match &self.0.line.source {
            Some(source) => (format!(" of the source '{source}'"), "its bill"),
            None => (String::new(), "the bill"),
        };
        let message = format!(
            "the charge{source} does not say {name}: {bill} lacks {column}, or `details` did not \
             keep \"{setting}\" when it was collected; ask first with \
             `charge.has_detail(\"{name}\")`"
        );
        Refusal { code: RULE_DETAIL, message }
    }
}

fn too_long(detail: Detail) -> Refusal {
    let message = format!(
        "{} has more digits than the {DIGITS_MAX} that rules compute with exactly; decide by \
         another value of the charge",
        detail.name()
    );
    Refusal { code: RULE_DETAIL, message }
}

/// The message for a name that is no detail.
pub(crate) fn no_detail(name: &str) -> String {
    let known = Detail::ALL.map(Detail::name);
    let advice = match meant(name, known.into_iter()) {
        none if none.is_empty() => format!("; there are {}", known.join(", ")),
        advice => advice,
    };
    format!("charges have no detail '{name}'{advice}")
}

impl Tags {
    pub(crate) fn get(&mut self, key: ImmutableString) -> ImmutableString {
        let value = self.0.tag(&key);
        self.0.note(ChargeRead::Tag(key));
        value
    }
}

impl ChargeView {
    fn note(&self, read: ChargeRead) {
        // Rhai needs values that can cross threads, hence the lock; nobody else ever holds it.
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        if !reads.contains(&read) {
            reads.push(read);
        }
    }

    fn tag(&self, key: &str) -> ImmutableString {
        self.tags
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }
}

/// Nanos as the script's exact fraction type. 64 bits always fit its 96.
fn decimal(money: Money) -> Decimal {
    Decimal::from_i128_with_scale(i128::from(money.nanos()), 9)
}

/// The names of all dimensions, and of all that a single charge has.
pub(crate) fn readable() -> impl Iterator<Item = &'static str> {
    Field::all().map(Field::name).chain(LINE_FIELDS).chain(Detail::ALL.map(Detail::name))
}

/// The message for a name that is neither a dimension nor a value of a single charge.
pub(crate) fn no_field(name: &str) -> String {
    let known = readable().chain(["billing_currency", "tags"]);
    let advice = did_you_mean(name, known)
        .map(|name| format!("; did you mean '{name}'?"))
        .unwrap_or_default();
    format!("charges have no field '{name}'{advice}")
}

/// Ends the script where a single charge's value is absent. A script cannot catch this, so no rule
/// can decide by the absence.
fn not_here() -> ScriptError {
    Box::new(EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE))
}
