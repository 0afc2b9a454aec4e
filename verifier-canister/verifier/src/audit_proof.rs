//! Verifies the proof of an audit, or of predictions: the phases in the order of the transcript.

use crate::{
    Layout, RegisteredModel, Setup, Statement, Tape, VerifyError,
    closing::{self, CLOSING_BYTES},
    contraction, layers,
    layout::{CONTRACTION_DEGREE, LOOKUP_DEGREE, OPENING_DEGREE, SAMPLE_DEGREE},
    lookup::{self, Compression},
    opening::{self, Rows},
    transcript::{ELEMENT, Reader},
};

/// Tapes whose rows are sent before the lookup challenges.
pub const FIRST_TAPES: [Tape; 4] = [Tape::Q, Tape::R, Tape::X, Tape::Z];

/// Bytes of a proof with this layout.
pub fn proof_len(layout: &Layout) -> usize {
    // Two blinding commitments; per sumcheck its mask's sum, rounds and mask; then the revealed values.
    let sumcheck = |variables: usize, degree: usize| 2 + variables * degree;
    let elements = layout.sent_rows()
        + 2
        + (sumcheck(layout.address_bits, LOOKUP_DEGREE) + 4)
        + (sumcheck(layout.sample_bits, SAMPLE_DEGREE) + 3)
        + (sumcheck(layout.contraction_bits, CONTRACTION_DEGREE) + 2 * layout.dense - 1)
        + (sumcheck(layout.address_bits, OPENING_DEGREE) - 1);
    elements * ELEMENT + CLOSING_BYTES
}

/// Accepts the proof, or says which check it does not pass.
pub fn verify(
    setup: &Setup,
    model: &RegisteredModel,
    statement: &Statement<'_>,
    proof: &[u8],
) -> Result<(), VerifyError> {
    model.check(statement)?;
    statement.check()?;
    let architecture = statement.architecture;
    let layout = Layout::new(architecture, statement.samples())?;
    let expected = proof_len(&layout);
    if proof.len() != expected {
        return Err(VerifyError::Length { expected, got: proof.len() });
    }
    let mut reader = Reader::new(proof, &statement.digest())?;

    let mut tapes = Vec::new();
    for tape in FIRST_TAPES {
        let rows = layout.rows(tape);
        let commitments = reader.points(rows.len())?;
        tapes.push((tape, rows, commitments));
    }
    let blinding = reader.point()?;
    let opening_mask = reader.point()?;
    let compression = Compression { alpha: reader.challenge(), beta: reader.challenge() };
    let rows = layout.rows(Tape::H);
    let commitments = reader.points(rows.len())?;
    tapes.push((Tape::H, rows, commitments));
    tapes.push((Tape::M, layout.rows(Tape::M), model.commitment().rows.clone()));

    let mut claims = lookup::verify(&mut reader, architecture, &layout, compression)?;
    let sampled = layers::verify(&mut reader, statement, &layout)?;
    claims.extend(sampled.claims.iter().cloned());
    claims.extend(contraction::verify(&mut reader, statement, &layout, &sampled)?);
    let rows: Vec<_> =
        tapes.iter().map(|(tape, rows, commitments)| Rows { tape: *tape, rows, commitments }).collect();
    let opened = opening::verify(&mut reader, layout.address_bits, &claims, &rows, &blinding)?;
    closing::verify(setup, reader, proof, &opened, &opening_mask)
}
