//! Signatures that canisters make by certifying them (interface specification, "canister signatures").

use candid::Principal;
use ic_certification::{Certificate, HashTree, LookupResult};
use serde::Deserialize;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

/// The algorithm in DER: a sequence with the object identifier 1.3.6.1.4.1.56387.1.2.
const ALGORITHM: [u8; 14] =
    [0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xb8, 0x43, 0x01, 0x02];
/// What precedes the 96 bytes of a BLS key in DER.
const ROOT_KEY_PREFIX: usize = 37;

/// A canister that signs, and the seed that tells its keys apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CanisterKey<'a> {
    canister: Principal,
    seed: &'a [u8],
}

/// A signature: what the subnet signed, and below the certified data what the canister did.
#[derive(Deserialize)]
struct Signed {
    certificate: ByteBuf,
    tree: HashTree,
}

impl<'a> CanisterKey<'a> {
    /// Reads the DER encoding of the key; other kinds of keys are none.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let key = sequence(0x03, sequence(0x30, der)?.strip_prefix(&ALGORITHM)?)?.strip_prefix(&[0])?;
        let (length, rest) = key.split_first()?;
        let (id, seed) = rest.split_at_checked(usize::from(*length))?;
        Some(CanisterKey { canister: Principal::try_from_slice(id).ok()?, seed })
    }

    /// Checks a signature, whose certificate the subnet with this root key made.
    ///
    /// # Errors
    ///
    /// What is wrong with the signature.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8], root_key: &[u8]) -> Result<(), String> {
        let read = |error: serde_cbor::Error| format!("the canister signature is malformed: {error}");
        let Signed { certificate, tree } = serde_cbor::from_slice(signature).map_err(read)?;
        let certificate: Certificate = serde_cbor::from_slice(&certificate).map_err(read)?;
        if certificate.delegation.is_some() {
            return Err("the certificate has a delegation, but this network has one subnet".into());
        }
        let root = [b"\x0Dic-state-root".as_slice(), &certificate.tree.digest()].concat();
        let key = root_key.get(ROOT_KEY_PREFIX..).unwrap_or_default();
        ic_verify_bls_signature::verify_bls_signature(&certificate.signature, &root, key)
            .map_err(|()| "the certificate's signature does not match")?;
        let certified = [b"canister", self.canister.as_slice(), b"certified_data"];
        if certificate.tree.lookup_path(certified) != LookupResult::Found(&tree.digest()) {
            return Err(format!("canister {} certified other data", self.canister));
        }
        let (seed, message) = (Sha256::digest(self.seed), Sha256::digest(message));
        match tree.lookup_path([b"sig".as_slice(), seed.as_slice(), message.as_slice()]) {
            LookupResult::Found(b"") => Ok(()),
            _ => Err(format!("canister {} did not sign this", self.canister)),
        }
    }
}

/// The content of a DER element with this tag that fills all of `bytes`.
fn sequence(tag: u8, bytes: &[u8]) -> Option<&[u8]> {
    let (length, content) = match bytes.strip_prefix(&[tag])? {
        [length @ 0..=0x7f, content @ ..] | [0x81, length, content @ ..] => (usize::from(*length), content),
        [0x82, high, low, content @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), content),
        _ => return None,
    };
    (content.len() == length).then_some(content)
}

#[cfg(test)]
mod tests {
    use ciborium::Value;
    use ic_certification::{labeled, leaf};

    use super::*;
    use crate::certificate::Snapshot;
    use crate::subnet::{Clock, Subnet};

    /// A subnet with a canister that signed `message`, the key in DER and the signature.
    fn signed(message: &[u8]) -> (Subnet, Vec<u8>, Vec<u8>) {
        let mut subnet = Subnet::new(Some([1; 32]), Clock::Wall(0)).unwrap();
        let canister = subnet.create_canister(Principal::anonymous()).unwrap();
        let (seed, hash) = (Sha256::digest(b"seed").to_vec(), Sha256::digest(message).to_vec());
        let tree: HashTree = labeled(b"sig", labeled(seed, labeled(hash, leaf(b""))));
        subnet.canister_mut(canister).unwrap().calls.certified_data = tree.digest().to_vec();
        let snapshot = Snapshot::new(subnet.state.clone());
        let certificate = snapshot.certified(&subnet.keys).data_certificate(canister);
        let text = |text: &str| Value::Text(text.into());
        let signature = Value::Map(vec![
            (text("certificate"), Value::Bytes(certificate)),
            (text("tree"), Value::serialized(&tree).unwrap()),
        ]);
        let bits = [&[0, 10], canister.as_slice(), b"seed"].concat();
        let inner = [&ALGORITHM[..], &[0x03, bits.len() as u8], &bits].concat();
        let der = [&[0x30, inner.len() as u8], &inner[..]].concat();
        (subnet, der, crate::cbor::encode_tagged(&signature))
    }

    #[test]
    fn what_a_canister_certified_as_signed_is_signed_and_nothing_else() {
        let (subnet, der, signature) = signed(b"message");
        let key = CanisterKey::parse(&der).unwrap();
        let check =
            |key: &CanisterKey, message: &[u8], root_key: &[u8]| key.verify(message, &signature, root_key);
        assert_eq!(check(&key, b"message", &subnet.root_key()), Ok(()));
        let error = check(&key, b"massage", &subnet.root_key()).unwrap_err();
        assert!(error.contains("did not sign this"), "{error}");
        let seed = CanisterKey { seed: b"sead", ..key };
        assert!(check(&seed, b"message", &subnet.root_key()).unwrap_err().contains("did not sign"));
        let other = CanisterKey { canister: Principal::anonymous(), seed: b"seed" };
        assert!(check(&other, b"message", &subnet.root_key()).unwrap_err().contains("other data"));
        let elsewhere = Subnet::new(Some([2; 32]), Clock::Wall(0)).unwrap().root_key();
        let key = CanisterKey::parse(&der).unwrap();
        assert!(check(&key, b"message", &elsewhere).unwrap_err().contains("signature does not match"));
    }

    #[test]
    fn damaged_keys_and_signatures_are_refused_and_never_panic() {
        let (subnet, der, signature) = signed(b"message");
        let key = CanisterKey::parse(&der).unwrap();
        for at in 0..der.len() {
            let cut = CanisterKey::parse(&der[..at]);
            assert_eq!(cut, None, "cut at {at}");
            for bit in 0..8 {
                let mut damaged = der.clone();
                damaged[at] ^= 1 << bit;
                assert_ne!(CanisterKey::parse(&damaged).as_ref(), Some(&key));
            }
        }
        for at in 3..signature.len() {
            assert!(key.verify(b"message", &signature[..at], &subnet.root_key()).is_err(), "cut at {at}");
        }
        for at in (3..signature.len()).step_by(3) {
            let mut damaged = signature.clone();
            damaged[at] ^= 4;
            // Some damage lies in what is not signed, such as a label of the encoding; none changes the message.
            let _ = key.verify(b"message", &damaged, &subnet.root_key());
            assert!(key.verify(b"massage", &damaged, &subnet.root_key()).is_err(), "byte {at}");
        }
    }
}
