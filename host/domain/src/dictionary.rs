//! Interned texts, tag sets, resources and terms. Each is stored once, and millions of charges
//! name it by number.
//!
//! A *resource* is one distinct set of dimensions and tags. Decisions belong to resources, so the
//! cost of rules grows with distinct things and not with rows. Everything is append-only and
//! numbered from 0. The ledger stores these numbers.

use crate::field::Field;
use crate::figure::Figure;
use crate::money::Currency;
use crate::terms::{Term, Terms, TermsId, UnitPrices};
use hashbrown::HashTable;
use std::hash::{BuildHasher, Hasher};
use xxhash_rust::xxh3::xxh3_128;

/// An interned text. Number 0 is the absent text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Symbol(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TagSetId(pub u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ResourceId(pub u32);

impl Symbol {
    pub const NONE: Symbol = Symbol(0);
}

/// A resource to intern: its dimensions in any order, without absent ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub currency: Currency,
    pub tags: TagSetId,
    pub dimensions: Vec<(Field, Symbol)>,
}

/// A number with the hash of its text or set. A growing table moves the pair without hashing again.
#[derive(Clone, Copy)]
struct HashedNumber {
    hash: u64,
    id: u32,
}

fn hash_of(hashed: &HashedNumber) -> u64 {
    hashed.hash
}

pub struct Dictionary {
    hasher: foldhash::fast::RandomState,
    text: String,
    text_ends: Vec<usize>,
    symbols: HashTable<HashedNumber>,
    tags: Vec<(Symbol, Symbol)>,
    tag_ends: Vec<usize>,
    tag_sets: HashTable<HashedNumber>,
    currencies: Vec<Currency>,
    resource_tags: Vec<TagSetId>,
    /// One column for each field, with `NONE` for resources that lack it. A field never seen has no
    /// column.
    columns: Vec<Vec<Symbol>>,
    resources: HashTable<HashedNumber>,
    terms: Vec<Terms>,
    terms_numbers: HashTable<HashedNumber>,
}

impl Default for Dictionary {
    fn default() -> Dictionary {
        Dictionary::new()
    }
}

impl Dictionary {
    pub fn new() -> Dictionary {
        let mut dictionary = Dictionary {
            hasher: foldhash::fast::RandomState::default(),
            text: String::new(),
            text_ends: Vec::new(),
            symbols: HashTable::new(),
            tags: Vec::new(),
            tag_ends: Vec::new(),
            tag_sets: HashTable::new(),
            currencies: Vec::new(),
            resource_tags: Vec::new(),
            columns: vec![Vec::new(); Field::COUNT],
            resources: HashTable::new(),
            terms: Vec::new(),
            terms_numbers: HashTable::new(),
        };
        dictionary.symbol("");
        dictionary.tag_set(&[]);
        dictionary.intern_terms(Terms::default());
        dictionary
    }

    /// Makes room ahead, so that a large dictionary does not hash everything again while it is
    /// loaded.
    pub fn reserve(&mut self, symbols: usize, tag_sets: usize, resources: usize) {
        self.symbols.reserve(symbols, hash_of);
        self.tag_sets.reserve(tag_sets, hash_of);
        self.resources.reserve(resources, hash_of);
    }

    /// Interns a text.
    pub fn symbol(&mut self, text: &str) -> Symbol {
        let hash = self.hasher.hash_one(text);
        if let Some(found) = self.symbols.find(hash, |known| {
            known.hash == hash && symbol_text(&self.text, &self.text_ends, known.id) == text
        }) {
            return Symbol(found.id);
        }
        let id = self.text_ends.len() as u32;
        self.text.push_str(text);
        self.text_ends.push(self.text.len());
        self.symbols.insert_unique(hash, HashedNumber { hash, id }, hash_of);
        Symbol(id)
    }

    /// The symbol of a text, if it has been interned.
    pub fn find_symbol(&self, text: &str) -> Option<Symbol> {
        let hash = self.hasher.hash_one(text);
        self.symbols
            .find(hash, |known| symbol_text(&self.text, &self.text_ends, known.id) == text)
            .map(|known| Symbol(known.id))
    }

    pub fn text(&self, symbol: Symbol) -> &str {
        symbol_text(&self.text, &self.text_ends, symbol.0)
    }

    pub fn symbol_count(&self) -> usize {
        self.text_ends.len()
    }

    /// Interns tags, given by ascending key symbol with each key once.
    pub fn tag_set(&mut self, tags: &[(Symbol, Symbol)]) -> TagSetId {
        let hash = self.hasher.hash_one(tags);
        if let Some(found) =
            self.tag_sets.find(hash, |known| slice(&self.tags, &self.tag_ends, known.id) == tags)
        {
            return TagSetId(found.id);
        }
        let id = self.tag_ends.len() as u32;
        self.tags.extend_from_slice(tags);
        self.tag_ends.push(self.tags.len());
        self.tag_sets.insert_unique(hash, HashedNumber { hash, id }, hash_of);
        TagSetId(id)
    }

    pub fn tags(&self, tags: TagSetId) -> &[(Symbol, Symbol)] {
        slice(&self.tags, &self.tag_ends, tags.0)
    }

    pub fn tag_set_count(&self) -> usize {
        self.tag_ends.len()
    }

    /// The value of a tag, `NONE` where the set lacks it.
    pub fn tag(&self, tags: TagSetId, key: Symbol) -> Symbol {
        let tags = self.tags(tags);
        tags.binary_search_by_key(&key, |(known, _)| *known).map_or(Symbol::NONE, |at| tags[at].1)
    }

    /// Interns a resource.
    pub fn resource(&mut self, resource: &Resource) -> ResourceId {
        let hash = self.resource_hash(
            resource.currency,
            resource.tags,
            resource.dimensions.iter().copied(),
        );
        let is_same = |known: &HashedNumber| {
            let id = ResourceId(known.id);
            let count =
                resource.dimensions.iter().filter(|(_, symbol)| *symbol != Symbol::NONE).count();
            self.currency(id) == resource.currency
                && self.resource_tags(id) == resource.tags
                && resource
                    .dimensions
                    .iter()
                    .all(|(field, symbol)| self.dimension(id, *field) == *symbol)
                && self.dimensions(id).count() == count
        };
        if let Some(found) = self.resources.find(hash, is_same) {
            return ResourceId(found.id);
        }
        let id = self.push_resource(resource);
        self.resources.insert_unique(hash, HashedNumber { hash, id: id.0 }, hash_of);
        id
    }

    fn push_resource(&mut self, resource: &Resource) -> ResourceId {
        let id = self.currencies.len();
        self.currencies.push(resource.currency);
        self.resource_tags.push(resource.tags);
        for (field, symbol) in &resource.dimensions {
            if *symbol != Symbol::NONE {
                let column = &mut self.columns[field.index()];
                column.resize(id, Symbol::NONE);
                column.push(*symbol);
            }
        }
        ResourceId(id as u32)
    }

    /// Independent of the order of the dimensions.
    fn resource_hash(
        &self,
        currency: Currency,
        tags: TagSetId,
        dimensions: impl Iterator<Item = (Field, Symbol)>,
    ) -> u64 {
        let set = dimensions
            .filter(|(_, symbol)| *symbol != Symbol::NONE)
            .fold(0_u64, |sum, pair| sum.wrapping_add(self.hasher.hash_one(pair)));
        let mut hasher = self.hasher.build_hasher();
        hasher.write(&currency.bytes());
        hasher.write_u32(tags.0);
        hasher.write_u64(set);
        hasher.finish()
    }

    /// Interns a resource of another dictionary.
    pub fn resource_of(&mut self, other: &Dictionary, resource: ResourceId) -> ResourceId {
        let mut own = |symbol: Symbol| match symbol {
            Symbol::NONE => Symbol::NONE,
            symbol => self.symbol(other.text(symbol)),
        };
        let mut tags: Vec<(Symbol, Symbol)> = other
            .tags(other.resource_tags(resource))
            .iter()
            .map(|(key, value)| (own(*key), own(*value)))
            .collect();
        let dimensions =
            other.dimensions(resource).map(|(field, symbol)| (field, own(symbol))).collect();
        tags.sort_by_key(|(key, _)| *key);
        let tags = self.tag_set(&tags);
        self.resource(&Resource { currency: other.currency(resource), tags, dimensions })
    }

    pub fn resource_count(&self) -> usize {
        self.currencies.len()
    }

    pub fn currency(&self, resource: ResourceId) -> Currency {
        self.currencies[resource.0 as usize]
    }

    pub fn resource_tags(&self, resource: ResourceId) -> TagSetId {
        self.resource_tags[resource.0 as usize]
    }

    pub fn dimension(&self, resource: ResourceId, field: Field) -> Symbol {
        self.columns[field.index()].get(resource.0 as usize).copied().unwrap_or(Symbol::NONE)
    }

    /// The dimensions that the resource has.
    pub fn dimensions(&self, resource: ResourceId) -> impl Iterator<Item = (Field, Symbol)> + '_ {
        Field::all()
            .map(move |field| (field, self.dimension(resource, field)))
            .filter(|(_, symbol)| *symbol != Symbol::NONE)
    }

    pub fn dimension_text(&self, resource: ResourceId, field: Field) -> &str {
        self.text(self.dimension(resource, field))
    }

    pub fn tag_text(&self, resource: ResourceId, key: &str) -> &str {
        self.find_symbol(key)
            .map_or("", |key| self.text(self.tag(self.resource_tags(resource), key)))
    }

    /// Interns terms.
    pub fn intern_terms(&mut self, terms: Terms) -> TermsId {
        let hash = self.hasher.hash_one(terms);
        let is_same = |known: &HashedNumber| self.terms.get(known.id as usize) == Some(&terms);
        if let Some(found) = self.terms_numbers.find(hash, is_same) {
            return TermsId(found.id);
        }
        let id = self.terms.len() as u32;
        self.terms.push(terms);
        self.terms_numbers.insert_unique(hash, HashedNumber { hash, id }, hash_of);
        TermsId(id)
    }

    pub fn terms_count(&self) -> usize {
        self.terms.len()
    }

    pub fn terms(&self, id: TermsId) -> Terms {
        self.terms[id.0 as usize]
    }

    /// A part of terms as text, empty where it is not known.
    pub fn term_text(&self, id: TermsId, term: Term) -> &str {
        self.text(self.terms(id).get(term))
    }

    /// The prices of terms as numbers, to multiply with quantities.
    pub fn unit_prices(&self, id: TermsId) -> UnitPrices {
        let price = |term| match self.term_text(id, term) {
            "" => None,
            text => Figure::parse(text.as_bytes()).ok()?.short(),
        };
        UnitPrices {
            list: price(Term::ListUnitPrice),
            contracted: price(Term::ContractedUnitPrice),
        }
    }

    /// A stable digest of what terms say, as of a resource. Terms that say nothing have 0.
    pub fn terms_digest(&self, id: TermsId) -> u128 {
        if id == TermsId::UNKNOWN {
            return 0;
        }
        let mut meaning = Vec::with_capacity(128);
        for term in Term::ALL {
            let text = self.term_text(id, term);
            meaning.extend_from_slice(&(text.len() as u32).to_le_bytes());
            meaning.extend_from_slice(text.as_bytes());
        }
        xxh3_128(&meaning)
    }

    /// A stable 128-bit digest of the resource's dimensions and tags, for fingerprints. Numbers are
    /// not in it.
    pub fn digest(&self, resource: ResourceId) -> u128 {
        let mut meaning = Vec::with_capacity(512);
        let mut add = |text: &str| {
            meaning.extend_from_slice(&(text.len() as u32).to_le_bytes());
            meaning.extend_from_slice(text.as_bytes());
        };
        add(self.currency(resource).code());
        for (field, symbol) in self.dimensions(resource) {
            add(field.name());
            add(self.text(symbol));
        }
        let mut tags: Vec<(&str, &str)> = self
            .tags(self.resource_tags(resource))
            .iter()
            .map(|(key, value)| (self.text(*key), self.text(*value)))
            .collect();
        tags.sort_unstable();
        for (key, value) in tags {
            add(key);
            add(value);
        }
        xxh3_128(&meaning)
    }
}

fn symbol_text<'a>(text: &'a str, ends: &[usize], id: u32) -> &'a str {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &text[start..ends[id]]
}

fn slice<'a, T>(items: &'a [T], ends: &[usize], id: u32) -> &'a [T] {
    let id = id as usize;
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &items[start..ends[id]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_things_get_equal_numbers() {
        let mut dictionary = Dictionary::new();
        assert_eq!(dictionary.symbol(""), Symbol::NONE);
        let (team, a) = (dictionary.symbol("team"), dictionary.symbol("a"));
        assert_eq!(dictionary.symbol("team"), team);
        let tags = dictionary.tag_set(&[(team, a)]);
        let usd = Currency::parse(b"USD").unwrap_or_else(|error| panic!("{error}"));
        let resource =
            |dimensions: Vec<(Field, Symbol)>| Resource { currency: usd, tags, dimensions };
        let first = dictionary
            .resource(&resource(vec![(Field::SERVICE_NAME, a), (Field::REGION_ID, team)]));
        let again = dictionary.resource(&resource(vec![
            (Field::REGION_ID, team),
            (Field::SERVICE_NAME, a),
            (Field::RESOURCE_ID, Symbol::NONE),
        ]));
        let fewer = dictionary.resource(&resource(vec![(Field::SERVICE_NAME, a)]));
        assert_eq!(first, again);
        assert_ne!(first, fewer);
        assert_eq!(dictionary.dimension_text(fewer, Field::REGION_ID), "");
        assert_eq!(dictionary.tag_text(first, "team"), "a");
        assert_eq!(dictionary.tag_text(first, "never seen"), "");
        assert_ne!(dictionary.digest(first), dictionary.digest(fewer));
        assert_eq!(dictionary.resource_count(), 2);
    }
}
