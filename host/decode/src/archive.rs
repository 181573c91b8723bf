//! ZIP archives: the one text table in each, and never its path.
//!
//! Only the table's own bytes are unpacked, as a stream, up to the size that the archive states.

use crate::code;
use crate::file::unreadable_file;
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom, Take};

const END_SIGNATURE: u32 = 0x0605_4B50;
const END_BYTES: usize = 22;
const END_64_SIGNATURE: u32 = 0x0606_4B50;
const END_64_BYTES: usize = 56;
const LOCATOR_SIGNATURE: u32 = 0x0706_4B50;
const LOCATOR_BYTES: usize = 20;
const ENTRY_SIGNATURE: u32 = 0x0201_4B50;
const ENTRY_BYTES: usize = 46;
const LOCAL_SIGNATURE: u32 = 0x0403_4B50;
const LOCAL_BYTES: usize = 30;
/// An archive may end in a comment of 65,535 bytes.
const TAIL_BYTES: u64 = (END_BYTES + 65_535 + LOCATOR_BYTES) as u64;
/// The list of an archive of bills has some hundred bytes.
const LIST_BYTES_MAX: u64 = 4 << 20;
const SHOWN_MAX: usize = 3;
/// Deflate makes at most 1032 bytes of one.
const RATIO_MAX: u64 = 1032;

/// The table of an archive, still packed.
pub(crate) struct Member {
    pub stored: Take<File>,
    pub facts: MemberFacts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberFacts {
    name: String,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    at: u64,
}

/// Finds the one table of an archive.
pub(crate) fn member(table: &GrantedTable, mut file: File) -> Result<Member, Diagnostic> {
    let list = match list(&mut file) {
        Ok(list) => list,
        Err(error) => return Err(broken(table, &error)),
    };
    let facts = the_table(table, list)?;
    let start = match data_start(&mut file, &facts) {
        Ok(start) => start,
        Err(error) => return Err(broken(table, &error)),
    };
    file.seek(SeekFrom::Start(start)).map_err(|error| unreadable_file(table, &error))?;
    Ok(Member { stored: file.take(facts.packed), facts })
}

pub(crate) fn unpacked(
    stored: impl Read + Send + 'static,
    facts: MemberFacts,
) -> Box<dyn Read + Send> {
    let (left, crc) = (facts.size, facts.crc);
    if facts.method == 0 {
        return Box::new(MemberReader { inner: stored, left, crc, seen: Crc::new() });
    }
    Box::new(MemberReader { inner: DeflateDecoder::new(stored), left, crc, seen: Crc::new() })
}

fn broken(table: &GrantedTable, error: &Error) -> Diagnostic {
    Diagnostic::new(
        code::FILE_TRUNCATED,
        format!("{} is not a whole ZIP archive: {error}", table.name),
    )
    .hint("fetch the file again and compare its size with the original's")
}

/// Chooses among the members: the only one, or the only one that is called a CSV file.
fn the_table(table: &GrantedTable, list: Vec<MemberFacts>) -> Result<MemberFacts, Diagnostic> {
    let mut files: Vec<MemberFacts> = list.into_iter().filter(MemberFacts::is_file).collect();
    let is_csv = |facts: &MemberFacts| facts.name.to_lowercase().ends_with(".csv");
    if files.len() > 1 && files.iter().any(is_csv) {
        files.retain(is_csv);
    }
    let refuse = |why: String| {
        Diagnostic::new(code::FILE_ARCHIVE, format!("{} {why}", table.name)).at(&table.name, 0, 0)
    };
    let unpack = format!("unpack it and let `paths` name what is a bill: `unzip {}`", table.name);
    match <[MemberFacts; 1]>::try_from(files) {
        Ok([facts]) if facts.flags & 1 != 0 => Err(refuse(format!(
            "is encrypted: '{}' in it cannot be read without its password",
            facts.name
        ))
        .hint(unpack)),
        Ok([facts]) if !matches!(facts.method, 0 | 8) => Err(refuse(format!(
            "packs '{}' in a way that is not read here (method {}): only deflate and stored are",
            facts.name, facts.method
        ))
        .hint(unpack)),
        Ok([facts]) if facts.size > facts.packed.saturating_mul(RATIO_MAX).saturating_add(64) => {
            Err(refuse(format!(
                "states {} bytes for '{}', which {} packed bytes cannot hold",
                facts.size, facts.name, facts.packed
            ))
            .hint("fetch the file again from where it came"))
        }
        Ok([facts]) => Ok(facts),
        Err(files) if files.is_empty() => {
            Err(refuse("holds no file".into()).hint("fetch the file again from where it came"))
        }
        Err(files) => {
            let names: Vec<String> =
                files.iter().take(SHOWN_MAX).map(|facts| format!("'{}'", facts.name)).collect();
            let more = if files.len() > SHOWN_MAX { ", …" } else { "" };
            Err(refuse(format!(
                "holds {} files, and a table is one: {}{more}",
                files.len(),
                names.join(", ")
            ))
            .hint(unpack))
        }
    }
}

impl MemberFacts {
    /// Folders, and what a Mac puts beside the files.
    fn is_file(&self) -> bool {
        let last = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        !last.is_empty() && !last.starts_with('.') && !self.name.starts_with("__MACOSX/")
    }
}

fn list(file: &mut File) -> std::io::Result<Vec<MemberFacts>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_start = length.saturating_sub(TAIL_BYTES);
    let tail = bytes_at(file, tail_start, length - tail_start)?;
    let end = (0..tail.len().saturating_sub(END_BYTES - 1))
        .rev()
        .find(|at| number(&tail, *at, 4) == Some(u64::from(END_SIGNATURE)))
        .ok_or_else(|| junk("its end is missing"))?;
    let mut size = field(&tail, end + 12, 4)?;
    let mut start = field(&tail, end + 16, 4)?;
    let locator = end.checked_sub(LOCATOR_BYTES);
    let locator = locator.filter(|at| number(&tail, *at, 4) == Some(u64::from(LOCATOR_SIGNATURE)));
    if let Some(locator) = locator {
        let at = field(&tail, locator + 8, 8)?;
        let end_64 = bytes_at(file, at, END_64_BYTES as u64)?;
        if number(&end_64, 0, 4) != Some(u64::from(END_64_SIGNATURE)) {
            return Err(junk("its long end is not where it should be"));
        }
        (size, start) = (field(&end_64, 40, 8)?, field(&end_64, 48, 8)?);
    }
    if size > LIST_BYTES_MAX {
        return Err(junk("its list of files is too long"));
    }
    entries(&bytes_at(file, start, size)?)
}

fn entries(list: &[u8]) -> std::io::Result<Vec<MemberFacts>> {
    let (mut entries, mut at) = (Vec::new(), 0);
    while at < list.len() {
        if number(list, at, 4) != Some(u64::from(ENTRY_SIGNATURE)) {
            return Err(junk("its list of files is broken"));
        }
        let length = |offset: usize| field(list, at + offset, 2).map(|length| length as usize);
        let (name, extra, comment) = (length(28)?, length(30)?, length(32)?);
        let name_end = at + ENTRY_BYTES + name;
        let bytes = list
            .get(at + ENTRY_BYTES..name_end)
            .ok_or_else(|| junk("its list of files ends too early"))?;
        let mut facts = MemberFacts {
            name: match std::str::from_utf8(bytes) {
                Ok(name) => name.to_owned(),
                Err(_) => bytes.escape_ascii().to_string(),
            },
            flags: field(list, at + 8, 2)? as u16,
            method: field(list, at + 10, 2)? as u16,
            crc: field(list, at + 16, 4)? as u32,
            packed: field(list, at + 20, 4)?,
            size: field(list, at + 24, 4)?,
            at: field(list, at + 42, 4)?,
        };
        let extra = list
            .get(name_end..name_end + extra)
            .ok_or_else(|| junk("its list of files ends too early"))?;
        facts.lengthen(extra)?;
        at = name_end + extra.len() + comment;
        entries.push(facts);
    }
    Ok(entries)
}

impl MemberFacts {
    /// Takes the long numbers of those that do not fit four bytes, in their fixed order.
    fn lengthen(&mut self, mut extra: &[u8]) -> std::io::Result<()> {
        while let (Some(kind), Some(length)) = (number(extra, 0, 2), number(extra, 2, 2)) {
            let end = (4 + length as usize).min(extra.len());
            let (block, rest) = extra.split_at(end);
            extra = rest;
            if kind != 1 {
                continue;
            }
            let mut at = 4;
            for value in [&mut self.size, &mut self.packed, &mut self.at] {
                if *value == u64::from(u32::MAX) {
                    *value = field(block, at, 8)?;
                    at += 8;
                }
            }
        }
        Ok(())
    }
}

fn data_start(file: &mut File, facts: &MemberFacts) -> std::io::Result<u64> {
    let local = bytes_at(file, facts.at, LOCAL_BYTES as u64)?;
    if number(&local, 0, 4) != Some(u64::from(LOCAL_SIGNATURE)) {
        return Err(junk("a file of it is not where its list says"));
    }
    let lengths = field(&local, 26, 2)? + field(&local, 28, 2)?;
    Ok(facts.at.saturating_add(LOCAL_BYTES as u64 + lengths))
}

fn bytes_at(file: &mut File, at: u64, count: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(count).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < count { Err(junk("it ends too early")) } else { Ok(bytes) }
}

fn field(bytes: &[u8], at: usize, count: usize) -> std::io::Result<u64> {
    number(bytes, at, count).ok_or_else(|| junk("it ends too early"))
}

/// A number of up to eight bytes, the lowest first.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(count)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn junk(why: &str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// Hands out as many bytes as the archive states, and compares their checksum.
struct MemberReader<R> {
    inner: R,
    left: u64,
    crc: u32,
    seen: Crc,
}

impl<R: Read> Read for MemberReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.inner.read(buffer)?;
        let Some(left) = self.left.checked_sub(count as u64) else {
            return Err(junk("a file of it is longer than its list says"));
        };
        if count == 0 && left > 0 {
            return Err(junk("a file of it is shorter than its list says"));
        }
        self.left = left;
        self.seen.update(&buffer[..count]);
        if count == 0 && self.seen.sum() != self.crc {
            return Err(junk("the checksum of a file of it is wrong"));
        }
        Ok(count)
    }
}
