//! What a canister signs of a certificate: its statement, as DSSE encodes it, with a canister signature.
//!
//! Any library that verifies canister signatures takes it, with the key that [`public_key`] makes of the canister's
//! principal; an envelope's `keyid` is that key's self-authenticating principal.

use candid::Principal;

/// What a statement is, to DSSE.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Names the key among those that a canister may have.
pub const SIGNATURE_SEED: &[u8] = b"assay/certificates";
/// DER of the algorithm of canister signatures, 1.3.6.1.4.1.56387.1.2.
const ALGORITHM: [u8; 14] = *b"\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x83\xb8\x43\x01\x02";

/// What is signed of a body: DSSE's pre-authentication encoding.
pub fn signed_message(body: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), body.len());
    [head.as_bytes(), body].concat()
}

/// DER of the canister's public key.
pub fn public_key(canister: Principal) -> Vec<u8> {
    let id = canister.as_slice();
    // Lengths are below 128: a principal has at most 29 bytes.
    let key = [&[0, id.len() as u8], id, SIGNATURE_SEED].concat();
    let key = [&[0x03, key.len() as u8], key.as_slice()].concat();
    let body = [ALGORITHM.as_slice(), &key].concat();
    [&[0x30, body.len() as u8], body.as_slice()].concat()
}
