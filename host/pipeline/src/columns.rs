//! How one scan reads a table: the columns to ask for and the use of each, by the collector's
//! mapping.

use crate::computed::{ComputedBatch, ComputedChoice, ComputedColumn};
use decode::{Batch, CellForm, WantedColumn};
use domain::charge::KeptDetails;
use domain::code;
use domain::diagnostic::Diagnostic;
use domain::field::Field;
use domain::mapping::{Choice, Feed, Mapping, Origin};
use domain::money::Currency;
use domain::period::DateOrder;
use domain::terms::Term;
use domain::text_form::DecimalMark;

/// The origin of a value: a column of the scan, or one text for every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Column(usize),
    /// A column of numbers with a decimal comma.
    CommaNumber(usize),
    Constant(String),
}

/// The parts of a resource's identity, in the order in which they are hashed and read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    Currency,
    Dimension(Field),
    Tags,
    Tag(String),
    /// Tags whose keys begin with the first text, which the second replaces.
    TagMap(String, String),
    /// Rows with one of these values are not charges.
    Skip(Vec<String>),
}

/// The origins of a table's details. What is not wanted or not told is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetailInputs {
    pub terms: Vec<(Term, Input)>,
    pub pricing_quantity: Option<Input>,
    pub consumed_quantity: Option<Input>,
    pub contracted_cost: Option<Input>,
    pub list_cost: Option<Input>,
    pub hours: bool,
}

impl DetailInputs {
    pub fn is_empty(&self) -> bool {
        *self == DetailInputs::default()
    }

    /// Whether rows can say a pricing quantity and this unit price.
    pub fn has_product(&self, price: Term) -> bool {
        self.pricing_quantity.is_some() && self.terms.iter().any(|(term, _)| *term == price)
    }
}

/// A column of a scan: from the file, or computed from other columns.
#[derive(Clone, Debug)]
enum Column {
    Read(WantedColumn),
    ComputedColumn(String, ComputedColumn),
}

#[derive(Clone, Debug)]
pub struct TableReading {
    columns: Vec<Column>,
    pub billed_cost: Input,
    pub effective_cost: Input,
    pub charge_period_start: Input,
    /// An empty constant where the source does not tell it.
    pub billing_period: Input,
    /// Scan columns that together name a resource, with their meanings.
    pub identity: Vec<(usize, Identity)>,
    pub constants: Vec<(Identity, String)>,
    pub details: DetailInputs,
    pub nulls: Vec<String>,
    pub date_order: DateOrder,
    pub tag_prefixes: Vec<String>,
    /// Of numbers in texts.
    pub decimal_mark: DecimalMark,
}

impl TableReading {
    /// Reads the numbers of a text table by its own decimal mark.
    pub fn with_decimal_mark(mut self, mark: DecimalMark) -> TableReading {
        self.decimal_mark = mark;
        if mark == DecimalMark::Comma {
            let told = &mut self.details;
            let details = [
                &mut told.pricing_quantity,
                &mut told.consumed_quantity,
                &mut told.contracted_cost,
                &mut told.list_cost,
            ];
            let details = details.into_iter().filter_map(Option::as_mut);
            let amounts = [&mut self.billed_cost, &mut self.effective_cost];
            for input in amounts.into_iter().chain(details) {
                if let Input::Column(column) = *input {
                    *input = Input::CommaNumber(column);
                }
            }
        }
        self
    }

    /// Keeps only the wanted dimensions and details. Everything else that identifies a resource
    /// must be a tag.
    pub fn new(
        mapping: &Mapping,
        dimensions: &[Field],
        kept: KeptDetails,
    ) -> Result<TableReading, Diagnostic> {
        let mut reading = TableReading {
            columns: Vec::new(),
            billed_cost: Input::Constant(String::new()),
            effective_cost: Input::Constant(String::new()),
            charge_period_start: Input::Constant(String::new()),
            billing_period: Input::Constant(String::new()),
            identity: Vec::new(),
            constants: Vec::new(),
            details: DetailInputs::default(),
            nulls: mapping.nulls.clone(),
            date_order: mapping.date_order,
            tag_prefixes: mapping.tag_prefixes.clone(),
            decimal_mark: DecimalMark::Point,
        };
        let typed = CellForm::Typed;
        reading.billed_cost = reading.needed(mapping, Feed::BilledCost, "BilledCost", typed)?;
        reading.effective_cost =
            reading.needed(mapping, Feed::EffectiveCost, "EffectiveCost", typed)?;
        let moment = if kept.hours { CellForm::Moment } else { typed };
        reading.charge_period_start =
            reading.needed(mapping, Feed::ChargePeriodStart, "ChargePeriodStart", moment)?;
        reading.billing_period = reading.period(mapping)?;
        // The currency is a part of the resource's identity, and identities are hashed as text.
        let text = CellForm::Text;
        match reading.needed(mapping, Feed::BillingCurrency, "BillingCurrency", text)? {
            Input::Column(column) | Input::CommaNumber(column) => {
                reading.identity.push((column, Identity::Currency))
            }
            Input::Constant(text) => {
                Currency::parse(text.as_bytes()).map_err(|error| {
                    Diagnostic::new(code::PLUGIN_CONFIG, format!("{}: {error}", mapping.table))
                })?;
                reading.constants.push((Identity::Currency, text));
            }
        }
        for field in dimensions {
            reading.identify(mapping.origin(Feed::Dimension(*field)), Identity::Dimension(*field));
        }
        reading.identify(mapping.origin(Feed::Tags), Identity::Tags);
        for map in &mapping.tag_maps {
            reading.identify(
                Some(&Origin::Column(map.column.clone())),
                Identity::TagMap(map.from.clone(), map.to.clone()),
            );
        }
        for tag in &mapping.tag_columns {
            reading.identify(
                Some(&Origin::Column(tag.column.clone())),
                Identity::Tag(tag.key.clone()),
            );
        }
        for skip in &mapping.skips {
            reading.identify(
                Some(&Origin::Column(skip.column.clone())),
                Identity::Skip(skip.values.clone()),
            );
        }
        reading.details = reading.details(mapping, kept);
        Ok(reading)
    }

    /// An empty constant where neither the delivery nor its rows tell the period.
    fn period(&mut self, mapping: &Mapping) -> Result<Input, Diagnostic> {
        let feed = Feed::BillingPeriodStart;
        match (mapping.billing_period, mapping.origin(feed)) {
            (Some(day), _) => Ok(Input::Constant(day.to_string())),
            (None, None) => Ok(Input::Constant(String::new())),
            (None, Some(_)) => self.needed(mapping, feed, "BillingPeriodStart", CellForm::Typed),
        }
    }

    fn details(&mut self, mapping: &Mapping, kept: KeptDetails) -> DetailInputs {
        let terms = [
            (Term::ListUnitPrice, Feed::ListUnitPrice),
            (Term::ContractedUnitPrice, Feed::ContractedUnitPrice),
            (Term::PricingUnit, Feed::Dimension(Field::PRICING_UNIT)),
            (Term::ConsumedUnit, Feed::Dimension(Field::CONSUMED_UNIT)),
            (Term::InvoiceId, Feed::Dimension(Field::INVOICE_ID)),
            (Term::InvoiceIssuerName, Feed::Dimension(Field::INVOICE_ISSUER_NAME)),
        ];
        let mut inputs = DetailInputs { hours: kept.hours, ..DetailInputs::default() };
        for (term, feed) in terms.into_iter().filter(|(_, feed)| kept.keeps(*feed)) {
            let form = if term.is_price() { CellForm::Typed } else { CellForm::Text };
            let input = self.told(mapping, feed, term.name(), form);
            inputs.terms.extend(input.map(|input| (term, input)));
        }
        let typed = CellForm::Typed;
        let mut told = |feed, name| {
            if kept.keeps(feed) { self.told(mapping, feed, name, typed) } else { None }
        };
        inputs.pricing_quantity = told(Feed::PricingQuantity, "PricingQuantity");
        inputs.consumed_quantity = told(Feed::ConsumedQuantity, "ConsumedQuantity");
        inputs.contracted_cost = told(Feed::ContractedCost, "ContractedCost");
        inputs.list_cost = told(Feed::ListCost, "ListCost");
        inputs
    }

    /// The origin of something that a table may tell.
    fn told(&mut self, mapping: &Mapping, feed: Feed, name: &str, form: CellForm) -> Option<Input> {
        Some(match mapping.origin(feed)? {
            Origin::Column(column) => Input::Column(self.want(column, form)),
            Origin::Constant(text) => Input::Constant(text.clone()),
            Origin::FirstOf(choices) => Input::Column(self.work_out(name, choices, form)),
        })
    }

    fn needed(
        &mut self,
        mapping: &Mapping,
        feed: Feed,
        name: &str,
        form: CellForm,
    ) -> Result<Input, Diagnostic> {
        self.told(mapping, feed, name, form).ok_or_else(|| {
            Diagnostic::new(
                code::PLUGIN_JUNK,
                format!(
                    "the plugin's mapping of {} does not say where {name} comes from",
                    mapping.table
                ),
            )
        })
    }

    fn identify(&mut self, origin: Option<&Origin>, identity: Identity) {
        match origin {
            Some(Origin::Column(column)) => {
                // As text even where the file has numbers: identities are hashed by their bytes.
                let at = self.want(column, CellForm::Text);
                self.identity.push((at, identity));
            }
            Some(Origin::Constant(text)) => self.constants.push((identity, text.clone())),
            Some(Origin::FirstOf(choices)) => {
                let name = match &identity {
                    Identity::Dimension(field) => field.name(),
                    _ => "tags",
                };
                let at = self.work_out(name, choices, CellForm::Text);
                self.identity.push((at, identity));
            }
            None => {}
        }
    }

    fn want(&mut self, column: &str, form: CellForm) -> usize {
        self.columns.push(Column::Read(WantedColumn { name: column.to_owned(), form }));
        self.columns.len() - 1
    }

    fn work_out(&mut self, name: &str, choices: &[Choice], form: CellForm) -> usize {
        // Choices compare texts and hand them on.
        let form = if form == CellForm::Typed { CellForm::Text } else { form };
        let choices = choices
            .iter()
            .map(|choice| ComputedChoice::new(choice, |column| self.want(column, form)))
            .collect();
        self.columns.push(Column::ComputedColumn(name.to_owned(), ComputedColumn { choices }));
        self.columns.len() - 1
    }

    /// The columns to read from the file.
    pub fn wanted(&self) -> Vec<WantedColumn> {
        let read = |column: &Column| match column {
            Column::Read(wanted) => Some(wanted.clone()),
            Column::ComputedColumn(..) => None,
        };
        self.columns.iter().filter_map(read).collect()
    }

    pub fn computed(&self) -> impl Iterator<Item = &ComputedColumn> {
        self.columns.iter().filter_map(|column| match column {
            Column::Read(_) => None,
            Column::ComputedColumn(_, computed) => Some(computed),
        })
    }

    /// For each column, whether it is computed.
    pub fn kinds(&self) -> impl Iterator<Item = bool> {
        self.columns.iter().map(|column| matches!(column, Column::ComputedColumn(..)))
    }

    /// A column's position among those that are read from the file.
    pub fn read_position(&self, column: usize) -> usize {
        column - self.kinds().take(column).filter(|is_computed| *is_computed).count()
    }

    pub fn name(&self, column: usize) -> &str {
        match &self.columns[column] {
            Column::Read(wanted) => &wanted.name,
            Column::ComputedColumn(name, _) => name,
        }
    }

    /// Hands a batch on with its computed columns.
    pub fn lay_out(&self, batch: &Batch<'_>, take: impl FnOnce(&Batch<'_>)) {
        if self.computed().next().is_none() {
            return take(batch);
        }
        let laid_out = ComputedBatch::new(self, batch);
        let columns = laid_out.columns(self, batch);
        take(&Batch {
            rows: batch.rows,
            columns: &columns,
            places: batch.places,
            unreadable: batch.unreadable,
        });
    }
}
