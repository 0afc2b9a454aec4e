//! DSSE envelopes around in-toto statements: what is signed, and how the signed file looks.
//!
//! A signature covers the pre-authentication encoding `DSSEv1 <length> <type> <length> <payload>`, never the JSON
//! around it. Who signs, and with which algorithm, is the business of whoever verifies.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature as Ed25519, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{AuditError, Digest, canonical::from_json};

/// What a statement is, to DSSE.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";
/// Most signatures of an envelope.
pub const MAX_SIGNATURES: usize = 16;

/// The bytes that are signed of an in-toto statement.
pub fn pre_authentication(statement: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {IN_TOTO} {} ", IN_TOTO.len(), statement.len());
    [head.as_bytes(), statement].concat()
}

/// A signed in-toto statement, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The statement, in base64.
    payload: String,
    /// [`IN_TOTO`].
    #[serde(rename = "payloadType")]
    payload_type: String,
    /// One or more signatures.
    pub signatures: Vec<Signature>,
}

/// One signature of the pre-authentication encoding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// A hint at the key; nothing rests on it.
    pub keyid: String,
    /// The signature, in base64.
    sig: String,
}

impl Signature {
    /// A signature with its hint.
    pub fn new(keyid: String, signature: &[u8]) -> Self {
        Self { keyid, sig: STANDARD.encode(signature) }
    }

    /// The signature's bytes.
    pub fn bytes(&self) -> Result<Vec<u8>, AuditError> {
        decode("signature", &self.sig)
    }
}

impl Envelope {
    /// An envelope with one signature.
    pub fn new(statement: &[u8], signature: Signature) -> Self {
        Self {
            payload: STANDARD.encode(statement),
            payload_type: IN_TOTO.to_owned(),
            signatures: vec![signature],
        }
    }

    /// Reads an envelope of at most `max` bytes; no signature is verified.
    pub fn parse(max: usize, bytes: &[u8]) -> Result<Self, AuditError> {
        let envelope: Self = from_json("DSSE envelope", max, bytes)?;
        let cause = if envelope.payload_type != IN_TOTO {
            "the payload is no in-toto statement"
        } else if envelope.signatures.is_empty() || envelope.signatures.len() > MAX_SIGNATURES {
            "it has no signature, or too many"
        } else {
            return Ok(envelope);
        };
        Err(AuditError::Json { what: "DSSE envelope", cause: cause.to_owned() })
    }

    /// The statement's bytes.
    pub fn statement(&self) -> Result<Vec<u8>, AuditError> {
        decode("payload", &self.payload)
    }
}

/// Whether a signature is an Ed25519 key's of a message; strictly, so that every library agrees.
pub fn verify_ed25519(key: &Digest, message: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_bytes(&key.0), Ed25519::from_slice(signature)) else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
}

fn decode(what: &'static str, text: &str) -> Result<Vec<u8>, AuditError> {
    STANDARD.decode(text).map_err(|cause| AuditError::Json { what, cause: cause.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_the_specifications() {
        assert_eq!(pre_authentication(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }

    #[test]
    fn other_payloads_and_unsigned_envelopes_are_refused() {
        let good = Envelope::new(b"{}", Signature::new("k".to_owned(), &[1, 2]));
        let json = serde_json::to_string(&good).unwrap();
        let read = Envelope::parse(1000, json.as_bytes()).unwrap();
        assert_eq!(
            (read.statement().unwrap(), read.signatures[0].bytes().unwrap()),
            (b"{}".to_vec(), vec![1, 2])
        );
        for (from, to) in
            [("vnd.in-toto", "vnd.other"), ("\"keyid\"", "\"key\""), (r#"{"keyid":"k","sig":"AQI="}"#, "")]
        {
            let json = json.replacen(from, to, 1);
            assert!(Envelope::parse(1000, json.as_bytes()).is_err(), "{json}");
        }
        assert!(Envelope::parse(10, json.as_bytes()).is_err());
        let read = Envelope::parse(1000, json.replacen("e30=", "e30", 1).as_bytes()).unwrap();
        assert!(read.statement().is_err());
    }
}
