//! One file with the records that a certificate was made from, as the canister certifies them.
//!
//! With the dataset's, the model's and the proofs' bytes, which are named in the certificate by their digests, it is
//! all that an audit is run again from.

use candid::Principal;
use serde::{Deserialize, Serialize};

use super::{FileError, base64_bytes, read, write};

/// Value of the `format` field.
pub const RECORDS_FORMAT: &str = "assay-records/1";

/// The records behind a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsFile {
    /// [`RECORDS_FORMAT`].
    format: String,
    /// The verifier canister that published them, as text.
    pub canister: Principal,
    /// The certificate's number on that canister.
    pub certificate: u64,
    /// Canonical JSON that the leaf `audit/<10 digits>` is the digest of.
    #[serde(with = "base64_bytes")]
    pub audit: Vec<u8>,
    /// Canonical JSON that the leaf `dataset/<64 hex>` is the digest of.
    #[serde(with = "base64_bytes")]
    pub dataset: Vec<u8>,
    /// Canonical JSON that the leaf `model/<64 hex>` is the digest of.
    #[serde(with = "base64_bytes")]
    pub model: Vec<u8>,
    /// The policy's canonical JSON; its digest is in the certificate.
    #[serde(with = "base64_bytes")]
    pub policy: Vec<u8>,
    /// Canonical JSON that the leaf `key/<owner>/<64 hex>` is the digest of, of the key that signed a log; else empty.
    #[serde(with = "base64_bytes", default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<u8>,
    /// The subnet's signature over the canister's certified data (CBOR).
    #[serde(with = "base64_bytes")]
    pub ic_certificate: Vec<u8>,
    /// Hash tree that leads from the certified data to the leaves (CBOR).
    #[serde(with = "base64_bytes")]
    pub witness: Vec<u8>,
}

/// The texts of a [`RecordsFile`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTexts {
    /// See [`RecordsFile::audit`].
    pub audit: Vec<u8>,
    /// See [`RecordsFile::dataset`].
    pub dataset: Vec<u8>,
    /// See [`RecordsFile::model`].
    pub model: Vec<u8>,
    /// See [`RecordsFile::policy`].
    pub policy: Vec<u8>,
    /// See [`RecordsFile::key`].
    pub key: Vec<u8>,
}

impl RecordsFile {
    /// Puts a file together; `witness` opens the leaves of the records.
    pub fn new(
        canister: Principal,
        certificate: u64,
        texts: RecordTexts,
        ic_certificate: Vec<u8>,
        witness: Vec<u8>,
    ) -> Self {
        let format = RECORDS_FORMAT.to_owned();
        let RecordTexts { audit, dataset, model, policy, key } = texts;
        Self { format, canister, certificate, audit, dataset, model, policy, key, ic_certificate, witness }
    }

    /// Reads a file's bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, FileError> {
        read("file of records", RECORDS_FORMAT, bytes)
    }

    /// The bytes to write: indented JSON with a line feed at its end.
    pub fn to_json(&self) -> Vec<u8> {
        write(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> RecordsFile {
        let canister = Principal::from_text("bkyz2-fmaaa-aaaaa-qaaaq-cai").unwrap();
        let texts = RecordTexts {
            audit: b"{\"id\":1}".into(),
            dataset: b"{}".into(),
            model: b"[]".into(),
            policy: b"{\"name\":\"p\"}".into(),
            key: Vec::new(),
        };
        RecordsFile::new(canister, 7, texts, vec![1, 2, 3], vec![4])
    }

    #[test]
    fn a_file_is_read_back() {
        let logged = RecordsFile { key: b"{}".into(), ..example() };
        for file in [example(), logged] {
            assert_eq!(RecordsFile::from_json(&file.to_json()).unwrap(), file);
        }
    }

    #[test]
    fn other_files_and_spellings_are_refused() {
        let json = String::from_utf8(example().to_json()).unwrap();
        let refused = |json: &str| RecordsFile::from_json(json.as_bytes()).unwrap_err();
        assert!(matches!(refused(&json.replace("records/1", "records/2")), FileError::Format { .. }));
        assert!(matches!(refused(&json.replace("\"certificate\": 7,", "")), FileError::Json { .. }));
        assert!(matches!(
            refused(&json.replace("\"audit\"", "\"extra\": 1, \"audit\"")),
            FileError::Json { .. }
        ));
        assert!(matches!(
            refused(&json.replace("bkyz2", "BKYZ2")),
            FileError::Json { .. } | FileError::Spelling
        ));
        assert!(matches!(refused(&(json + "{}")), FileError::Json { .. }));
    }
}
