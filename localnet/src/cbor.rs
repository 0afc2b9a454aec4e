//! CBOR with the self-describing tag that the Internet Computer's clients expect.

use serde::Serialize;

/// Tag 55799.
const TAG: [u8; 3] = [0xd9, 0xd9, 0xf7];

/// Encodes a value behind the tag.
pub(crate) fn encode_tagged(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = TAG.to_vec();
    // Writing to a vector cannot fail, and every type encoded here has string or integer keys.
    if let Err(error) = ciborium::into_writer(value, &mut bytes) {
        debug_assert!(false, "{error}");
    }
    bytes
}

/// Decodes one value, with or without the tag; bytes after it are an error.
pub(crate) fn decode(bytes: &[u8]) -> Result<ciborium::Value, String> {
    let mut rest = bytes.strip_prefix(&TAG).unwrap_or(bytes);
    let value = ciborium::from_reader(&mut rest).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes after the value", rest.len()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_optional_and_trailing_bytes_are_not() {
        let tagged = encode_tagged(&7u8);
        assert_eq!(decode(&tagged), Ok(7.into()));
        assert_eq!(decode(&tagged[3..]), Ok(7.into()));
        assert_eq!(decode(&[tagged.as_slice(), &[0]].concat()), Err("1 bytes after the value".into()));
        assert!(decode(&[]).is_err());
        assert!(decode(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(decode(&[0x81; 10_000]).is_err(), "deep nesting must not overflow the stack");
    }
}
