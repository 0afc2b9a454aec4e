//! JSON with one spelling only, so that a digest of the bytes is a digest of the content.
//!
//! A subset of RFC 8785: keys sorted by UTF-16 code units, no blanks, whole numbers below 2^53, and otherwise
//! text, booleans, lists and objects. Written out here rather than left to the order of a map, because a feature
//! that any crate of a build switches on could change that order.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{AuditError, codec};

/// First whole number that not every JSON reader can represent.
const UNSAFE_INTEGER: u64 = 1 << 53;

/// The canonical bytes of `value`; fails on a number that is not whole or not below 2^53 in size.
pub fn to_canonical_json(what: &'static str, value: &impl Serialize) -> Result<Vec<u8>, AuditError> {
    let value = serde_json::to_value(value).map_err(|cause| malformed(what, &cause))?;
    let mut out = Vec::new();
    put(what, &value, &mut out)?;
    Ok(out)
}

/// Reads JSON of at most `max` bytes in any spelling; unknown fields are the reading type's business.
pub fn from_json<T: DeserializeOwned>(what: &'static str, max: usize, bytes: &[u8]) -> Result<T, AuditError> {
    codec::in_range(what, 0, max as i64, bytes.len() as i64)?;
    serde_json::from_slice(bytes).map_err(|cause| malformed(what, &cause))
}

/// Reads JSON of at most `max` bytes and fails unless the bytes are the canonical ones of what was read.
pub fn from_canonical_json<T: Serialize + DeserializeOwned>(
    what: &'static str,
    max: usize,
    bytes: &[u8],
) -> Result<T, AuditError> {
    let value: T = from_json(what, max, bytes)?;
    if to_canonical_json(what, &value)? != bytes {
        return Err(AuditError::NotCanonical { what });
    }
    Ok(value)
}

fn malformed(what: &'static str, cause: &serde_json::Error) -> AuditError {
    AuditError::Json { what, cause: cause.to_string() }
}

fn put(what: &'static str, value: &Value, out: &mut Vec<u8>) -> Result<(), AuditError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            let small = match (number.as_u64(), number.as_i64()) {
                (Some(size), _) => size < UNSAFE_INTEGER,
                (None, Some(negative)) => negative.unsigned_abs() < UNSAFE_INTEGER,
                (None, None) => false,
            };
            if !small {
                return Err(AuditError::Json {
                    what,
                    cause: format!("{number} is not a whole number below 2^53"),
                });
            }
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::String(text) => put_text(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put(what, item, out)?;
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            out.push(b'{');
            for (index, (key, field)) in fields.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                put_text(key, out);
                out.push(b':');
                put(what, field, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for character in text.chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\0'..='\u{1f}' => out.extend_from_slice(format!("\\u{:04x}", character as u32).as_bytes()),
            _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_equal_an_independent_implementation_of_rfc_8785() {
        let value = json!({
            "b": [1, -2, 9_007_199_254_740_991_u64, true, false, null, [], {}],
            "a": "quote \" backslash \\ slash / tab \t line \n bell \u{7} nul \0 del \u{7f} é € 😀 \u{2028}",
            "": "", "\u{ffff}": 1, "😀": 2, "é": 3, "B": 4,
        });
        let expected = serde_json_canonicalizer::to_vec(&value).unwrap();
        assert_eq!(to_canonical_json("test", &value).unwrap(), expected);
    }

    #[test]
    fn numbers_that_readers_disagree_about_are_refused() {
        for number in [json!(0.5), json!(1_u64 << 53), json!(-(1_i64 << 53))] {
            assert!(matches!(to_canonical_json("test", &number), Err(AuditError::Json { .. })), "{number}");
        }
    }

    #[test]
    fn another_spelling_of_the_same_content_is_refused() {
        let read = |text: &str| from_canonical_json::<Value>("test", 40, text.as_bytes());
        assert_eq!(read(r#"{"a":1,"b":"x"}"#).unwrap(), json!({"a": 1, "b": "x"}));
        for text in
            [r#"{"b":"x","a":1}"#, r#"{"a": 1}"#, r#"{"a":1,"a":1}"#, r#"{"a":"\u0041"}"#, r#"{"a":-0}"#]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(matches!(read(&"9".repeat(41)), Err(AuditError::OutOfRange { .. })));
    }
}
