//! The canister's own DSSE envelope: the statement with a canister signature.
//!
//! Only the canister can make it. What is verified here is what any library for canister signatures verifies.

use audit::dsse::{IN_TOTO, pre_authentication};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use candid::Principal;
use ic_signature_verification::verify_canister_sig;
use interface::{export::MAX_FILE, signature::public_key};
use serde::Deserialize;

/// Bytes of a root key after its DER head.
const KEY_BYTES: usize = 96;

/// Why an envelope is not to be passed on.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not an envelope.
    #[error("the envelope is not one: {0}")]
    Form(String),
    /// It is about something else.
    #[error("the envelope holds another {0} than the certificate")]
    Other(&'static str),
    /// The signature is not the canister's.
    #[error("the envelope's signature does not hold: {0}")]
    Signature(String),
}

impl EnvelopeError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        "the node or the canister gave something that it should not; ask another node"
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: [Signature; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// Fails unless `envelope` holds exactly `body`, signed by `canister` under `root_key` (DER).
pub fn verify(
    envelope: &[u8],
    body: &[u8],
    canister: Principal,
    root_key: &[u8],
) -> Result<(), EnvelopeError> {
    let form = |cause: &dyn std::fmt::Display| EnvelopeError::Form(cause.to_string());
    if envelope.len() as u64 > MAX_FILE {
        return Err(form(&format!("{} bytes, at most {MAX_FILE} are read", envelope.len())));
    }
    let envelope: Envelope = serde_json::from_slice(envelope).map_err(|cause| form(&cause))?;
    if envelope.payload_type != IN_TOTO {
        return Err(EnvelopeError::Other("type of payload"));
    }
    if STANDARD.decode(&envelope.payload).map_err(|cause| form(&cause))? != body {
        return Err(EnvelopeError::Other("statement"));
    }
    let [signature] = envelope.signatures;
    let key = public_key(canister);
    if signature.keyid != Principal::self_authenticating(&key).to_text() {
        return Err(EnvelopeError::Other("key"));
    }
    let bytes = STANDARD.decode(&signature.sig).map_err(|cause| form(&cause))?;
    let raw = root_key.len().checked_sub(KEY_BYTES).and_then(|start| root_key.get(start..));
    let raw = raw.ok_or_else(|| EnvelopeError::Signature("the root key is too short".to_owned()))?;
    verify_canister_sig(&pre_authentication(body), &bytes, &key, raw).map_err(EnvelopeError::Signature)
}
