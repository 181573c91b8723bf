//! A text table as a stream of UTF-8 with lines that end as on Unix or Windows, whatever its file
//! is.
//!
//! Places of rows are bytes of this stream. What cannot be read as text stays bytes that are no
//! UTF-8, so the reader of rows sets it aside and nothing is replaced unseen.

use crate::archive;
use crate::batch::TableFormat;
use crate::encoding::{Decoder, Latin, Utf16};
use crate::file::{open, unreadable};
use domain::diagnostic::Diagnostic;
use domain::port::GrantedTable;
use domain::text_form::Encoding;
use flate2::read::MultiGzDecoder;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// A header that is longer is no header. It also is enough of a file to see how its lines end.
const START_BYTES: usize = 64 << 10;

type Stream = Box<dyn Read + Send>;

/// Opens a table. The bytes of a file that is not read as it stands are counted in `read`.
pub(crate) fn reader(
    table: &GrantedTable,
    format: TableFormat,
    read: &Arc<AtomicU64>,
) -> Result<Stream, Diagnostic> {
    let unpacked: Stream = match format {
        TableFormat::CsvGz => Box::new(MultiGzDecoder::new(counted(open(table)?, read))),
        TableFormat::CsvZip => {
            let member = archive::member(table, open(table)?)?;
            archive::unpacked(counted(member.stored, read), member.facts)
        }
        _ => Box::new(open(table)?),
    };
    decoded(table, unpacked)
        .and_then(with_line_feeds)
        .map_err(|error| unreadable(table, format, &error))
}

fn counted<R: Read>(inner: R, read: &Arc<AtomicU64>) -> BufReader<CountingReader<R>> {
    BufReader::with_capacity(1 << 16, CountingReader { inner, read: Arc::clone(read) })
}

struct CountingReader<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Reads the start of a stream, and gives the whole stream back.
fn peeked(mut stream: Stream, count: usize) -> std::io::Result<(Vec<u8>, Stream)> {
    let mut start = Vec::new();
    (&mut stream).take(count as u64).read_to_end(&mut start)?;
    let whole = Box::new(Cursor::new(start.clone()).chain(stream));
    Ok((start, whole))
}

/// Turns the bytes of the file into UTF-8.
fn decoded(table: &GrantedTable, stream: Stream) -> std::io::Result<Stream> {
    let (start, stream) = peeked(stream, BYTE_ORDER_MARK.len())?;
    Ok(match (start.as_slice(), table.form.encoding) {
        (BYTE_ORDER_MARK, _) => stream,
        ([0xFF, 0xFE, ..], _) => Box::new(Decoder::new(stream, Utf16::little())),
        ([0xFE, 0xFF, ..], _) => Box::new(Decoder::new(stream, Utf16::big())),
        (_, Encoding::Utf8) => stream,
        // Headers begin with a letter of ASCII, whose upper byte is zero.
        ([0, ..], Encoding::Utf16) => Box::new(Decoder::new(stream, Utf16::big())),
        (_, Encoding::Utf16) => Box::new(Decoder::new(stream, Utf16::little())),
        (_, Encoding::Latin1) => Box::new(Decoder::new(stream, Latin::latin_1())),
        (_, Encoding::Windows1252) => Box::new(Decoder::new(stream, Latin::windows_1252())),
    })
}

/// Gives lines that end in a carriage return alone the end that rows are found by.
fn with_line_feeds(stream: Stream) -> std::io::Result<Stream> {
    let (start, stream) = peeked(stream, START_BYTES)?;
    Ok(if ends_in_carriage_return(&start) {
        Box::new(LineFeeds { inner: BufReader::with_capacity(1 << 16, stream), held: false })
    } else {
        stream
    })
}

/// Whether the first line ends in a carriage return alone.
fn ends_in_carriage_return(start: &[u8]) -> bool {
    let mut quoted = false;
    for (at, byte) in start.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => return false,
            b'\r' if !quoted => return start.get(at + 1) != Some(&b'\n'),
            _ => {}
        }
    }
    false
}

/// Makes a line feed of every carriage return that has none behind it.
struct LineFeeds {
    inner: BufReader<Stream>,
    /// The last byte was a carriage return, and the next one decides over it.
    held: bool,
}

impl Read for LineFeeds {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let next = self.inner.fill_buf()?;
            if self.held {
                buffer[filled] = if next.first() == Some(&b'\n') { b'\r' } else { b'\n' };
                filled += 1;
                self.held = false;
                continue;
            }
            if next.is_empty() {
                break;
            }
            let count = next.len().min(buffer.len() - filled);
            let plain = memchr::memchr(b'\r', &next[..count]).unwrap_or(count);
            buffer[filled..filled + plain].copy_from_slice(&next[..plain]);
            filled += plain;
            self.held = plain < count;
            self.inner.consume(plain + usize::from(self.held));
        }
        Ok(filled)
    }
}

/// A line without its end and without byte order marks in front.
pub(crate) fn bare(mut line: &[u8]) -> &[u8] {
    line = line.strip_suffix(b"\n").unwrap_or(line);
    line = line.strip_suffix(b"\r").unwrap_or(line);
    while let Some(rest) = line.strip_prefix(BYTE_ORDER_MARK) {
        line = rest;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &str, step: usize) -> String {
        let inner: Stream = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let mut reader = LineFeeds { inner: BufReader::with_capacity(5, inner), held: false };
        let (mut bytes, mut buffer) = (Vec::new(), vec![0; step]);
        loop {
            let count = reader.read(&mut buffer).unwrap_or_else(|error| panic!("{error}"));
            if count == 0 {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
            bytes.extend_from_slice(&buffer[..count]);
        }
    }

    #[test]
    fn lone_carriage_returns_become_line_feeds_at_every_step() {
        for step in 1..12 {
            assert_eq!(through("a,b\r1,2\r\r3,4\r", step), "a,b\n1,2\n\n3,4\n", "step {step}");
            assert_eq!(through("a\r\nb\rc\n\r\nd", step), "a\r\nb\nc\n\r\nd", "step {step}");
        }
    }

    #[test]
    fn the_first_line_tells_how_lines_end() {
        for (start, expect) in [
            ("a,b\r1,2\r", true),
            ("a,b\r\n1,2\r", false),
            ("a,b\n1,2\r", false),
            ("\"a\rb\",c\n1,2\n", false),
            ("a,b\r", true),
            ("a,b", false),
        ] {
            assert_eq!(ends_in_carriage_return(start.as_bytes()), expect, "{start:?}");
        }
    }
}
