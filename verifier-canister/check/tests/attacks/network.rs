//! A root key, subnets, and the certificates that they sign.

use audit::Digest;
use candid::Principal;
use check::Trust;
use ic_certification::{
    Certificate, Delegation, HashTree,
    hash_tree::{fork, label, leaf},
};
use ic_verify_bls_signature::PrivateKey;
use interface::{
    certified::{TREE_LABEL, certificate_key, status_key},
    export::CertificateFile,
};
use serde_bytes::ByteBuf;

use crate::body::{CERTIFICATE, ISSUED_AT, body, canister};

/// When subnets sign, in nanoseconds since 1970: a minute after the certificate was issued.
pub const SIGNED_AT: u64 = ISSUED_AT + 60_000_000_000;

/// A key whose secret is made of one byte.
pub fn key(secret: u8) -> PrivateKey {
    let mut bytes = [0; 32];
    bytes[31] = secret;
    PrivateKey::deserialize(&bytes).unwrap()
}

/// The key that checkers pin.
pub const ROOT: u8 = 1;
/// A subnet that the root key vouches for.
pub const SUBNET: u8 = 2;

/// A public key in DER.
pub fn der(key: &PrivateKey) -> Vec<u8> {
    let prefix = hex::decode("308182301d060d2b0601040182dc7c0503010201060c2b0601040182dc7c05030201036100");
    [prefix.unwrap(), key.public_key().serialize().to_vec()].concat()
}

/// A certificate over `tree`.
pub fn sign(key: &PrivateKey, tree: HashTree, delegation: Option<Delegation>) -> Certificate {
    let message = [b"\x0Dic-state-root".as_slice(), &tree.digest()].concat();
    Certificate { tree, signature: key.sign(&message).serialize().to_vec(), delegation }
}

/// CBOR with the tag in front, as nodes write it.
pub fn cbor(value: &impl serde::Serialize) -> Vec<u8> {
    [b"\xd9\xd9\xf7".to_vec(), serde_cbor::to_vec(value).unwrap()].concat()
}

/// The state of a subnet on which `canister` has certified `data`.
pub fn state(canister: Principal, data: Digest, time_ns: u64) -> HashTree {
    let certified = label("certified_data", leaf(data.0.to_vec()));
    fork(label("canister", label(canister.as_slice().to_vec(), certified)), time(time_ns))
}

fn time(time_ns: u64) -> HashTree {
    let (mut bytes, mut rest) = (Vec::new(), time_ns);
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    label("time", leaf(bytes))
}

/// The id of the subnet with this secret.
pub fn subnet_id(secret: u8) -> Vec<u8> {
    Principal::self_authenticating(der(&key(secret))).as_slice().to_vec()
}

/// The state in which the root key vouches for a subnet that hosts `ranges`.
pub fn vouching(subnet: u8, ranges: &[(Principal, Principal)]) -> HashTree {
    let pairs: Vec<(ByteBuf, ByteBuf)> = ranges
        .iter()
        .map(|(first, last)| (ByteBuf::from(first.as_slice()), ByteBuf::from(last.as_slice())))
        .collect();
    let shard = label(vec![0; 10], leaf(cbor(&pairs)));
    fork(
        label("canister_ranges", label(subnet_id(subnet), shard)),
        fork(
            label("subnet", label(subnet_id(subnet), label("public_key", leaf(der(&key(subnet)))))),
            time(SIGNED_AT - 1),
        ),
    )
}

/// The delegation for a subnet, from a state that `root` signed.
pub fn delegation(root: u8, subnet: u8, tree: HashTree) -> Delegation {
    Delegation { subnet_id: subnet_id(subnet), certificate: cbor(&sign(&key(root), tree, None)) }
}

/// A range with only this canister.
pub fn only(canister: Principal) -> [(Principal, Principal); 1] {
    [(canister, canister)]
}

/// A canister's tree with these leaves, in order of their keys.
pub fn tree(leaves: &[(String, Digest)]) -> HashTree {
    let leaf_of = |(key, digest): &(String, Digest)| label(key.as_bytes(), leaf(digest.0.to_vec()));
    let inner = leaves.iter().map(leaf_of).reduce(fork).unwrap();
    label(TREE_LABEL, inner)
}

/// The status text of a certificate that stands.
pub fn valid(certificate: u64) -> Vec<u8> {
    format!("{{\"certificate\":{certificate},\"state\":\"valid\"}}").into_bytes()
}

/// What a canister certified, and what is exported of it.
pub struct World {
    pub body: Vec<u8>,
    pub status: Vec<u8>,
}

impl World {
    pub fn honest() -> Self {
        Self { body: body(), status: valid(CERTIFICATE) }
    }

    /// The canister's whole tree.
    pub fn witness(&self) -> HashTree {
        tree(&[
            (certificate_key(CERTIFICATE), Digest::of(&self.body)),
            (status_key(CERTIFICATE), Digest::of(&self.status)),
        ])
    }

    /// The subnet's signature on it, made at `time_ns`.
    pub fn certificate_at(&self, time_ns: u64) -> Certificate {
        let state = state(canister(), Digest(self.witness().digest()), time_ns);
        sign(&key(SUBNET), state, Some(delegation(ROOT, SUBNET, vouching(SUBNET, &only(canister())))))
    }

    /// The exported file.
    pub fn file(&self) -> CertificateFile {
        self.file_with(&self.certificate_at(SIGNED_AT), &self.witness())
    }

    /// An exported file with another IC certificate or witness.
    pub fn file_with(&self, certificate: &Certificate, witness: &HashTree) -> CertificateFile {
        let (body, status) = (self.body.clone(), self.status.clone());
        CertificateFile::new(canister(), CERTIFICATE, body, status, cbor(certificate), cbor(witness))
    }
}

/// A checker who knows root key and canister, an hour after the signature.
pub fn trust() -> Trust {
    Trust {
        root_key: der(&key(ROOT)),
        canister: Some(canister()),
        now_ns: SIGNED_AT + 3_600_000_000_000,
        max_age_s: None,
    }
}
