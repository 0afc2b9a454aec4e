//! Walks a protobuf encoding before it is decoded: finds truncation and bounds the number of messages.
//!
//! A two-byte empty message becomes a structure of some hundred bytes in memory, so a small file could ask for
//! gigabytes. The walk follows the same messages as [`crate::proto`], allocates nothing, and counts them.

use crate::ImportError;

/// Most messages, texts and byte strings of a model.
pub const MAX_MESSAGES: u64 = 400_000;
/// Deepest nesting that any ONNX message without sub-graphs has: model, graph, node, attribute, tensor, entry.
const MAX_DEPTH: u8 = 8;

#[derive(Clone, Copy)]
enum Kind {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Leaf,
}

/// The message that field `tag` of `kind` holds, `Leaf` for a counted text or small message, `None` for bulk data.
fn child(kind: Kind, tag: u64) -> Option<Kind> {
    match (kind, tag) {
        (Kind::Model, 7) => Some(Kind::Graph),
        (Kind::Model, _) => Some(Kind::Leaf),
        (Kind::Graph, 1) => Some(Kind::Node),
        (Kind::Graph, 5) => Some(Kind::Tensor),
        (Kind::Graph, 11 | 12) => Some(Kind::ValueInfo),
        (Kind::Graph, 15) | (Kind::Node, 1..=4 | 7) | (Kind::ValueInfo, 1) => Some(Kind::Leaf),
        (Kind::Node, 5) => Some(Kind::Attribute),
        (Kind::Attribute, 5) => Some(Kind::Tensor),
        (Kind::Attribute, 9) | (Kind::Tensor, 6 | 13) => Some(Kind::Leaf),
        (Kind::ValueInfo, 2) => Some(Kind::Type),
        (Kind::Type, 1) => Some(Kind::TensorType),
        (Kind::TensorType, 2) => Some(Kind::Shape),
        (Kind::Shape, 1) => Some(Kind::Leaf),
        _ => None,
    }
}

/// Fails when the bytes are not one whole protobuf message or hold more than [`MAX_MESSAGES`] messages.
pub fn check(bytes: &[u8]) -> Result<(), ImportError> {
    let mut messages = 0;
    walk(bytes, 0, Kind::Model, 0, &mut messages)
}

fn walk(bytes: &[u8], start: u64, kind: Kind, depth: u8, messages: &mut u64) -> Result<(), ImportError> {
    if depth > MAX_DEPTH {
        return Err(malformed(start, "messages are nested too deeply"));
    }
    let mut fields = Fields::new(bytes, start);
    while let Some(field) = fields.next()? {
        let (Held::Bytes(inner), Some(child)) = (field.held, child(kind, field.tag)) else { continue };
        count(messages, MAX_MESSAGES)?;
        if !matches!(child, Kind::Leaf) {
            walk(inner, field.start, child, depth + 1, messages)?;
        }
    }
    Ok(())
}

/// Counts a message; fails at more than `max`.
pub fn count(messages: &mut u64, max: u64) -> Result<(), ImportError> {
    *messages += 1;
    if *messages > max {
        return Err(ImportError::Limit { what: "protobuf messages", max, got: *messages });
    }
    Ok(())
}

/// The fields of one message, in order.
pub struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
    start: u64,
}

/// A field.
pub struct Field<'a> {
    /// Its number.
    pub tag: u64,
    /// Where what it holds begins in the file.
    pub start: u64,
    /// What it holds.
    pub held: Held<'a>,
}

/// What a field holds.
pub enum Held<'a> {
    /// An integer.
    Varint(u64),
    /// A message, text or byte string, or packed numbers.
    Bytes(&'a [u8]),
    /// A number of 4 or 8 bytes.
    Fixed,
}

impl<'a> Fields<'a> {
    /// Of a message that begins at `start` in the file.
    pub fn new(bytes: &'a [u8], start: u64) -> Self {
        Self { bytes, at: 0, start }
    }

    /// The next one, or `None` at the end; fails when the message is cut off or malformed.
    pub fn next(&mut self) -> Result<Option<Field<'a>>, ImportError> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let key = self.varint()?;
        let length = match key & 7 {
            0 => {
                let start = self.offset();
                return Ok(Some(Field { tag: key >> 3, start, held: Held::Varint(self.varint()?) }));
            }
            1 => 8,
            2 => self.varint()?,
            5 => 4,
            _ => return Err(malformed(self.offset(), "a field of a wire type that ONNX does not use")),
        };
        let (start, left) = (self.offset(), (self.bytes.len() - self.at) as u64);
        if length > left {
            return Err(ImportError::Truncated { offset: start, expected: length, got: left });
        }
        let inner = &self.bytes[self.at..self.at + length as usize];
        self.at += inner.len();
        let held = if key & 7 == 2 { Held::Bytes(inner) } else { Held::Fixed };
        Ok(Some(Field { tag: key >> 3, start, held }))
    }

    fn offset(&self) -> u64 {
        self.start + self.at as u64
    }

    fn varint(&mut self) -> Result<u64, ImportError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let missing = ImportError::Truncated { offset: self.offset(), expected: 1, got: 0 };
            let byte = *self.bytes.get(self.at).ok_or(missing)?;
            self.at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(malformed(self.offset(), "an integer of more than 64 bits"))
    }
}

/// What is wrong at a byte of the file.
pub fn malformed(offset: u64, cause: &str) -> ImportError {
    ImportError::Malformed { cause: format!("byte {offset}: {cause}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_empty_nodes_are_refused_before_decoding() {
        let nodes: Vec<u8> = [0x0a, 0x00].repeat(MAX_MESSAGES as usize + 1);
        let mut model = vec![0x3a];
        let mut length = nodes.len();
        while length >= 0x80 {
            model.push(length as u8 | 0x80);
            length >>= 7;
        }
        model.push(length as u8);
        model.extend(nodes);
        assert!(matches!(check(&model), Err(ImportError::Limit { what: "protobuf messages", .. })));
    }

    #[test]
    fn a_length_beyond_the_end_is_truncation() {
        assert!(matches!(
            check(&[0x3a, 0x05, 0x0a]),
            Err(ImportError::Truncated { offset: 2, expected: 5, got: 1 })
        ));
        assert!(matches!(check(&[0x3a]), Err(ImportError::Truncated { .. })));
    }

    #[test]
    fn groups_and_endless_integers_are_malformed() {
        assert!(matches!(check(&[0x0b]), Err(ImportError::Malformed { .. })));
        assert!(matches!(check(&[0xff; 11]), Err(ImportError::Malformed { .. })));
    }
}
