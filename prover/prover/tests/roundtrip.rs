//! Honest proofs of many shapes are accepted.

mod common;

use common::{Case, setup};
use verifier::{Check, Layout, VerifyError, audit_proof};

#[test]
fn shapes_are_proved_and_verified() {
    for (index, case) in Case::shapes().into_iter().enumerate() {
        let proved = case.prove(index as u8);
        let result =
            audit_proof::verify(&setup().verifier, &proved.registered, &proved.statement(), &proved.proof);
        assert_eq!(result, Ok(()), "{case:?}");
    }
}

#[test]
fn a_wrong_count_is_refused() {
    let mut proved = Case::new(&[3, 4, 1], 5).prove(1);
    proved.counts.swap(0, 1);
    let result =
        audit_proof::verify(&setup().verifier, &proved.registered, &proved.statement(), &proved.proof);
    assert!(
        matches!(result, Err(VerifyError::Failed(Check::Lookups) | VerifyError::Statement { .. })),
        "{result:?}"
    );
}

#[test]
fn lengths_follow_from_the_statement() {
    let proved = Case::new(&[3, 4, 1], 5).prove(1);
    let layout = Layout::new(&proved.architecture, 5).unwrap();
    assert_eq!(proved.proof.len(), audit_proof::proof_len(&layout));
}
