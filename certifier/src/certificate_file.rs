//! One file with everything that a certificate's check needs, except the root key, which the checker must already have.
//!
//! JSON with the fields of [`CertificateFile`]; byte strings are base64. `digest` is the SHA-256 over canister, number
//! and byte strings, so that a damaged file is told apart from a forged one. It adds no security: the IC certificate does.

use audit::Digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use candid::Principal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Value of the `format` field.
pub const FORMAT: &str = "assay-certificate/1";
/// Longest file that is read, in bytes.
pub const MAX_FILE: u64 = 16 << 20;

/// An exported certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFile {
    /// [`FORMAT`].
    format: String,
    /// The verifier canister that published it, as text.
    pub canister: Principal,
    /// The certificate's number on that canister.
    pub certificate: u64,
    /// Canonical JSON: the statement.
    #[serde(with = "base64_bytes")]
    pub body: Vec<u8>,
    /// Canonical JSON: valid, superseded or revoked when the file was made.
    #[serde(with = "base64_bytes")]
    pub status: Vec<u8>,
    /// The subnet's signature over the canister's certified data (CBOR).
    #[serde(with = "base64_bytes")]
    pub ic_certificate: Vec<u8>,
    /// Hash tree that leads from the certified data to the digests of body and status (CBOR).
    #[serde(with = "base64_bytes")]
    pub witness: Vec<u8>,
    /// See [`CertificateFile::content_digest`].
    digest: Digest,
}

/// Why a file is not an exported certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFileError {
    /// Larger than any certificate.
    #[error("{got} bytes, at most {MAX_FILE} are read")]
    TooLarge {
        /// The file's length.
        got: u64,
    },
    /// Not the JSON of such a file.
    #[error("not an exported certificate")]
    Json(#[from] serde_json::Error),
    /// A value is not spelled as this program writes it.
    #[error("a digest or principal is not spelled in lower case")]
    Spelling,
    /// Made by a newer program, or something else.
    #[error("the format is {0:?}, expected {FORMAT:?}")]
    Format(String),
    /// The content was changed after the file was written.
    #[error("the file is damaged: its content has digest {got}, it says {expected}")]
    Damaged {
        /// What the file says.
        expected: Digest,
        /// What was computed.
        got: Digest,
    },
}

impl CertificateFile {
    /// Puts a file together from what the canister answered.
    pub fn new(
        canister: Principal,
        certificate: u64,
        body: Vec<u8>,
        status: Vec<u8>,
        ic_certificate: Vec<u8>,
        witness: Vec<u8>,
    ) -> Self {
        let format = FORMAT.to_owned();
        let digest = Digest([0; 32]);
        let mut file = Self { format, canister, certificate, body, status, ic_certificate, witness, digest };
        file.digest = file.content_digest();
        file
    }

    /// Reads a file's bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CertificateFileError> {
        let got = bytes.len() as u64;
        if got > MAX_FILE {
            return Err(CertificateFileError::TooLarge { got });
        }
        let file: Self = serde_json::from_slice(bytes)?;
        // Hex and principals may be spelled in several ways; only one is written.
        let given: serde_json::Value = serde_json::from_slice(bytes)?;
        if serde_json::to_value(&file)? != given {
            return Err(CertificateFileError::Spelling);
        }
        if file.format != FORMAT {
            return Err(CertificateFileError::Format(file.format));
        }
        let (expected, got) = (file.digest, file.content_digest());
        if expected != got {
            return Err(CertificateFileError::Damaged { expected, got });
        }
        Ok(file)
    }

    /// The bytes to write: indented JSON with a line feed at its end.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// SHA-256 over canister, number (`u64`, little-endian) and the four byte strings, each with its length as `u64`.
    pub fn content_digest(&self) -> Digest {
        let number = self.certificate.to_le_bytes();
        let parts: [&[u8]; 6] = [
            self.canister.as_slice(),
            &number,
            &self.body,
            &self.status,
            &self.ic_certificate,
            &self.witness,
        ];
        let length = |part: &[u8]| (part.len() as u64).to_le_bytes();
        let bytes: Vec<u8> = parts.iter().flat_map(|part| [&length(part), *part].concat()).collect();
        Digest::of(&bytes)
    }
}

mod base64_bytes {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> CertificateFile {
        let canister = Principal::from_text("bkyz2-fmaaa-aaaaa-qaaaq-cai").unwrap();
        CertificateFile::new(canister, 7, b"{}".into(), b"[]".into(), vec![1, 2, 3], vec![4])
    }

    #[test]
    fn a_file_is_read_back() {
        let file = example();
        assert_eq!(CertificateFile::from_json(&file.to_json()).unwrap(), file);
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let json = example().to_json();
        // The line feed at the end may become another blank.
        for bit in 0..(json.len() - 1) * 8 {
            let mut bytes = json.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(CertificateFile::from_json(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let json = String::from_utf8(example().to_json()).unwrap();
        let read = |json: &str| CertificateFile::from_json(json.as_bytes()).unwrap_err();
        assert!(matches!(
            read(&json.replace(FORMAT, "assay-certificate/2")),
            CertificateFileError::Format(_)
        ));
        assert!(matches!(read(&json.replace("AQID", "AQIE")), CertificateFileError::Damaged { .. }));
        assert!(matches!(read(&json.replace("\"certificate\": 7,", "")), CertificateFileError::Json(_)));
        let spelled = json.replace("bkyz2-fmaaa-aaaaa-qaaaq-cai", "BKYZ2-fmaaa-aaaaa-qaaaq-cai");
        assert!(matches!(read(&spelled), CertificateFileError::Spelling | CertificateFileError::Json(_)));
        assert!(matches!(read(&(json + "{}")), CertificateFileError::Json(_)));
        let large = " ".repeat(MAX_FILE as usize + 1);
        assert!(matches!(read(&large), CertificateFileError::TooLarge { .. }));
    }
}
