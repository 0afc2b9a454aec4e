//! The key with which the canister signs statements, in envelopes as [`audit::dsse`] describes them.
//!
//! Any library that verifies canister signatures takes it, with the key that [`public_key`] makes of the canister's
//! principal; an envelope's `keyid` is that key's self-authenticating principal.

use candid::Principal;

/// Names the key among those that a canister may have.
pub const SIGNATURE_SEED: &[u8] = b"assay/certificates";
/// DER of the algorithm of canister signatures, 1.3.6.1.4.1.56387.1.2.
const ALGORITHM: [u8; 14] = *b"\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x83\xb8\x43\x01\x02";

/// DER of the canister's public key.
pub fn public_key(canister: Principal) -> Vec<u8> {
    let id = canister.as_slice();
    // Lengths are below 128: a principal has at most 29 bytes.
    let key = [&[0, id.len() as u8], id, SIGNATURE_SEED].concat();
    let key = [&[0x03, key.len() as u8], key.as_slice()].concat();
    let body = [ALGORITHM.as_slice(), &key].concat();
    [&[0x30, body.len() as u8], body.as_slice()].concat()
}
