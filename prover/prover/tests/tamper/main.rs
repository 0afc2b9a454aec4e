//! Every element of a proof, changed; and bytes that are no proof.
//!
//! The manifest lists what a proof is made of and where a change of it must be caught. A field that it does not list
//! makes the first test fail, so a new message of the protocol cannot go untested.

#[path = "../common/mod.rs"]
mod common;
mod encodings;
mod manifest;

use std::sync::OnceLock;

use common::{Case, Proved, setup};
use manifest::{Field, Kind, audit_fields, registration_fields};
use rayon::prelude::*;
use verifier::{
    F, Layout, VerifyError, audit_proof,
    ff::{Field as _, PrimeField as _},
    registration::RangeLayout,
    transcript::ELEMENT,
};

/// A proof of either kind, with everything that its verifier needs.
pub struct Subject {
    proved: Proved,
    kind: &'static str,
    /// An honest proof.
    pub proof: Vec<u8>,
    /// What it is made of.
    pub fields: Vec<Field>,
}

impl Subject {
    /// What the verifier says of other bytes.
    pub fn verify(&self, proof: &[u8]) -> Result<(), VerifyError> {
        match self.kind {
            "audit" => self.proved.verify(proof),
            _ => {
                let commitment = self.commitment().clone();
                verifier::registration::verify(&setup().verifier, commitment, proof).map(|_| ())
            }
        }
    }

    /// To the model.
    pub fn commitment(&self) -> &verifier::ModelCommitment {
        self.proved.registered.commitment()
    }

    /// Each element: its place, and the field it belongs to.
    pub fn elements(&self) -> Vec<(usize, &Field)> {
        let fields = self.fields.iter().flat_map(|field| std::iter::repeat_n(field, field.count));
        fields.enumerate().map(|(index, field)| (index * ELEMENT, field)).collect()
    }
}

/// An audit of two layers with a step, one of three layers with an arg-max, and a registration.
pub fn subjects() -> &'static [Subject] {
    static SUBJECTS: OnceLock<Vec<Subject>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        let step = Case::new(&[3, 3, 1], 9).prove(1);
        let mut arg_max = Case::new(&[2, 3, 2, 3], 4).prepare(1);
        arg_max.proof = arg_max.prove_with(1, &mut prover::sabotage::Honest);
        let range = RangeLayout::new(&step.architecture).unwrap();
        let audit = |proved: &Proved| Subject {
            kind: "audit",
            proof: proved.proof.clone(),
            fields: audit_fields(&proved.layout()),
            proved: proved.clone(),
        };
        let registration = Subject {
            kind: "registration",
            proof: step.registration.clone(),
            fields: registration_fields(&range),
            proved: step.clone(),
        };
        vec![audit(&step), audit(&arg_max), registration]
    })
}

#[test]
fn the_manifest_lists_every_element_of_a_proof() {
    let bytes = |fields: &[Field]| fields.iter().map(|field| field.count).sum::<usize>() * ELEMENT;
    for case in Case::shapes() {
        let architecture = verifier::Architecture::of(&case.model());
        let layout = Layout::new(&architecture, case.samples).unwrap();
        assert_eq!(bytes(&audit_fields(&layout)), audit_proof::proof_len(&layout), "{case:?}");
        let layout = RangeLayout::new(&architecture).unwrap();
        assert_eq!(bytes(&registration_fields(&layout)), layout.proof_len(), "{case:?}");
    }
    for subject in subjects() {
        assert_eq!(bytes(&subject.fields), subject.proof.len());
        assert_eq!(subject.verify(&subject.proof), Ok(()));
    }
}

/// Another element of the same kind: a scalar plus one, a point's negative.
fn changed(kind: Kind, element: [u8; ELEMENT]) -> [u8; ELEMENT] {
    match kind {
        Kind::Scalar => (F::from_repr(element).unwrap() + F::ONE).to_repr(),
        Kind::Point => {
            let mut negative = element;
            negative[ELEMENT - 1] ^= 0x80;
            negative
        }
    }
}

#[test]
fn every_element_changed_is_caught_where_the_manifest_says() {
    for subject in subjects() {
        subject.elements().par_iter().for_each(|&(at, field)| {
            let mut proof = subject.proof.clone();
            let element = &mut proof[at..at + ELEMENT];
            element.copy_from_slice(&changed(field.kind, (&*element).try_into().unwrap()));
            let caught = subject.verify(&proof);
            assert_eq!(caught, Err(VerifyError::Failed(field.caught)), "{} {field:?} at {at}", subject.kind);
        });
    }
}

/// Neighbours that differ, exchanged: what each says is valid, but not in this place.
#[test]
fn neighbours_exchanged() {
    for subject in &subjects()[..2] {
        let elements = subject.elements();
        elements.par_windows(2).for_each(|pair| {
            let [(at, field), (_, next)] = *pair else { return };
            let mut proof = subject.proof.clone();
            let (one, other) = proof[at..at + 2 * ELEMENT].split_at_mut(ELEMENT);
            if field.kind == next.kind && one != other {
                one.swap_with_slice(other);
                assert_eq!(
                    subject.verify(&proof),
                    Err(VerifyError::Failed(field.caught)),
                    "{field:?} at {at}"
                );
            }
        });
    }
}
