//! Bytes that are no proof: too few, too many, not canonical, not on the curve.

use rayon::prelude::*;
use verifier::{Check, VerifyError, transcript::ELEMENT};

use crate::{
    manifest::{Field, Kind},
    subjects,
};

#[test]
fn proofs_of_another_length() {
    for subject in subjects() {
        let proof = &subject.proof;
        let expected = proof.len();
        for length in [0, 1, ELEMENT, expected - ELEMENT, expected - 1] {
            let refused = Err(VerifyError::Length { expected, got: length });
            assert_eq!(subject.verify(&proof[..length]), refused);
        }
        for more in [1, ELEMENT, 1 << 20] {
            let long = [proof.as_slice(), &vec![0; more]].concat();
            assert_eq!(subject.verify(&long), Err(VerifyError::Length { expected, got: expected + more }));
        }
        // One element left out, and another appended.
        let shifted = [&proof[ELEMENT..], &proof[..ELEMENT]].concat();
        assert!(subject.verify(&shifted).is_err());
        assert!(subject.verify(&vec![0; expected]).is_err());
        assert!(subject.verify(&vec![0xff; expected]).is_err());
    }
}

/// The order of the scalar field, little end first, plus something: a second encoding of a small scalar.
fn order_plus(small: u8) -> [u8; ELEMENT] {
    use verifier::ff::{Field as _, PrimeField as _};
    let mut bytes = (-verifier::F::ONE).to_repr();
    // The order's lowest byte is 1, so that of its predecessor is 0.
    assert_eq!(bytes[0], 0);
    bytes[0] = 1 + small;
    bytes
}

/// An x coordinate without a point on the curve.
fn off_the_curve() -> [u8; ELEMENT] {
    use verifier::{Point, group::GroupEncoding as _};
    let encodings = (2..).map(|x: u8| {
        let mut bytes = [0; ELEMENT];
        bytes[0] = x;
        bytes
    });
    let mut off = encodings.filter(|bytes| Option::<Point>::from(Point::from_bytes(bytes)).is_none());
    off.next().unwrap()
}

/// Encodings that no element may have.
fn invalid(kind: Kind) -> Vec<(&'static str, [u8; ELEMENT])> {
    let mut sign_only = [0; ELEMENT];
    sign_only[ELEMENT - 1] = 0x80;
    match kind {
        Kind::Scalar => vec![
            ("the order", order_plus(0)),
            ("the order plus one", order_plus(1)),
            ("all ones", [0xff; ELEMENT]),
        ],
        Kind::Point => vec![
            ("the identity", [0; ELEMENT]),
            ("the identity with a sign", sign_only),
            ("off the curve", off_the_curve()),
            ("a coordinate above the prime", [0xff; ELEMENT]),
        ],
    }
}

/// The closing proof is read by halo2, which has one answer to everything; before that, the place is known.
fn expected(field: &Field, at: usize) -> VerifyError {
    let what = if field.kind == Kind::Point { "point" } else { "scalar" };
    match field.name.starts_with("closing:") {
        true if field.caught == Check::ClosingCommitments => VerifyError::Failed(Check::ClosingCommitments),
        true => VerifyError::Failed(Check::Closing),
        false => VerifyError::Encoding { what, at },
    }
}

#[test]
fn elements_that_encode_nothing() {
    for subject in subjects() {
        let elements = subject.elements();
        // Of each field the first element and the last; of small proofs all.
        let small = elements.len() < 200;
        let edge = |index: usize| {
            let name = elements[index].1.name;
            let before = index.checked_sub(1).map(|before| elements[before].1.name);
            before != Some(name) || elements.get(index + 1).is_none_or(|next| next.1.name != name)
        };
        let chosen: Vec<_> = (0..elements.len()).filter(|&index| small || edge(index)).collect();
        chosen.par_iter().for_each(|&index| {
            let (at, field) = elements[index];
            for (name, bytes) in invalid(field.kind) {
                let mut proof = subject.proof.clone();
                proof[at..at + ELEMENT].copy_from_slice(&bytes);
                assert_eq!(subject.verify(&proof), Err(expected(field, at)), "{name} as {field:?}");
            }
        });
    }
}

#[test]
fn rows_of_a_model_that_encode_nothing() {
    use verifier::ModelCommitment;
    let commitment = subjects()[0].commitment();
    let bytes = commitment.row_bytes();
    let parse = |bytes: &[u8]| ModelCommitment::parse(commitment.architecture.clone(), b"owner", bytes);
    assert_eq!(parse(&bytes).as_ref(), Ok(commitment));
    for (name, invalid) in invalid(Kind::Point) {
        let refused = Err(VerifyError::Encoding { what: "point", at: 0 });
        assert_eq!(parse(&[&invalid, &bytes[ELEMENT..]].concat()), refused, "{name}");
    }
    for length in [0, ELEMENT - 1, 2 * ELEMENT] {
        let (expected, got) = (bytes.len(), length);
        assert_eq!(parse(&vec![0; length]), Err(VerifyError::Length { expected, got }));
    }
}
