//! For tests: where a prover can be made dishonest while it goes on following the protocol.
//!
//! A verifier is worth what it refuses, and flipped bytes are not what a cheat sends. Each method is called at one
//! stage of a proof; what it leaves alone is the honest prover's, whose every method is the default.

use verifier::{F, Layout, Point, Tape as Name, registration::RangeLayout};

use crate::{
    ProveError, ProverSetup, Randomness,
    audit_proof::Tapes,
    closing::{self, Blinding, Combined},
    tape::{Domain, Tape},
    transcript::Writer,
};

/// What the combined row is made with.
#[derive(Debug, Clone, Copy)]
pub struct Factors<'a> {
    /// Of the blinding commitment.
    pub gamma: F,
    /// Of each tape; each of its rows has `verifier::opening::row_weights` as another factor.
    pub tapes: &'a [(Name, F)],
}

/// Weights and bias limbs, and index and blinding factor of each row.
pub type Opening = (Vec<i32>, Vec<(usize, F)>);

/// What a dishonest prover does otherwise.
pub trait Saboteur {
    /// Whether a false statement or a foreign model is refused before anything is proved.
    fn checks(&self) -> bool {
        false
    }

    /// Whether sumchecks reveal the value of their mask that makes their last check hold, true or not.
    fn lies_about_masks(&self) -> bool {
        false
    }

    /// Features that the model is run on, if not the statement's.
    fn features(&self) -> Option<Vec<i16>> {
        None
    }

    /// Changes the committed values.
    fn tapes(&mut self, _layout: &Layout, _tapes: &mut Tapes<'_>) {}

    /// Changes the inverses, which are committed after the lookup challenges.
    fn inverses(&mut self, _layout: &Layout, _domain: &Domain, _h: &mut Tape) {}

    /// Changes the commitments to a tape's rows before they are sent.
    fn commitments(&mut self, _setup: &ProverSetup, _tape: Name, _rows: &mut [Point]) {}

    /// Weights and bias limbs that the commitment is opened to, with the rows' blinding factors, if not those that
    /// all else was proved about.
    fn opened_model(&self) -> Option<Opening> {
        None
    }

    /// The blinding commitment of the combined row.
    fn row_commitment(&mut self, setup: &ProverSetup, blinding: &Blinding) -> Point {
        blinding.commit(setup, 0, &[])
    }

    /// The commitment to the opening mask.
    fn mask_commitment(&mut self, setup: &ProverSetup, mask: &[F], blinding: &Blinding) -> Point {
        closing::commit_mask(setup, mask, blinding)
    }

    /// Makes the closing proof.
    fn close(
        &mut self,
        setup: &ProverSetup,
        writer: &mut Writer,
        combined: Combined<'_>,
        _factors: Factors<'_>,
        randomness: &mut Randomness,
    ) -> Result<(), ProveError> {
        closing::prove(setup, writer, combined, randomness)
    }

    /// Changes what a registration is about: weights and bias limbs, and how often each integer is used.
    fn weights(&mut self, _layout: &RangeLayout, _weights: &mut [i32], _multiplicities: &mut [i32]) {}
}

/// The prover that everybody uses.
#[derive(Debug, Clone, Copy)]
pub struct Honest;

impl Saboteur for Honest {
    fn checks(&self) -> bool {
        true
    }
}
