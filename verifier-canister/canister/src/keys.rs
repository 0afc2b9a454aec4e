//! Keys that owners sign prediction logs with: registered, revoked, never removed.
//!
//! A log names its signer by an Ed25519 key, which tools that do not know principals can verify. Here the key gets an
//! owner. To change a key, register the new one and revoke the old.

use std::ops::RangeInclusive;

use audit::dsse::verify_ed25519;
use candid::Principal;
use ic_stable_structures::Memory;
use interface::{
    AddKey, CertifiedKeys, DigestBytes, Error, KeyRevocation, Proof, RevokeKey, SigningKey,
    certified::signing_key_range, key_message,
};

use crate::{
    guards::{Context, check_quota, check_reason},
    proofs::refused,
    storage::{DigestKey, State},
};

/// Keys of one owner, revoked ones included.
pub const MAX_KEYS: u64 = 50;

fn own_keys(owner: Principal) -> RangeInclusive<(Principal, DigestKey)> {
    (owner, [0; 32])..=(owner, [u8::MAX; 32])
}

impl<M: Memory> State<M> {
    /// Registers a key of the caller, who must own a model.
    pub fn add_key(&mut self, context: &Context, canister: Principal, request: &AddKey) -> Result<(), Error> {
        let owner = context.signed_in()?;
        if self.account(owner)?.models == 0 {
            return Err(Error::not_allowed("the owner of a model"));
        }
        if self.keys().contains(&(owner, request.key.0)) {
            return Err(Error::AlreadyRegistered { what: "key".to_owned(), digest: request.key });
        }
        let used = self.keys().keys(own_keys(owner)).count() as u64;
        check_quota("keys of an owner", MAX_KEYS, used, 1)?;
        if !verify_ed25519(&request.key.into(), &key_message(canister, owner), &request.signature) {
            return Err(refused("signature", "it is not the key's, of this canister and caller"));
        }
        let key = SigningKey { owner, key: request.key, added_at_ns: context.now_ns, revoked: None };
        self.put_key(&key)
    }

    /// Accepts no log any more that is signed with a key of the caller.
    pub fn revoke_key(&mut self, context: &Context, request: RevokeKey) -> Result<(), Error> {
        let owner = context.signed_in()?;
        check_reason(&request.reason)?;
        let mut key = self.key_entry(owner, request.key)?;
        if key.revoked.is_some() {
            return Err(Error::WrongState {
                what: format!("key {}", request.key),
                state: "revoked".to_owned(),
                needed: "registered".to_owned(),
            });
        }
        key.revoked = Some(KeyRevocation { reason: request.reason, at_ns: context.now_ns });
        self.put_key(&key)
    }

    /// Fails unless the owner signs with this key now.
    pub(crate) fn check_key(&self, owner: Principal, key: DigestBytes) -> Result<(), Error> {
        match self.key_entry(owner, key)?.revoked {
            None => Ok(()),
            Some(_) => Err(Error::WrongState {
                what: format!("key {key}"),
                state: "revoked".to_owned(),
                needed: "registered".to_owned(),
            }),
        }
    }

    fn key_entry(&self, owner: Principal, key: DigestBytes) -> Result<SigningKey, Error> {
        let found = self.keys().get(&(owner, key.0))?;
        found.ok_or_else(|| Error::not_found("registered key of the model's owner", key))
    }

    /// Every key of an owner, with proof that these are all.
    pub fn certified_keys(
        &self,
        owner: Principal,
        ic_certificate: Option<Vec<u8>>,
    ) -> Result<CertifiedKeys, Error> {
        let keys = self.keys().range(own_keys(owner)).map(|entry| entry.map(|(_, key)| key));
        let (first, last) = signing_key_range(owner);
        let witness = self.tree().range_witness(&first, &last)?;
        let proof = Proof { ic_certificate: ic_certificate.map(Into::into), witness };
        Ok(CertifiedKeys { keys: keys.collect::<Result<_, _>>()?, proof })
    }
}
