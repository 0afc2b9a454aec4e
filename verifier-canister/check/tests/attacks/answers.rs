//! A node's answer about one record: forged, old, from elsewhere, or hidden.

use audit::Digest;
use candid::Principal;
use check::{Failure, check_record};
use ic_certification::{HashTree, hash_tree::pruned};
use interface::{
    Proof,
    certified::{audit_key, model_key},
};
use serde_bytes::ByteBuf;

use crate::{
    body::canister,
    network::{ROOT, SIGNED_AT, SUBNET, cbor, delegation, key, only, sign, state, tree, trust, vouching},
};

const RECORD: &[u8] = b"the record of audit 7";

fn witness() -> HashTree {
    let other = (model_key(Digest([1; 32])), Digest([2; 32]));
    tree(&[(audit_key(7), Digest::of(RECORD)), (audit_key(9), Digest([3; 32])), other])
}

/// What the canister certified, signed by a subnet with this secret.
fn proof_of(subnet: u8, witness: &HashTree, certified: Digest) -> Proof {
    let delegation = delegation(ROOT, SUBNET, vouching(SUBNET, &only(canister())));
    let signed = sign(&key(subnet), state(canister(), certified, SIGNED_AT), Some(delegation));
    Proof { ic_certificate: Some(ByteBuf::from(cbor(&signed))), witness: cbor(witness) }
}

fn honest() -> Proof {
    proof_of(SUBNET, &witness(), Digest(witness().digest()))
}

#[test]
fn a_record_and_the_absence_of_one_are_accepted() {
    assert_eq!(check_record(canister(), &trust(), &honest(), &audit_key(7), Some(RECORD)), Ok(()));
    assert_eq!(check_record(canister(), &trust(), &honest(), &audit_key(8), None), Ok(()));
}

#[test]
fn another_record_under_the_key_or_the_record_under_another_key() {
    let check = |key: &str, record: &[u8]| {
        check_record(canister(), &trust(), &honest(), key, Some(record)).unwrap_err()
    };
    assert!(matches!(check(&audit_key(7), b"another"), Failure::OtherContent { .. }));
    assert!(matches!(check(&audit_key(9), RECORD), Failure::OtherContent { .. }));
    assert!(matches!(check(&audit_key(8), RECORD), Failure::Absent(_)));
}

#[test]
fn a_record_that_is_hidden() {
    let hidden = check_record(canister(), &trust(), &honest(), &audit_key(7), None);
    assert!(matches!(hidden, Err(Failure::Present(_))));
    let all_pruned = pruned(witness().digest());
    let proof = proof_of(SUBNET, &all_pruned, Digest(witness().digest()));
    for record in [None, Some(RECORD)] {
        let checked = check_record(canister(), &trust(), &proof, &audit_key(7), record);
        assert!(matches!(checked, Err(Failure::Pruned(_))), "{checked:?}");
    }
}

#[test]
fn a_witness_or_signature_of_the_nodes_own() {
    let own = tree(&[(audit_key(7), Digest::of(b"forged"))]);
    let check = |proof: &Proof| {
        check_record(canister(), &trust(), proof, &audit_key(7), Some(b"forged")).unwrap_err()
    };
    let exchanged = proof_of(SUBNET, &own, Digest(witness().digest()));
    assert!(matches!(check(&exchanged), Failure::OtherWitness { .. }));
    let signed_by_itself = proof_of(9, &own, Digest(own.digest()));
    assert!(matches!(check(&signed_by_itself), Failure::Signature(_)));
    let unsigned = Proof { ic_certificate: None, ..honest() };
    assert!(check_record(canister(), &trust(), &unsigned, &audit_key(7), Some(RECORD)).is_err());
}

#[test]
fn an_old_answer_and_one_of_another_canister() {
    let strict = check::Trust { max_age_s: Some(600), ..trust() };
    let old = check_record(canister(), &strict, &honest(), &audit_key(7), Some(RECORD));
    assert!(matches!(old, Err(Failure::TooOld { .. })));
    let elsewhere = Principal::management_canister();
    assert!(check_record(elsewhere, &trust(), &honest(), &audit_key(7), Some(RECORD)).is_err());
}
