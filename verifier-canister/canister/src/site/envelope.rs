//! A certificate's statement in a DSSE envelope, signed by the canister itself.
//!
//! The signature is a canister signature as the interface specification defines it, over DSSE's pre-authentication
//! encoding. Any library that verifies canister signatures takes it, with the key that [`public_key`] makes of the
//! canister's principal; `keyid` is that key's self-authenticating principal.

use audit::{
    Digest,
    dsse::{self, Envelope},
};
use candid::Principal;
use ic_certification::HashTree;
use ic_stable_structures::Memory;
use interface::{CertificateId, DigestBytes, Error};
use serde::Serialize;
use serde_bytes::Bytes;

use crate::{
    certification::{SIGNATURE_SEED, encode},
    storage::State,
};

/// DER of the algorithm of canister signatures, 1.3.6.1.4.1.56387.1.2.
const ALGORITHM: [u8; 14] = *b"\x30\x0c\x06\x0a\x2b\x06\x01\x04\x01\x83\xb8\x43\x01\x02";
/// The CBOR tag that says "this is CBOR".
const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

#[derive(Serialize)]
struct Signature<'a> {
    certificate: &'a Bytes,
    tree: HashTree,
}

/// Digest of what is signed of a body: DSSE's pre-authentication encoding.
pub fn signed_message(body: &[u8]) -> DigestBytes {
    Digest::of(&dsse::pre_authentication(body)).into()
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

impl<M: Memory> State<M> {
    /// JSON of a certificate's envelope, if there is such a certificate.
    pub(super) fn envelope(
        &self,
        id: CertificateId,
        ic_certificate: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let (Some(body), Some(figures)) = (self.body(id)?, self.figures.get(&id)?) else { return Ok(None) };
        let tree = self.certified.signature_witness(figures.signed);
        let tree = tree.ok_or_else(|| Error::internal("a statement was not signed"))?;
        let signature = encode(&Signature { certificate: Bytes::new(ic_certificate), tree })?;
        let signature = [SELF_DESCRIBED.as_slice(), &signature].concat();
        let key = Principal::self_authenticating(public_key(self.site.canister));
        let envelope = Envelope::new(&body, dsse::Signature::new(key.to_text(), &signature));
        serde_json::to_vec(&envelope).map(Some).map_err(Error::internal)
    }
}
