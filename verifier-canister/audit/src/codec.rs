//! Byte encoding shared by all formats: little-endian integers, length-prefixed text, no padding.
//!
//! [`Reader`] checks every length against what is left *before* it allocates or copies.

use crate::AuditError;

/// Longest text in any format, in bytes.
pub const MAX_TEXT: usize = 128;

/// Reads one encoding front to back.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Bytes read so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The next `count` bytes.
    pub fn take(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], AuditError> {
        let left = &self.bytes[self.position..];
        let taken = left.get(..count).ok_or(AuditError::Truncated {
            what,
            expected: count as u64,
            got: left.len() as u64,
        })?;
        self.position += count;
        Ok(taken)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], AuditError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(what, N)?);
        Ok(array)
    }

    /// Checks an eight-byte magic.
    pub fn magic(&mut self, what: &'static str, expected: &[u8; 8]) -> Result<(), AuditError> {
        let got = self.array::<8>(what)?;
        if &got != expected {
            return Err(AuditError::WrongMagic { what, expected: *expected, got });
        }
        Ok(())
    }

    /// A `u8` between `min` and `max`.
    pub fn u8_in(&mut self, what: &'static str, min: u8, max: u8) -> Result<u8, AuditError> {
        let got = self.array::<1>(what)?[0];
        in_range(what, min.into(), max.into(), got.into()).map(|_| got)
    }

    /// A `u16` between `min` and `max`.
    pub fn u16_in(&mut self, what: &'static str, min: u16, max: u16) -> Result<u16, AuditError> {
        let got = u16::from_le_bytes(self.array(what)?);
        in_range(what, min.into(), max.into(), got.into()).map(|_| got)
    }

    /// A `u32` between `min` and `max`.
    pub fn u32_in(&mut self, what: &'static str, min: u32, max: u32) -> Result<u32, AuditError> {
        let got = u32::from_le_bytes(self.array(what)?);
        in_range(what, min.into(), max.into(), got.into()).map(|_| got)
    }

    /// An `i64`.
    pub fn i64(&mut self, what: &'static str) -> Result<i64, AuditError> {
        Ok(i64::from_le_bytes(self.array(what)?))
    }

    /// `count` values of `i16`; the length is checked before anything is allocated.
    pub fn i16s(&mut self, what: &'static str, count: usize) -> Result<Vec<i16>, AuditError> {
        let bytes = self.take(what, count.saturating_mul(2))?;
        Ok(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect())
    }

    /// `count` values of `i32`.
    pub fn i32s(&mut self, what: &'static str, count: usize) -> Result<Vec<i32>, AuditError> {
        let bytes = self.take(what, count.saturating_mul(4))?;
        Ok(bytes.chunks_exact(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// A text of 1 to [`MAX_TEXT`] bytes without control characters.
    pub fn text(&mut self, what: &'static str) -> Result<String, AuditError> {
        let length = self.array::<1>(what)?[0].into();
        check_length(what, length)?;
        let bytes = self.take(what, length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| AuditError::NotText { what })?;
        check_text(what, text)?;
        Ok(text.to_owned())
    }

    /// Fails unless every byte was read.
    pub fn end(&self, what: &'static str) -> Result<(), AuditError> {
        match self.bytes.len() - self.position {
            0 => Ok(()),
            got => Err(AuditError::Trailing { what, got: got as u64 }),
        }
    }
}

/// Fails unless `min <= got <= max`.
pub fn in_range(what: &'static str, min: i64, max: i64, got: i64) -> Result<(), AuditError> {
    if got < min || got > max {
        return Err(AuditError::OutOfRange { what, min, max, got });
    }
    Ok(())
}

fn check_length(what: &'static str, got: usize) -> Result<(), AuditError> {
    if got == 0 || got > MAX_TEXT {
        return Err(AuditError::TextLength { what, max: MAX_TEXT as u64, got: got as u64 });
    }
    Ok(())
}

/// Fails unless `text` has 1 to [`MAX_TEXT`] bytes, no control character, and nothing that breaks the line,
/// changes the direction of writing or is not seen: a name must look like what it is.
pub fn check_text(what: &'static str, text: &str) -> Result<(), AuditError> {
    check_length(what, text.len())?;
    check_shown(what, text)
}

/// Fails if a character of `text` is a control character, breaks the line, changes the direction of writing or is not seen.
pub fn check_shown(what: &'static str, text: &str) -> Result<(), AuditError> {
    let hidden = |character| {
        // Joiners (U+200C, U+200D) are left: several scripts need them.
        matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if text.chars().any(|character| character.is_control() || hidden(character)) {
        return Err(AuditError::NotText { what });
    }
    Ok(())
}

/// Appends a checked text: one length byte, then UTF-8.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(text.len() as u8);
    out.extend_from_slice(text.as_bytes());
}

/// Fails when a name repeats.
pub fn check_distinct<'a>(
    what: &'static str,
    names: impl Iterator<Item = &'a str>,
) -> Result<(), AuditError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(AuditError::Duplicate { what, name: name.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_must_look_like_what_it_is() {
        for text in ["a", "größe = 3", "علی\u{200c}رضا", "😀"] {
            assert_eq!(check_text("name", text), Ok(()), "{text:?}");
        }
        for text in ["a\0", "a\nb", "\u{202e}tnuoc", "a\u{200b}", "\u{feff}a", "a\u{2028}b", "\u{85}"] {
            assert_eq!(check_text("name", text), Err(AuditError::NotText { what: "name" }), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_checked_before_anything_is_taken() {
        let mut reader = Reader::new(&[200, 0, 0]);
        assert!(matches!(reader.text("name"), Err(AuditError::TextLength { max: 128, got: 200, .. })));
        assert!(matches!(reader.i16s("table", usize::MAX), Err(AuditError::Truncated { got: 2, .. })));
        assert!(matches!(
            reader.u32_in("count", 0, 1),
            Err(AuditError::Truncated { expected: 4, got: 2, .. })
        ));
        let mut reader = Reader::new(&[2, 0xff, 0xfe]);
        assert_eq!(reader.text("name"), Err(AuditError::NotText { what: "name" }));
    }
}
