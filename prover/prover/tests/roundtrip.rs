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
fn a_layer_of_1024_units() {
    // Hidden, and as the model's input.
    for case in [Case::new(&[4, 1024, 3], 2), Case::new(&[1024, 2, 1], 3)] {
        let proved = case.prove(1);
        assert_eq!(proved.verify(&proved.proof), Ok(()), "{case:?}");
    }
}

#[test]
fn a_wrong_count_is_refused() {
    let mut proved = Case::new(&[3, 4, 1], 5).prove(1);
    let counted = proved.counts.iter().take(2).position(|&count| count > 0).unwrap();
    proved.counts[counted] -= 1;
    proved.counts[1 - counted] += 1;
    // The proof is of another statement, so every challenge differs.
    assert_eq!(proved.verify(&proved.proof), Err(VerifyError::Failed(Check::Lookups)));
    proved.counts[counted] += 1;
    let result = proved.verify(&proved.proof);
    assert!(matches!(result, Err(VerifyError::Statement { .. })), "{result:?}");
}

#[test]
fn lengths_follow_from_the_statement() {
    let proved = Case::new(&[3, 4, 1], 5).prove(1);
    let layout = Layout::new(&proved.architecture, 5).unwrap();
    assert_eq!(proved.proof.len(), audit_proof::proof_len(&layout));
}
