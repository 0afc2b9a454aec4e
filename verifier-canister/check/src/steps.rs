//! What the checks of a certificate and of its records have in common: from a subnet's signature to a leaf.

use audit::Digest;
use candid::Principal;
use ic_certification::{HashTree, LookupResult};
use interface::certified::TREE_LABEL;

use crate::{
    Failure, Trust,
    ic_certificate::{self, IcCertificate},
};

/// How far the subnet's clock may run ahead of the checker's, in seconds.
const MAX_AHEAD_S: u64 = 300;
const NANOSECONDS: u64 = 1_000_000_000;

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name, as the functions that check list them.
    pub name: &'static str,
    /// What was found.
    pub result: Result<String, Failure>,
}

/// Takes steps and notes them.
pub(crate) struct Steps(pub(crate) Vec<Step>);

impl Steps {
    /// Notes a step; `None` ends the check.
    pub(crate) fn take<T>(&mut self, name: &'static str, outcome: Result<(T, String), Failure>) -> Option<T> {
        let (value, result) = match outcome {
            Ok((value, found)) => (Some(value), Ok(found)),
            Err(failure) => (None, Err(failure)),
        };
        self.0.push(Step { name, result });
        value
    }

    /// From the signature to the canister's tree: the witness, and when the subnet signed.
    pub(crate) fn certified(
        &mut self,
        address: Principal,
        ic_certificate: &[u8],
        bytes: &[u8],
        trust: &Trust,
    ) -> Option<(HashTree, u64)> {
        let ic = self.take("signature", signature(ic_certificate, trust))?;
        self.take("canister", canister(address, trust, &ic))?;
        let signed_at_ns = self.take("age", age(trust, &ic))?;
        let witness = self.take("certified data", witness(address, bytes, &ic))?;
        Some((witness, signed_at_ns))
    }
}

fn signature(bytes: &[u8], trust: &Trust) -> Result<(IcCertificate, String), Failure> {
    let ic = IcCertificate::verify(bytes, &trust.root_key)?;
    let signer = match ic.subnet() {
        Some(subnet) => format!("signed by subnet {subnet}, which the root key vouches for"),
        None => "signed by the root key".to_owned(),
    };
    Ok((ic, signer))
}

fn canister(canister: Principal, trust: &Trust, ic: &IcCertificate) -> Result<((), String), Failure> {
    let found = match trust.canister {
        Some(expected) if expected != canister => {
            return Err(Failure::OtherCanister { expected, got: canister.to_text() });
        }
        Some(_) => format!("{canister}, as expected"),
        None => format!("{canister}, by the file's own word: compare it with the one you trust"),
    };
    ic.covers(canister)?;
    Ok(((), found))
}

pub(crate) fn age(trust: &Trust, ic: &IcCertificate) -> Result<(u64, String), Failure> {
    let signed = ic.time_ns()?;
    let ahead_s = signed.saturating_sub(trust.now_ns) / NANOSECONDS;
    if ahead_s > MAX_AHEAD_S {
        return Err(Failure::InTheFuture { ahead_s });
    }
    let age_s = trust.now_ns.saturating_sub(signed) / NANOSECONDS;
    if let Some(max_s) = trust.max_age_s.filter(|max_s| age_s > *max_s) {
        return Err(Failure::TooOld { age_s, max_s });
    }
    Ok((signed, format!("signed {age_s} s ago")))
}

pub(crate) fn witness(
    canister: Principal,
    bytes: &[u8],
    ic: &IcCertificate,
) -> Result<(HashTree, String), Failure> {
    let certified = ic.certified_data(canister)?;
    let witness: HashTree = ic_certificate::parse_cbor("witness", bytes)?;
    let got = Digest(witness.digest());
    if got != certified {
        return Err(Failure::OtherWitness { certified, got });
    }
    Ok((witness, format!("the witness has the certified root {certified}")))
}

pub(crate) fn leaf(
    witness: &HashTree,
    what: &'static str,
    key: &str,
    content: &[u8],
) -> Result<((), String), Failure> {
    let certified = match witness.lookup_path([TREE_LABEL, key.as_bytes()]) {
        LookupResult::Found(bytes) => bytes,
        LookupResult::Absent => return Err(Failure::Absent(key.to_owned())),
        LookupResult::Unknown | LookupResult::Error => return Err(Failure::Pruned(key.to_owned())),
    };
    let got = Digest::of(content);
    if certified != got.0 {
        return Err(Failure::OtherContent { what, certified: hex::encode(certified), got });
    }
    Ok(((), format!("{key} has digest {got}")))
}

/// Fails with the first field that is not what it should be.
pub(crate) fn equal(fields: impl IntoIterator<Item = (&'static str, String, String)>) -> Result<(), Failure> {
    match fields.into_iter().find(|(_, expected, got)| expected != got) {
        Some((field, expected, got)) => Err(Failure::Contradiction { field, expected, got }),
        None => Ok(()),
    }
}
