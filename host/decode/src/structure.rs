//! Finds the delimiters and line ends of CSV outside quotes, 64 bytes a step.

use wide::u8x16;

/// The ends of the cells and rows of a block.
#[derive(Default)]
pub struct Structure {
    /// Positions of delimiters and line ends outside quotes, ascending; those beyond `count` are
    /// left over from an earlier block.
    ends: Vec<u32>,
    count: usize,
    /// For each row, the number of `ends` up to and with its line end.
    pub rows: Vec<u32>,
    /// A quote opens where no cell starts, or a cell goes on behind its closing quote: the file
    /// does not follow the rules of quoting.
    pub stray_quote: bool,
    /// A cell in quotes has several lines.
    pub lines_in_quotes: bool,
    /// No byte is above 127, so the block is text.
    pub is_ascii: bool,
}

const LANES: usize = 64;

impl Structure {
    pub fn ends(&self) -> &[u32] {
        &self.ends[..self.count]
    }

    /// Reads a block that starts at the start of a row.
    pub fn scan(&mut self, block: &[u8], delimiter: u8) {
        // A block cannot hold more ends than bytes. Memory pages that are never written cost
        // nothing.
        if self.ends.len() < block.len() + 2 * LANES {
            self.ends.resize(block.len() + 2 * LANES, 0);
        }
        self.count = 0;
        self.rows.clear();
        self.stray_quote = false;
        self.lines_in_quotes = false;
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            simd.vectorize(WideScan { structure: self, block, delimiter, simd });
            return;
        }
        self.scan_with(block, delimiter, Masks::of);
    }

    #[inline(always)]
    fn scan_with(
        &mut self,
        block: &[u8],
        delimiter: u8,
        masks: impl Fn(&[u8; LANES], u8) -> Masks,
    ) {
        // A block starts with a cell, so its first byte may be a quote.
        let mut state =
            ScanState { inside: 0, cell_start: 1, cell_closed: 0, line_due: false, upper: 0 };
        let (chunks, tail) = block.as_chunks::<LANES>();
        for (number, chunk) in chunks.iter().enumerate() {
            let found = masks(chunk, delimiter);
            self.step(found, chunk, (number * LANES) as u32, u64::MAX, &mut state);
        }
        let mut last = [0_u8; LANES];
        last[..tail.len()].copy_from_slice(tail);
        let valid = if tail.is_empty() { 0 } else { u64::MAX >> (LANES - tail.len()) };
        let found = masks(&last, delimiter);
        self.step(found, &last, (chunks.len() * LANES) as u32, valid, &mut state);
        self.is_ascii = state.upper == 0;
    }

    #[inline(always)]
    fn step(
        &mut self,
        found: Masks,
        chunk: &[u8; LANES],
        base: u32,
        valid: u64,
        state: &mut ScanState,
    ) {
        state.upper |= found.upper;
        let quotes = found.quotes & valid;
        let inside = prefix_xor(quotes) ^ state.inside;
        // The last bit, spread over all: the next bytes begin inside quotes if these end there.
        state.inside = ((inside as i64) >> 63) as u64;
        let lines = found.lines & valid & !inside;
        self.lines_in_quotes |= found.lines & valid & inside != 0;
        let ends = (found.delimiters & valid & !inside) | lines;
        // A cell starts behind another cell's end. A quote right behind a quote is a doubled quote
        // inside a cell.
        let starts = (ends | quotes) << 1 | state.cell_start;
        state.cell_start = (ends | quotes) >> 63;
        // Such a quote would hide all rows up to the next quote in one cell.
        self.stray_quote |= quotes & inside & !starts != 0;
        // The last quote of a cell stands outside, like the end that has to follow it.
        let closing = quotes & !inside;
        let behind = (closing << 1 | state.cell_closed) & valid;
        state.cell_closed = closing >> 63;
        let odd = behind & !(found.quotes | found.delimiters | found.lines);
        if odd != 0 || state.line_due {
            let behind = BehindQuote { odd, line_due: state.line_due, lines: found.lines, valid };
            let (goes_on, line_due) = behind.look(chunk);
            self.stray_quote |= goes_on;
            state.line_due = line_due;
        }
        let mut line = lines;
        while line != 0 {
            let below = line & line.wrapping_neg();
            self.rows.push(self.count as u32 + (ends & (below - 1)).count_ones() + 1);
            line ^= below;
        }
        self.push_ends(ends, base);
    }

    /// Writes all positions of a mask, four at a time, so that the processor predicts the loop
    /// well.
    #[inline(always)]
    fn push_ends(&mut self, mut mask: u64, base: u32) {
        let count = mask.count_ones() as usize;
        if let Some(positions) =
            self.ends.get_mut(self.count..).and_then(<[u32]>::first_chunk_mut::<LANES>)
        {
            let mut at = 0;
            while mask != 0 {
                for lane in 0..4 {
                    // Behind the last end, up to three places get junk. The count leaves it out,
                    // and the next mask overwrites it. The remainder spares the check of bounds.
                    positions[(at + lane) % LANES] = base + mask.trailing_zeros();
                    mask &= mask.wrapping_sub(1);
                }
                at += 4;
            }
        }
        self.count += count;
    }
}

struct ScanState {
    /// All ones within quotes.
    inside: u64,
    /// One if the next byte starts a cell or follows a quote.
    cell_start: u64,
    /// One if the last byte was a quote that closes a cell.
    cell_closed: u64,
    /// The last byte was a carriage return behind a closed cell, so a line feed has to follow.
    line_due: bool,
    /// Not zero once a byte was above 127.
    upper: u32,
}

/// The bytes behind closing quotes that are no ends of cells.
struct BehindQuote {
    odd: u64,
    /// As in the state of the scan.
    line_due: bool,
    lines: u64,
    valid: u64,
}

impl BehindQuote {
    /// Whether a cell goes on behind its closing quote, and whether the next bytes have to begin
    /// with a line feed. Asked rarely, or once a line where lines end as on Windows and their last
    /// cell has quotes. It takes no part of the state, which stays in registers.
    #[cold]
    #[inline(never)]
    fn look(mut self, chunk: &[u8; LANES]) -> (bool, bool) {
        let mut goes_on = self.line_due && self.valid & 1 != 0 && self.lines & 1 == 0;
        let mut line_due = false;
        while self.odd != 0 {
            let at = self.odd.trailing_zeros();
            self.odd &= self.odd - 1;
            match chunk.get(at as usize) {
                Some(b'\r') if at + 1 == LANES as u32 => line_due = true,
                Some(b'\r') => {
                    let next = 1 << (at + 1);
                    goes_on |= self.valid & next != 0 && self.lines & next == 0;
                }
                _ => goes_on = true,
            }
        }
        (goes_on, line_due)
    }
}

struct Masks {
    quotes: u64,
    delimiters: u64,
    lines: u64,
    /// Not zero if a byte is above 127.
    upper: u32,
}

impl Masks {
    #[inline(always)]
    fn of(chunk: &[u8; LANES], delimiter: u8) -> Masks {
        let (quote, comma, line) =
            (u8x16::splat(b'"'), u8x16::splat(delimiter), u8x16::splat(b'\n'));
        let upper = u32::from(chunk.iter().fold(0, |bits, byte| bits | byte) & 0x80);
        let mut masks = Masks { quotes: 0, delimiters: 0, lines: 0, upper };
        let (quarters, _) = chunk.as_chunks::<16>();
        for (number, quarter) in quarters.iter().enumerate() {
            let bytes = u8x16::new(*quarter);
            let shift = number * 16;
            masks.quotes |= u64::from(bytes.simd_eq(quote).to_bitmask()) << shift;
            masks.delimiters |= u64::from(bytes.simd_eq(comma).to_bitmask()) << shift;
            masks.lines |= u64::from(bytes.simd_eq(line).to_bitmask()) << shift;
        }
        masks
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn wide(simd: pulp::x86::V3, chunk: &[u8; LANES], delimiter: u8) -> Masks {
        let [low, high]: [std::arch::x86_64::__m256i; 2] = pulp::cast(*chunk);
        let equal = |byte: u8| {
            let wanted = simd.avx._mm256_set1_epi8(byte as i8);
            let mask = |half| {
                simd.avx2._mm256_movemask_epi8(simd.avx2._mm256_cmpeq_epi8(half, wanted)) as u32
            };
            u64::from(mask(low)) | u64::from(mask(high)) << 32
        };
        let either = simd.avx2._mm256_or_si256(low, high);
        Masks {
            quotes: equal(b'"'),
            delimiters: equal(delimiter),
            lines: equal(b'\n'),
            upper: simd.avx2._mm256_movemask_epi8(either) as u32,
        }
    }
}

/// The same scan where the processor has AVX2 and the bit instructions that came with it.
#[cfg(target_arch = "x86_64")]
struct WideScan<'a> {
    structure: &'a mut Structure,
    block: &'a [u8],
    delimiter: u8,
    simd: pulp::x86::V3,
}

#[cfg(target_arch = "x86_64")]
impl pulp::NullaryFnOnce for WideScan<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let WideScan { structure, block, delimiter, simd } = self;
        structure.scan_with(
            block,
            delimiter,
            #[inline(always)]
            |chunk, delimiter| Masks::wide(simd, chunk, delimiter),
        );
    }
}

/// Bit `i` of the result is the parity of the bits up to and with `i`.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> (Vec<Vec<String>>, bool) {
        let mut structure = Structure::default();
        structure.scan(text.as_bytes(), b',');
        let (mut rows, mut start, mut first) = (Vec::new(), 0, 0);
        for row in &structure.rows {
            let ends = &structure.ends()[first..*row as usize];
            rows.push(
                ends.iter()
                    .map(|end| {
                        let cell = text[start..*end as usize].to_owned();
                        start = *end as usize + 1;
                        cell
                    })
                    .collect(),
            );
            first = *row as usize;
        }
        (rows, structure.stray_quote)
    }

    /// A plain state machine, as a second opinion.
    fn expected(text: &str) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut inside) =
            (Vec::new(), Vec::new(), String::new(), false);
        for c in text.chars() {
            match c {
                '"' => {
                    inside = !inside;
                    cell.push(c);
                }
                ',' if !inside => row.push(std::mem::take(&mut cell)),
                '\n' if !inside => {
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                _ => cell.push(c),
            }
        }
        rows
    }

    #[test]
    fn both_ways_of_scanning_agree() {
        let text = "a,\"b,\n\"\"x\"\"\",c\n,,\n".repeat(40);
        for length in 0..text.len() {
            let (mut any, mut portable) = (Structure::default(), Structure::default());
            any.scan(&text.as_bytes()[..length], b',');
            portable.ends.resize(length + 2 * LANES, 0);
            portable.scan_with(&text.as_bytes()[..length], b',', Masks::of);
            assert_eq!(
                (any.ends(), &any.rows, any.stray_quote),
                (portable.ends(), &portable.rows, portable.stray_quote),
                "length {length}"
            );
        }
    }

    #[test]
    fn both_ways_of_scanning_see_a_byte_above_127_at_every_place() {
        for length in 1..140 {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                for byte in [0x7F, 0x80, 0xFF] {
                    text[at] = byte;
                    let (mut any, mut portable) = (Structure::default(), Structure::default());
                    any.scan(&text, b',');
                    portable.ends.resize(length + 2 * LANES, 0);
                    portable.scan_with(&text, b',', Masks::of);
                    let seen = (any.is_ascii, portable.is_ascii);
                    assert_eq!(seen, (byte < 0x80, byte < 0x80), "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn agrees_with_a_plain_state_machine_at_every_offset() {
        let text = "a,\"b,\n\"\"x\"\"\",c\n,,\n\n\"\",\"long cell with , and \n and more than \
             sixteen bytes\",z\nlast,row,here\n";
        for padding in 0..140 {
            let shifted = format!("{},{text}", "p".repeat(padding));
            assert_eq!(cells(&shifted), (expected(&shifted), false), "padding {padding}");
        }
    }

    #[test]
    fn sees_a_quote_within_an_unquoted_cell() {
        assert!(cells("a,5\" disk,b\nc,d,e\n").1);
        assert!(!cells("a,\"5\"\" disk\",b\n\"c\",d,e\n").1);
        assert!(cells(&format!("{}a,b\"c,d\n", "x".repeat(63))).1);
        assert!(!cells(&format!("{},\"c\",d\n", "x".repeat(62))).1);
    }

    #[test]
    fn sees_text_behind_a_closing_quote_at_every_offset() {
        for padding in 0..140 {
            let padding = "p".repeat(padding);
            for (text, expect) in [
                ("\"a\"b,c\n", true),
                ("\"a\" ,c\n", true),
                ("\"a\"\rb,c\n", true),
                ("\"a\",c\n", false),
                ("\"a\"\r\n", false),
                ("\"a\"\n", false),
                ("\"a\"\"b\"\n", false),
                ("\"a\"\"\"\n", false),
                ("\"a,\"\"\nb\"\n", false),
            ] {
                assert_eq!(cells(&format!("{padding},{text}")).1, expect, "{padding} {text:?}");
            }
        }
    }
}
