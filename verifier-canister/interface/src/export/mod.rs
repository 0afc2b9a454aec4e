//! The files that leave the canister: a certificate with all that its check needs, and the records behind it.
//!
//! JSON objects with text, one number and byte strings in base64. Every file has one spelling: whoever reads it writes
//! it again and compares. A file says nothing by itself; the crate `check` decides whether to believe it.

mod certificate;
mod records;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::DeserializeOwned};

pub use certificate::{CERTIFICATE_FORMAT, CertificateFile};
pub use records::{RECORDS_FORMAT, RecordTexts, RecordsFile};

/// Longest file that is read, in bytes.
pub const MAX_FILE: u64 = 16 << 20;

/// Why a file is not one of these.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Larger than any such file.
    #[error("{got} bytes, at most {MAX_FILE} are read")]
    TooLarge {
        /// The file's length.
        got: u64,
    },
    /// Not the JSON of such a file.
    #[error("not an exported {what}")]
    Json {
        /// What the file should hold.
        what: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// A value is not spelled as this program writes it.
    #[error("a digest or principal is not spelled in lower case")]
    Spelling,
    /// Made by a newer program, or something else.
    #[error("the format is {got:?}, expected {expected:?}")]
    Format {
        /// What is read here.
        expected: &'static str,
        /// What the file says.
        got: String,
    },
    /// The content was changed after the file was written.
    #[error("the file is damaged: its content has digest {got}, it says {expected}")]
    Damaged {
        /// What the file says.
        expected: audit::Digest,
        /// What was computed.
        got: audit::Digest,
    },
}

/// Reads a bounded file in its one spelling; `format` is the value that its field must have.
fn read<T: Serialize + DeserializeOwned>(
    what: &'static str,
    format: &'static str,
    bytes: &[u8],
) -> Result<T, FileError> {
    let got = bytes.len() as u64;
    if got > MAX_FILE {
        return Err(FileError::TooLarge { got });
    }
    let json = |source| FileError::Json { what, source };
    let file: T = serde_json::from_slice(bytes).map_err(json)?;
    // Hex, base64 and principals may be spelled in several ways; only one is written.
    let given: serde_json::Value = serde_json::from_slice(bytes).map_err(json)?;
    if serde_json::to_value(&file).map_err(json)? != given {
        return Err(FileError::Spelling);
    }
    match given.get("format").and_then(serde_json::Value::as_str) {
        Some(got) if got == format => Ok(file),
        got => Err(FileError::Format { expected: format, got: got.unwrap_or_default().to_owned() }),
    }
}

/// Indented JSON with a line feed at its end.
fn write(file: &impl Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(file).unwrap_or_default();
    json.push(b'\n');
    json
}

/// Bytes as base64 text, for `#[serde(with)]`.
mod base64_bytes {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
