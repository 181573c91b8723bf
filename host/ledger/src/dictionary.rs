//! The dictionary on disk: blocks of symbols, tag sets, resources and terms. New items are
//! appended.
//!
//! Items are known by their numbers, so a dictionary that is read back must give every item the
//! number that it had. Interning the items in their stored order does that, and each number is
//! checked.

use crate::block::{BlockReader, put_column, put_texts, put_u32};
use crate::error::{corrupt, misuse};
use crate::row;
use crate::{Reader, Result, Transaction};
use domain::dictionary::{Dictionary, Resource, ResourceId, Symbol, TagSetId};
use domain::field::Field;
use domain::money::Currency;
use domain::terms::{Term, Terms, TermsId};
use rusqlite::Connection;

/// Items of one block. They are enough to compress well, and few enough to stay below a megabyte.
const BLOCK_ITEMS: usize = 16_384;

/// The most items that room is made for at once: a damaged file may claim any number.
const RESERVE_MAX: usize = 1 << 22;

impl Reader {
    /// Everything interned so far, with the numbers that it had.
    pub fn dictionary(&self) -> Result<Dictionary> {
        let mut dictionary = Dictionary::new();
        let connection = &self.connection;
        let room =
            |table: &str| stored_count(connection, table).map(|count| count.min(RESERVE_MAX));
        dictionary.reserve(room("symbol_block")?, room("tag_set_block")?, room("resource_block")?);
        blocks(connection, "symbol_block", |first, data| {
            read_symbols(&mut dictionary, first, data)
        })?;
        blocks(connection, "tag_set_block", |first, data| {
            read_tag_sets(&mut dictionary, first, data)
        })?;
        blocks(connection, "resource_block", |first, data| {
            read_resources(&mut dictionary, first, data)
        })?;
        blocks(connection, "terms_block", |first, data| read_terms(&mut dictionary, first, data))?;
        Ok(dictionary)
    }
}

impl Transaction<'_> {
    /// Appends the items that the journal does not have. The dictionary must have grown out of
    /// [`Ledger::dictionary`].
    pub fn save_dictionary(&mut self, dictionary: &Dictionary) -> Result<()> {
        self.append_blocks("symbol_block", dictionary.symbol_count(), |first, count| {
            write_symbols(dictionary, first, count)
        })?;
        self.append_blocks("tag_set_block", dictionary.tag_set_count(), |first, count| {
            write_tag_sets(dictionary, first, count)
        })?;
        self.append_blocks("resource_block", dictionary.resource_count(), |first, count| {
            write_resources(dictionary, first, count)
        })?;
        // The first terms say nothing, and every dictionary has them.
        if dictionary.terms_count() == 1 {
            return Ok(());
        }
        self.append_blocks("terms_block", dictionary.terms_count(), |first, count| {
            write_terms(dictionary, first, count)
        })
    }

    fn append_blocks(
        &self,
        table: &str,
        count: usize,
        write: impl Fn(usize, usize) -> Vec<u8>,
    ) -> Result<()> {
        let connection = &self.ledger.connection;
        let stored = stored_count(connection, table)?;
        // A dictionary that did not grow out of the stored one has other numbers.
        if count < stored {
            return Err(misuse(format!(
                "the dictionary to save has {count} items and {table} has {stored}"
            )));
        }
        let sql = format!("INSERT INTO {table} (first, count, run, data) VALUES (?1, ?2, ?3, ?4)");
        for first in (stored..count).step_by(BLOCK_ITEMS) {
            let items = BLOCK_ITEMS.min(count - first);
            row::execute(
                connection,
                &sql,
                (first as i64, items as i64, self.run.0, write(first, items)),
            )?;
        }
        Ok(())
    }
}

fn stored_count(connection: &Connection, table: &str) -> Result<usize> {
    let count = row::number(
        connection,
        &format!("SELECT coalesce(max(first + count), 0) FROM {table}"),
        [],
    )?;
    usize::try_from(count)
        .map_err(|_| corrupt(format!("the blocks of {table} end before they begin")))
}

/// Hands out each block with the number of its first item. A gap is an error.
fn blocks(
    connection: &Connection,
    table: &str,
    mut take: impl FnMut(usize, &[u8]) -> Result<usize>,
) -> Result<()> {
    let mut due = 0;
    row::rows(
        connection,
        &format!("SELECT first, count, data FROM {table} ORDER BY first"),
        [],
        |row| {
            let (first, count) = (row::count(row, 0)? as usize, row::count(row, 1)? as usize);
            if first != due {
                return Err(corrupt(format!(
                    "{table}: item {due} is missing, the next block begins with {first}"
                )));
            }
            let data =
                row.get_ref(2).ok().and_then(|value| value.as_blob().ok()).unwrap_or_default();
            let read = take(first, data)
                .map_err(|error| corrupt(format!("{table} {first}: {}", error.message)))?;
            if read != count {
                return Err(corrupt(format!(
                    "{table} {first} has {read} items instead of {count}"
                )));
            }
            due += count;
            Ok(())
        },
    )?;
    Ok(())
}

/// Interning must give the number that the item had. Another number means that an item is stored
/// twice.
fn check_number(what: &str, due: usize, number: u32) -> Result<()> {
    if number as usize == due {
        Ok(())
    } else {
        Err(corrupt(format!("{what} {due} is stored a second time, first as {number}")))
    }
}

fn write_symbols(dictionary: &Dictionary, first: usize, count: usize) -> Vec<u8> {
    let mut data = Vec::new();
    put_u32(&mut data, count as u32);
    put_texts(&mut data, (first..first + count).map(|id| dictionary.text(Symbol(id as u32))));
    data
}

fn read_symbols(dictionary: &mut Dictionary, first: usize, data: &[u8]) -> Result<usize> {
    let mut reader = BlockReader::new(data);
    let count = reader.count()?;
    let mut due = first;
    reader.texts(count, |text| {
        check_number("symbol", due, dictionary.symbol(text).0)?;
        due += 1;
        Ok(())
    })?;
    reader.end()?;
    Ok(count)
}

fn write_tag_sets(dictionary: &Dictionary, first: usize, count: usize) -> Vec<u8> {
    let (mut lengths, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for id in first..first + count {
        let tags = dictionary.tags(TagSetId(id as u32));
        lengths.push(tags.len() as u32);
        keys.extend(tags.iter().map(|(key, _)| key.0));
        values.extend(tags.iter().map(|(_, value)| value.0));
    }
    let mut data = Vec::new();
    put_u32(&mut data, count as u32);
    put_column(&mut data, &lengths);
    put_u32(&mut data, keys.len() as u32);
    put_column(&mut data, &keys);
    put_column(&mut data, &values);
    data
}

fn read_tag_sets(dictionary: &mut Dictionary, first: usize, data: &[u8]) -> Result<usize> {
    let (mut lengths, mut keys, mut values): (Vec<u32>, Vec<u32>, Vec<u32>) = Default::default();
    let mut reader = BlockReader::new(data);
    let count = reader.count()?;
    reader.column(count, &mut lengths)?;
    let all = reader.count_of_many()?;
    reader.column(all, &mut keys)?;
    reader.column(all, &mut values)?;
    reader.end()?;
    let symbols = dictionary.symbol_count() as u32;
    if keys.iter().chain(&values).any(|symbol| *symbol >= symbols) {
        return Err(corrupt("a stored tag names a text that does not exist"));
    }
    let tags: Vec<(Symbol, Symbol)> =
        keys.into_iter().zip(values).map(|(key, value)| (Symbol(key), Symbol(value))).collect();
    let mut rest = tags.as_slice();
    for (due, length) in (first..).zip(lengths) {
        let (tags, after) = rest
            .split_at_checked(length as usize)
            .ok_or_else(|| corrupt("a stored tag set is longer than its block"))?;
        if !tags.is_sorted_by(|left, right| left.0 < right.0) {
            return Err(corrupt(format!("the tags of set {due} are out of order")));
        }
        check_number("tag set", due, dictionary.tag_set(tags).0)?;
        rest = after;
    }
    Ok(count)
}

/// Writes currencies and tags, then a column for each field that any resource of the block has.
fn write_resources(dictionary: &Dictionary, first: usize, count: usize) -> Vec<u8> {
    let ids = || (first..first + count).map(|id| ResourceId(id as u32));
    let mut data = Vec::new();
    put_u32(&mut data, count as u32);
    let currencies: Vec<u32> = ids()
        .map(|id| dictionary.currency(id).bytes())
        .map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
        .collect();
    put_column(&mut data, &currencies);
    put_column(&mut data, &ids().map(|id| dictionary.resource_tags(id).0).collect::<Vec<u32>>());
    let columns: Vec<(Field, Vec<u32>)> = Field::all()
        .map(|field| {
            (field, ids().map(|id| dictionary.dimension(id, field).0).collect::<Vec<u32>>())
        })
        .filter(|(_, column)| column.iter().any(|symbol| *symbol != Symbol::NONE.0))
        .collect();
    put_u32(&mut data, columns.len() as u32);
    for (field, column) in columns {
        put_texts(&mut data, std::iter::once(field.name()));
        put_ascending(&mut data, &column);
    }
    data
}

/// Writes a column for each part of the terms.
fn write_terms(dictionary: &Dictionary, first: usize, count: usize) -> Vec<u8> {
    let mut data = Vec::new();
    put_u32(&mut data, count as u32);
    put_u32(&mut data, Term::COUNT as u32);
    for term in Term::ALL {
        let symbols: Vec<u32> = (first..first + count)
            .map(|id| dictionary.terms(TermsId(id as u32)).get(term).0)
            .collect();
        put_texts(&mut data, std::iter::once(term.name()));
        put_ascending(&mut data, &symbols);
    }
    data
}

fn read_terms(dictionary: &mut Dictionary, first: usize, data: &[u8]) -> Result<usize> {
    let mut reader = BlockReader::new(data);
    let count = reader.count()?;
    let mut terms = vec![Terms::default(); count];
    for _ in 0..reader.count()? {
        let mut term = Term::InvoiceId;
        reader.texts(1, |name| {
            term = Term::by_name(name)
                .ok_or_else(|| corrupt(format!("stored terms have the unknown part '{name}'")))?;
            Ok(())
        })?;
        let symbols = read_ascending(&mut reader, count, dictionary.symbol_count())?;
        terms.iter_mut().zip(symbols).for_each(|(terms, symbol)| terms.set(term, symbol));
    }
    reader.end()?;
    for (due, terms) in (first..).zip(terms) {
        check_number("terms", due, dictionary.intern_terms(terms).0)?;
    }
    Ok(count)
}

/// A column either as it is or as zigzag differences: numbers of things seen for the first time
/// ascend.
fn put_ascending(data: &mut Vec<u8>, column: &[u32]) {
    let mut before = 0_u32;
    let differences: Vec<u64> = column
        .iter()
        .map(|symbol| {
            let difference =
                i64::from(*symbol) - i64::from(std::mem::replace(&mut before, *symbol));
            (difference << 1 ^ difference >> 63) as u64
        })
        .collect();
    let (mut plain, mut ascending) = (vec![0], vec![1]);
    put_column(&mut plain, column);
    put_column(&mut ascending, &differences);
    // A new resource mostly brings a new id, so the numbers of ids ascend; names of services
    // repeat. The shorter of the two forms is kept.
    data.extend_from_slice(if plain.len() <= ascending.len() { &plain } else { &ascending });
}

fn read_ascending(
    reader: &mut BlockReader<'_>,
    count: usize,
    symbols: usize,
) -> Result<Vec<Symbol>> {
    let mut words: Vec<u64> = Vec::new();
    let is_ascending = reader.byte()? == 1;
    reader.column(count, &mut words)?;
    let mut before = 0_i64;
    words
        .into_iter()
        .map(|word| {
            let value = if is_ascending {
                before.wrapping_add((word >> 1) as i64 ^ -((word & 1) as i64))
            } else {
                word as i64
            };
            before = value;
            let symbol = u32::try_from(value).ok().filter(|symbol| (*symbol as usize) < symbols);
            symbol
                .map(Symbol)
                .ok_or_else(|| corrupt("a stored resource names a text that does not exist"))
        })
        .collect()
}

fn read_resources(dictionary: &mut Dictionary, first: usize, data: &[u8]) -> Result<usize> {
    let mut reader = BlockReader::new(data);
    let count = reader.count()?;
    let (mut currencies, mut tags): (Vec<u32>, Vec<u32>) = Default::default();
    reader.column(count, &mut currencies)?;
    reader.column(count, &mut tags)?;
    let mut columns = Vec::new();
    for _ in 0..reader.count()? {
        let mut field = None;
        reader.texts(1, |name| {
            field = Field::by_name(name);
            if field.is_some() {
                Ok(())
            } else {
                Err(corrupt(format!("stored resources have the unknown dimension '{name}'")))
            }
        })?;
        let column = read_ascending(&mut reader, count, dictionary.symbol_count())?;
        columns.extend(field.map(|field| (field, column)));
    }
    reader.end()?;
    let mut resource = Resource {
        currency: a_currency(currencies.first().copied().unwrap_or_default())?,
        tags: TagSetId(0),
        dimensions: Vec::new(),
    };
    for (at, (currency, tags)) in currencies.into_iter().zip(tags).enumerate() {
        if tags as usize >= dictionary.tag_set_count() {
            return Err(corrupt("a stored resource names tags that do not exist"));
        }
        resource.currency = a_currency(currency)?;
        resource.tags = TagSetId(tags);
        resource.dimensions.clear();
        let present = columns
            .iter()
            .filter_map(|(field, column)| Some((*field, *column.get(at)?)))
            .filter(|(_, symbol)| *symbol != Symbol::NONE);
        resource.dimensions.extend(present);
        check_number("resource", first + at, dictionary.resource(&resource).0)?;
    }
    Ok(count)
}

fn a_currency(code: u32) -> Result<Currency> {
    let [_, code @ ..] = code.to_be_bytes();
    Currency::parse(&code)
        .map_err(|error| corrupt(format!("a stored resource has a wrong currency: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ledger, RunStart};
    use proptest::prelude::*;

    fn start() -> RunStart {
        RunStart { at_ms: 0, version: "1".into() }
    }

    fn good<T>(result: Result<T>) -> T {
        result.unwrap_or_else(|error| panic!("{error}"))
    }

    fn assert_same(left: &Dictionary, right: &Dictionary) {
        assert_eq!(left.symbol_count(), right.symbol_count());
        assert_eq!(left.tag_set_count(), right.tag_set_count());
        assert_eq!(left.resource_count(), right.resource_count());
        assert_eq!(left.terms_count(), right.terms_count());
        for id in (0..left.terms_count() as u32).map(TermsId) {
            assert_eq!(left.terms(id), right.terms(id));
        }
        for id in (0..left.symbol_count() as u32).map(Symbol) {
            assert_eq!(left.text(id), right.text(id));
        }
        for id in (0..left.tag_set_count() as u32).map(TagSetId) {
            assert_eq!(left.tags(id), right.tags(id));
        }
        for id in (0..left.resource_count() as u32).map(ResourceId) {
            assert_eq!(left.digest(id), right.digest(id));
            assert_eq!(left.resource_tags(id), right.resource_tags(id));
            assert!(left.dimensions(id).eq(right.dimensions(id)));
        }
    }

    /// One step of a test. Numbers are taken modulo the known symbols, so that any numbers make a
    /// valid dictionary.
    type Step = (String, Vec<(u32, u32)>, Vec<(u8, u32)>, bool);

    fn grow(dictionary: &mut Dictionary, (text, tags, dimensions, is_euro): &Step) {
        dictionary.symbol(text);
        let known = dictionary.symbol_count() as u32;
        let mut tags: Vec<(Symbol, Symbol)> =
            tags.iter().map(|(key, value)| (Symbol(key % known), Symbol(value % known))).collect();
        tags.sort();
        tags.dedup_by_key(|tag| tag.0);
        let tags = dictionary.tag_set(&tags);
        let mut dimensions: Vec<(Field, Symbol)> = dimensions
            .iter()
            .filter_map(|(field, symbol)| {
                Some((Field::from_index(*field as usize % Field::COUNT)?, Symbol(symbol % known)))
            })
            .collect();
        dimensions.sort();
        dimensions.dedup_by_key(|dimension| dimension.0);
        let currency = Currency::parse(if *is_euro { b"EUR" } else { b"USD" })
            .unwrap_or_else(|error| panic!("{error}"));
        let dimensions: Vec<(Field, Symbol)> = dimensions;
        // Any symbols will do as terms.
        let mut terms = Terms::default();
        for (term, (_, symbol)) in Term::ALL.into_iter().zip(&dimensions) {
            terms.set(term, *symbol);
        }
        dictionary.intern_terms(terms);
        dictionary.resource(&Resource { currency, tags, dimensions });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_dictionary_comes_back_from_any_number_of_runs(
            steps in prop::collection::vec(
                (
                    ".{0,12}",
                    prop::collection::vec((any::<u32>(), any::<u32>()), 0..4),
                    prop::collection::vec((any::<u8>(), any::<u32>()), 0..6),
                    any::<bool>(),
                ),
                0..60,
            ),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut ledger = good(Ledger::in_memory());
            let mut dictionary = Dictionary::new();
            let (early, late) = steps.split_at(cut.index(steps.len() + 1));
            for part in [early, late] {
                part.iter().for_each(|step| grow(&mut dictionary, step));
                let mut transaction = good(ledger.begin(&start()));
                good(transaction.save_dictionary(&dictionary));
                transaction.commit_for_tests();
                assert_same(&good(ledger.dictionary()), &dictionary);
            }
        }

        #[test]
        fn damaged_blocks_are_an_error_or_a_dictionary(
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            which in 0..3,
        ) {
            let mut dictionary = Dictionary::new();
            for number in 0..90_u32 {
                let (tags, dimensions) = (vec![(number, 2)], vec![(number as u8, number)]);
                grow(&mut dictionary, &(format!("text {number}"), tags, dimensions, false));
            }
            let mut blocks = [
                write_symbols(&dictionary, 0, dictionary.symbol_count()),
                write_tag_sets(&dictionary, 0, dictionary.tag_set_count()),
                write_resources(&dictionary, 0, dictionary.resource_count()),
            ];
            let at = at.index(blocks[which as usize].len());
            blocks[which as usize][at] = byte;
            let mut read = Dictionary::new();
            let result = read_symbols(&mut read, 0, &blocks[0])
                .and_then(|_| read_tag_sets(&mut read, 0, &blocks[1]))
                .and_then(|_| read_resources(&mut read, 0, &blocks[2]));
            if let Err(error) = result {
                prop_assert_eq!(error.code, crate::code::LEDGER_CORRUPT);
            }
        }
    }
}
