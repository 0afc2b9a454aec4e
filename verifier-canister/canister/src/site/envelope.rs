//! A certificate's statement in a DSSE envelope, signed by the canister itself.
//!
//! The signature is a canister signature as the interface specification defines it; [`audit::dsse`] says over what,
//! and [`interface::signature`] with which key.

use audit::{
    Digest,
    dsse::{self, Envelope},
};
use candid::Principal;
use ic_certification::HashTree;
use ic_stable_structures::Memory;
use interface::{CertificateId, DigestBytes, Error, signature::public_key};
use serde::Serialize;
use serde_bytes::Bytes;

use crate::{certification::encode, storage::State};

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

impl<M: Memory> State<M> {
    /// JSON of a certificate's envelope, if there is such a certificate and it is not revoked.
    pub(super) fn envelope(
        &self,
        id: CertificateId,
        ic_certificate: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let (Some(body), Some(figures)) = (self.body(id)?, self.figures.get(&id)?) else { return Ok(None) };
        let Some(tree) = self.certified.signature_witness(figures.signed) else { return Ok(None) };
        let signature = encode(&Signature { certificate: Bytes::new(ic_certificate), tree })?;
        let signature = [SELF_DESCRIBED.as_slice(), &signature].concat();
        let key = Principal::self_authenticating(public_key(self.site.canister));
        let envelope = Envelope::new(&body, dsse::Signature::new(key.to_text(), &signature));
        serde_json::to_vec(&envelope).map(Some).map_err(Error::internal)
    }
}
