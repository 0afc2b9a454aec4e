//! One file with everything that a certificate's check needs, except the root key, which the checker must already have.
//!
//! JSON with the fields of [`CertificateFile`]; byte strings are base64. `digest` is the SHA-256 over canister, number
//! and byte strings, so that a damaged file is told apart from a forged one. It adds no security: the IC certificate does.

use audit::Digest;
use candid::Principal;
use serde::{Deserialize, Serialize};

use super::{FileError, base64_bytes, read, write};

/// Value of the `format` field.
pub const CERTIFICATE_FORMAT: &str = "assay-certificate/1";

/// An exported certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CertificateFile {
    /// [`CERTIFICATE_FORMAT`].
    format: String,
    /// The verifier canister that published it, as text.
    pub canister: Principal,
    /// The certificate's number on that canister.
    pub certificate: u64,
    /// Canonical JSON: the statement.
    #[serde(with = "base64_bytes")]
    pub body: Vec<u8>,
    /// Canonical JSON: valid, superseded, suspended or revoked when the file was made.
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
        let format = CERTIFICATE_FORMAT.to_owned();
        let digest = Digest([0; 32]);
        let mut file = Self { format, canister, certificate, body, status, ic_certificate, witness, digest };
        file.digest = file.content_digest();
        file
    }

    /// Reads a file's bytes.
    pub fn from_json(bytes: &[u8]) -> Result<Self, FileError> {
        let file: Self = read("certificate", CERTIFICATE_FORMAT, bytes)?;
        let (expected, got) = (file.digest, file.content_digest());
        if expected != got {
            return Err(FileError::Damaged { expected, got });
        }
        Ok(file)
    }

    /// The bytes to write: indented JSON with a line feed at its end.
    pub fn to_json(&self) -> Vec<u8> {
        write(self)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::MAX_FILE;

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
            read(&json.replace(CERTIFICATE_FORMAT, "assay-certificate/2")),
            FileError::Format { .. }
        ));
        assert!(matches!(read(&json.replace("AQID", "AQIE")), FileError::Damaged { .. }));
        assert!(matches!(read(&json.replace("\"certificate\": 7,", "")), FileError::Json { .. }));
        let spelled = json.replace("bkyz2-fmaaa-aaaaa-qaaaq-cai", "BKYZ2-fmaaa-aaaaa-qaaaq-cai");
        assert!(matches!(read(&spelled), FileError::Spelling | FileError::Json { .. }));
        assert!(matches!(read(&(json + "{}")), FileError::Json { .. }));
        let large = " ".repeat(MAX_FILE as usize + 1);
        assert!(matches!(read(&large), FileError::TooLarge { .. }));
    }
}
