//! The keys of the subnet: the BLS root key and the node's Ed25519 key.

use std::sync::Arc;

use candid::Principal;
use ed25519_dalek::{Signer, SigningKey};
use ic_verify_bls_signature::PrivateKey;

use crate::NodeError;
use crate::subnet::random::derive;

/// What precedes the 96 bytes of a BLS public key in DER.
const ROOT_KEY_PREFIX: [u8; 37] = [
    0x30, 0x81, 0x82, 0x30, 0x1d, 0x06, 0x0d, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05, 0x03,
    0x01, 0x02, 0x01, 0x06, 0x0c, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdc, 0x7c, 0x05, 0x03, 0x02, 0x01,
    0x03, 0x61, 0x00,
];
/// What precedes the 32 bytes of an Ed25519 public key in DER (RFC 8410).
pub(crate) const ED25519_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// Keys derived from a seed, and the ids that follow from them.
pub(crate) struct Keys {
    seed: [u8; 32],
    root: PrivateKey,
    root_der: Arc<Vec<u8>>,
    node: SigningKey,
    node_der: Vec<u8>,
    subnet_id: Principal,
    node_id: Principal,
}

impl Keys {
    /// Derives the keys; the same seed gives the same keys.
    pub(crate) fn from_seed(seed: [u8; 32]) -> Result<Self, NodeError> {
        let candidate = |attempt: u8| {
            let mut bytes = derive(b"localnet root key", &[&seed, &[attempt]]);
            bytes[0] &= 0x3f; // below the group order, which starts with 0x73
            PrivateKey::deserialize(&bytes).ok()
        };
        let root = (0..=u8::MAX).find_map(candidate).ok_or(NodeError::Seed)?;
        let root_der = [ROOT_KEY_PREFIX.as_slice(), &root.public_key().serialize()].concat();
        let node = SigningKey::from_bytes(&derive(b"localnet node key", &[&seed]));
        let node_der = [ED25519_PREFIX.as_slice(), node.verifying_key().as_bytes()].concat();
        Ok(Keys {
            seed,
            root,
            subnet_id: Principal::self_authenticating(&root_der),
            root_der: Arc::new(root_der),
            node_id: Principal::self_authenticating(&node_der),
            node,
            node_der,
        })
    }

    pub(crate) fn seed(&self) -> [u8; 32] {
        self.seed
    }

    pub(crate) fn root_key_der(&self) -> Arc<Vec<u8>> {
        self.root_der.clone()
    }

    pub(crate) fn node_key_der(&self) -> &[u8] {
        &self.node_der
    }

    pub(crate) fn subnet_id(&self) -> Principal {
        self.subnet_id
    }

    pub(crate) fn node_id(&self) -> Principal {
        self.node_id
    }

    /// Signature of the subnet, 48 bytes.
    pub(crate) fn sign_as_subnet(&self, message: &[u8]) -> Vec<u8> {
        self.root.sign(message).serialize().to_vec()
    }

    /// Signature of the node, 64 bytes.
    pub(crate) fn sign_as_node(&self, message: &[u8]) -> Vec<u8> {
        self.node.sign(message).to_bytes().to_vec()
    }
}
