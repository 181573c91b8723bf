//! Raw cells → resources: one word for each thing, in whatever spelling the bill has it.
//!
//! This is the cold half: it runs once per distinct row identity, shared by all threads under a lock.

use crate::interner::Class;
use crate::plan::{Identity, Plan};
use decode::Cells;
use domain::dictionary::{Dictionary, Resource, ResourceId, Symbol, TagSetId};
use domain::field::{Field, canonical_value};
use domain::money::Currency;
use domain::tag::{self, RawTags, TagSchema};
use foldhash::{HashMap, HashMapExt};

/// What all threads of a collection share.
pub struct Registry<'a> {
    pub dictionary: Dictionary,
    pub currencies: Vec<Currency>,
    pub reasons: Vec<Reason>,
    known: HashMap<(u64, u64), Class>,
    tag_texts: HashMap<String, Result<TagSetId, String>>,
    schema: &'a TagSchema,
    digests: Vec<u128>,
}

/// Why rows of one identity cannot be charges, and in which scan column it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    pub column: Option<usize>,
    pub text: String,
}

impl<'a> Registry<'a> {
    pub fn new(dictionary: Dictionary, schema: &'a TagSchema) -> Registry<'a> {
        Registry {
            dictionary,
            currencies: Vec::new(),
            reasons: Vec::new(),
            known: HashMap::new(),
            tag_texts: HashMap::new(),
            schema,
            digests: Vec::new(),
        }
    }

    /// Another table may mean something else by the same cells.
    pub fn forget_rows(&mut self) {
        self.known.clear();
        self.reasons.clear();
    }

    /// The digest of a resource's meaning, computed once.
    pub fn digest(&mut self, resource: ResourceId) -> u128 {
        let at = resource.0 as usize;
        if self.digests.len() <= at {
            let (dictionary, known) = (&self.dictionary, self.digests.len());
            self.digests.extend((known..=at).map(|id| dictionary.digest(ResourceId(id as u32))));
        }
        self.digests[at]
    }

    /// The class of a row by its hash; reads the cells only if no thread has met them before.
    pub fn classify(&mut self, hash: (u64, u64), plan: &Plan, columns: &[(usize, Cells<'_>)], row: usize) -> Class {
        if let Some(class) = self.known.get(&hash) {
            return *class;
        }
        let class = self.read(plan, columns, row).unwrap_or_else(|reason| {
            self.reasons.push(reason);
            Class::Rejected(self.reasons.len() as u32 - 1)
        });
        self.known.insert(hash, class);
        class
    }

    fn read(&mut self, plan: &Plan, columns: &[(usize, Cells<'_>)], row: usize) -> Result<Class, Reason> {
        let mut draft = Draft::default();
        for (identity, text) in &plan.constants {
            self.put(plan, &mut draft, identity, text, None)?;
        }
        for ((_, identity), (column, cells)) in plan.identity.iter().zip(columns) {
            let text = cells.text(row);
            if let Identity::Skip(values) = identity {
                if values.contains(&text) {
                    return Ok(Class::Skipped);
                }
                continue;
            }
            self.put(plan, &mut draft, identity, &text, Some(*column))?;
        }
        let currency = draft.currency.ok_or_else(|| Reason { column: None, text: "BillingCurrency is empty".into() })?;
        let tags = self.tags_of(draft.tag_text.as_deref(), draft.tags).map_err(|text| Reason { column: draft.tag_column, text })?;
        let resource = self.dictionary.resource(&Resource { currency, tags, dimensions: draft.dimensions });
        Ok(Class::Resource { resource, currency: self.currency_number(currency) })
    }

    fn put(&mut self, plan: &Plan, draft: &mut Draft, identity: &Identity, text: &str, column: Option<usize>) -> Result<(), Reason> {
        let is_null = text.is_empty() || plan.nulls.iter().any(|null| null == text);
        if is_null {
            return Ok(());
        }
        match identity {
            Identity::Currency => {
                let currency = Currency::parse(text.as_bytes()).map_err(|error| Reason { column, text: error.to_string() })?;
                draft.currency = Some(currency);
            }
            Identity::Dimension(field) => {
                let symbol = self.dictionary.symbol(canonical_value(*field, text).unwrap_or(text));
                draft.dimensions.push((*field, symbol));
            }
            Identity::Tags => (draft.tag_text, draft.tag_column) = (Some(text.to_owned()), column),
            Identity::Tag(key) => draft.tags.push((key.clone(), text.to_owned())),
            Identity::Skip(_) => {}
        }
        Ok(())
    }

    /// Tag texts repeat a thousandfold: each distinct one is parsed once.
    fn tags_of(&mut self, text: Option<&str>, columns: RawTags) -> Result<TagSetId, String> {
        if columns.is_empty() {
            let text = text.unwrap_or_default();
            if let Some(known) = self.tag_texts.get(text) {
                return known.clone();
            }
            let tags = tag::parse(text).map_err(|error| error.to_string()).map(|raw| self.intern(&raw));
            self.tag_texts.insert(text.to_owned(), tags.clone());
            return tags;
        }
        let mut raw = tag::parse(text.unwrap_or_default()).map_err(|error| error.to_string())?;
        raw.extend(columns);
        Ok(self.intern(&raw))
    }

    fn intern(&mut self, raw: &RawTags) -> TagSetId {
        let canonical = self.schema.canonical(raw);
        let mut symbols: Vec<(Symbol, Symbol)> =
            canonical.iter().map(|(key, value)| (self.dictionary.symbol(key), self.dictionary.symbol(value))).collect();
        symbols.sort_unstable();
        self.dictionary.tag_set(&symbols)
    }

    fn currency_number(&mut self, currency: Currency) -> u16 {
        let at = self.currencies.iter().position(|known| *known == currency).unwrap_or_else(|| {
            self.currencies.push(currency);
            self.currencies.len() - 1
        });
        at as u16
    }
}

#[derive(Default)]
struct Draft {
    currency: Option<Currency>,
    dimensions: Vec<(Field, Symbol)>,
    tags: RawTags,
    tag_text: Option<String>,
    tag_column: Option<usize>,
}
