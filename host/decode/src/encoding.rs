//! Text in other encodings → UTF-8, piece by piece.

use std::io::Read;

/// A byte that UTF-8 never has. It stands for what an encoding cannot say, such as half a pair of
/// UTF-16, so that the row is set aside.
const NO_TEXT: u8 = 0xFF;
const PIECE_BYTES: usize = 16 << 10;

/// One encoding's way to read characters.
pub(crate) trait Characters {
    /// Appends the characters of a piece as UTF-8. At the end of the file the piece is empty.
    fn read(&mut self, piece: &[u8], text: &mut Vec<u8>);
}

/// A stream in another encoding, read as UTF-8.
pub(crate) struct Decoder<R, C> {
    inner: R,
    characters: C,
    piece: Vec<u8>,
    text: Vec<u8>,
    taken: usize,
    ended: bool,
}

impl<R: Read, C: Characters> Decoder<R, C> {
    pub fn new(inner: R, characters: C) -> Decoder<R, C> {
        let piece = vec![0; PIECE_BYTES];
        Decoder { inner, characters, piece, text: Vec::new(), taken: 0, ended: false }
    }
}

impl<R: Read, C: Characters> Read for Decoder<R, C> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.taken == self.text.len() && !self.ended {
            (self.taken, self.ended) = (0, false);
            self.text.clear();
            let count = self.inner.read(&mut self.piece)?;
            self.ended = count == 0;
            self.characters.read(&self.piece[..count], &mut self.text);
        }
        let rest = &self.text[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

fn push(text: &mut Vec<u8>, character: char) {
    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Encodings with one byte for a character, of which all below 128 are ASCII.
pub(crate) struct Latin {
    /// The characters of the bytes 128 to 159.
    upper: [char; 32],
}

impl Latin {
    pub fn latin_1() -> Latin {
        Latin { upper: std::array::from_fn(|at| char::from(128 + at as u8)) }
    }

    /// Five bytes have no character. They stay what they are in Latin-1, which is what browsers do.
    pub fn windows_1252() -> Latin {
        Latin {
            upper: [
                '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}',
                'Ž', '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›',
                'œ', '\u{9D}', 'ž', 'Ÿ',
            ],
        }
    }
}

impl Characters for Latin {
    fn read(&mut self, piece: &[u8], text: &mut Vec<u8>) {
        for byte in piece {
            match byte {
                0..128 => text.push(*byte),
                128..160 => push(text, self.upper[usize::from(*byte - 128)]),
                160.. => push(text, char::from(*byte)),
            }
        }
    }
}

/// Two bytes for most characters, and a pair of such units for all others.
pub(crate) struct Utf16 {
    unit: fn([u8; 2]) -> u16,
    /// The first byte of a unit that the next piece ends.
    half: Option<u8>,
    /// The first unit of a pair.
    high: Option<u16>,
}

impl Utf16 {
    pub fn little() -> Utf16 {
        Utf16 { unit: u16::from_le_bytes, half: None, high: None }
    }

    pub fn big() -> Utf16 {
        Utf16 { unit: u16::from_be_bytes, half: None, high: None }
    }

    fn take(&mut self, unit: u16, text: &mut Vec<u8>) {
        let high = self.high.take();
        match (high, unit) {
            (Some(high), 0xDC00..=0xDFFF) => {
                let point =
                    0x10000 + ((u32::from(high) - 0xD800) << 10) + (u32::from(unit) - 0xDC00);
                match char::from_u32(point) {
                    Some(character) => push(text, character),
                    None => text.push(NO_TEXT),
                }
                return;
            }
            (Some(_), _) => text.push(NO_TEXT),
            (None, _) => {}
        }
        match unit {
            0xD800..=0xDBFF => self.high = Some(unit),
            _ => match char::from_u32(u32::from(unit)) {
                Some(character) => push(text, character),
                None => text.push(NO_TEXT),
            },
        }
    }
}

impl Characters for Utf16 {
    fn read(&mut self, piece: &[u8], text: &mut Vec<u8>) {
        for byte in piece {
            match self.half.take() {
                None => self.half = Some(*byte),
                Some(first) => self.take((self.unit)([first, *byte]), text),
            }
        }
        if piece.is_empty() && (self.half.take().is_some() || self.high.take().is_some()) {
            text.push(NO_TEXT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Vec<u8>, characters: impl Characters) -> Vec<u8> {
        let mut text = Vec::new();
        Decoder::new(std::io::Cursor::new(bytes), characters)
            .read_to_end(&mut text)
            .unwrap_or_else(|error| panic!("{error}"));
        text
    }

    /// By the tables of the Unicode consortium: 0x80 is the euro sign in Windows-1252 and a control
    /// character in Latin-1, 0xFC is ü in both.
    #[test]
    fn single_bytes_are_read_by_their_tables() {
        let bytes = vec![b'Z', 0xFC, b'r', 0x80, 0x9F, 0xFF];
        assert_eq!(text(bytes.clone(), Latin::windows_1252()), "Zür€Ÿÿ".as_bytes());
        assert_eq!(text(bytes, Latin::latin_1()), "Zür\u{80}\u{9F}ÿ".as_bytes());
    }

    #[test]
    fn units_of_two_bytes_are_read_in_both_orders() {
        let written = "a,ü🚀\n".repeat(9000);
        let little = written.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big = written.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(text(little, Utf16::little()) == written.as_bytes());
        assert!(text(big, Utf16::big()) == written.as_bytes());
    }

    #[test]
    fn half_a_pair_becomes_no_text() {
        let bytes = |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        for (units, expect) in [
            (&[0xD83D, 0x61][..], &[0xFF, b'a'][..]),
            (&[0xDE80, 0x61], &[0xFF, b'a']),
            (&[0x61, 0xD83D], &[b'a', 0xFF]),
            (&[0xD83D, 0xD83D, 0xDE80], &[0xFF, 0xF0, 0x9F, 0x9A, 0x80]),
        ] {
            assert_eq!(text(bytes(units), Utf16::little()), expect, "{units:x?}");
        }
        assert_eq!(text(vec![0x61, 0, 0x62], Utf16::little()), [b'a', 0xFF]);
    }
}
