//! Predictions: classes and outputs of single samples are proved, and no others are accepted.

mod common;

use audit::{Activation, Digest};
use common::{Case, Proved, setup};
use prover::{ProveError, Witness, audit_proof::prove, sabotage::Saboteur};
use verifier::{Check, VerifyError, audit_proof, statement::Inference};

struct Claims;

impl Saboteur for Claims {}

/// A true statement with the outputs.
fn with_outputs(case: &Case) -> Proved {
    let mut proved = case.prepare(3);
    proved.outputs = Witness::new(&proved.model, &proved.features).unwrap().outputs(&proved.model);
    proved
}

#[test]
fn outputs_of_every_shape_are_proved() {
    for case in Case::shapes() {
        let proved = with_outputs(&case);
        assert_eq!(proved.verify(&proved.prove_with(4, &mut Claims)), Ok(()), "{case:?}");
    }
}

#[test]
fn an_output_off_by_one_is_refused() {
    for case in [Case::new(&[3, 4, 1], 5), Case::new(&[3, 4, 3], 5), Case::new(&[1, 1], 1)] {
        for by in [1, -1] {
            let mut proved = with_outputs(&case);
            for index in [0, proved.outputs.len() - 1] {
                proved.outputs[index] += by;
                let proof = proved.prove_with(4, &mut Claims);
                assert_eq!(proved.verify(&proof), Err(VerifyError::Failed(Check::Samples)), "{case:?}");
                proved.outputs[index] -= by;
            }
        }
    }
}

#[test]
fn a_proof_with_outputs_is_none_without_them_nor_the_other_way_round() {
    let mut proved = with_outputs(&Case::new(&[3, 4, 1], 5));
    let with = proved.prove_with(4, &mut Claims);
    let outputs = std::mem::take(&mut proved.outputs);
    let without = proved.prove_with(4, &mut Claims);
    assert!(proved.verify(&with).is_err());
    proved.outputs = outputs;
    assert!(proved.verify(&without).is_err());
    proved.outputs.pop();
    assert!(matches!(proved.verify(&with), Err(VerifyError::Statement { what: "outputs", .. })));
}

#[test]
fn predictions_are_bound_to_class_output_and_context() {
    let mut case = Case::new(&[4, 6, 3], 2);
    case.hidden = vec![Activation::Table(0)];
    let proved = case.prepare(5);
    let witness = Witness::new(&proved.model, &proved.features).unwrap();
    let (classes, outputs) = (witness.decisions.clone(), witness.outputs(&proved.model));
    let inference = |context: u8, classes: &[u8], outputs| {
        let registered = &proved.registered;
        Inference::new(registered, Digest([context; 32]), &proved.features, classes, outputs).unwrap()
    };
    let own = inference(1, &classes, &outputs);
    let (model, secret, registered) = (&proved.model, &proved.secret, &proved.registered);
    let prove = |inference: &Inference<'_>| {
        prove(setup(), model, secret, registered, &inference.statement(), &[6; 32]).map(|(proof, _)| proof)
    };
    let proof = prove(&own).unwrap();
    let verify = |inference: &Inference<'_>| {
        audit_proof::verify(&setup().verifier, registered, &inference.statement(), &proof)
    };
    assert_eq!(verify(&own), Ok(()));
    let mut other = classes.clone();
    other[1] = (other[1] + 1) % 3;
    for inference in
        [inference(2, &classes, &outputs), inference(1, &other, &outputs), inference(1, &classes, &[])]
    {
        assert!(verify(&inference).is_err());
    }
    // An honest prover does not even start.
    assert_eq!(
        prove(&inference(1, &other, &outputs)),
        Err(ProveError::False("the counts are not those of the model"))
    );
    let mut other = outputs.clone();
    other[0] ^= 1;
    assert_eq!(
        prove(&inference(1, &classes, &other)),
        Err(ProveError::False("the outputs are not those of the model"))
    );
}
