//! What the subnet signs: the state tree, certificates over parts of it, and the keys.

mod keys;
mod state_tree;
mod tree;

use std::sync::{Arc, Mutex, PoisonError};

use candid::Principal;
use ic_certification::{Certificate, HashTree};

pub(crate) use keys::{ED25519_PREFIX, Keys};
pub(crate) use state_tree::leb128;
use tree::Hashed;
pub(crate) use tree::Want;

use crate::subnet::state::State;
use crate::subnet::wall;

/// How old a signature over an unchanged state may get before it is renewed, in nanoseconds.
const RENEW: u64 = 1_000_000_000;

/// A version of the state together with its signed tree, which is made when first needed.
pub(crate) struct Snapshot {
    pub(crate) state: State,
    certified: Mutex<Option<Arc<Certified>>>,
}

impl Snapshot {
    pub(crate) fn new(state: State) -> Self {
        Snapshot { state, certified: Mutex::new(None) }
    }

    /// The signed state tree, with a time at most [`RENEW`] old.
    pub(crate) fn certified(&self, keys: &Keys) -> Arc<Certified> {
        let mut certified = self.certified.lock().unwrap_or_else(PoisonError::into_inner);
        let now = wall();
        match &*certified {
            Some(certified) if now.saturating_sub(certified.time) < RENEW => certified.clone(),
            _ => certified.insert(Arc::new(Certified::new(keys, &self.state, now))).clone(),
        }
    }
}

/// A signed state tree.
pub(crate) struct Certified {
    time: u64,
    tree: Hashed,
    signature: Vec<u8>,
}

impl Certified {
    fn new(keys: &Keys, state: &State, time: u64) -> Self {
        let tree = Hashed::new(state_tree::build(keys, state, time));
        let message = [b"\x0Dic-state-root".as_slice(), &tree.digest()].concat();
        Certified { time, signature: keys.sign_as_subnet(&message), tree }
    }

    /// A certificate that reveals these paths (and no others) of the state tree, as tagged CBOR.
    pub(crate) fn certificate(&self, want: &Want) -> Vec<u8> {
        let tree: HashTree = self.tree.witness(want);
        let certificate = Certificate { tree, signature: self.signature.clone(), delegation: None };
        crate::cbor::encode_tagged(&certificate)
    }

    /// The certificate that a query of `canister` can read.
    pub(crate) fn data_certificate(&self, canister: Principal) -> Vec<u8> {
        let data = vec![b"canister".as_slice(), canister.as_slice(), b"certified_data"];
        self.certificate(&Want::paths(&[data, vec![b"time".as_slice()]]))
    }
}
