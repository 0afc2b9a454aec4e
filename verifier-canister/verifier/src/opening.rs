//! Batch opening: all claims about tapes become one claim about one combined row.
//!
//! With powers of `delta` the claims are one sum over all cells of `sum_t f_t·P_t`. A sumcheck leaves
//! `sum_t f_t(r)·P_t(r)` at a random point, and `P_t(r) = <sum over rows of lhs_row·row, R>` with the row and column parts
//! of `eq(r, ·)`. So the combined row `u`, committed in `C_u = sum f_t(r)·lhs_row·C_row + gamma·C_d`, closes the proof.

use crate::{
    F, Point, Tape, VerifyError,
    claims::{Claim, combined_value, combined_weights},
    curve,
    ff::Field,
    group::CurveAffine as _,
    layout::{OPENING_DEGREE, ROW_BITS},
    mle,
    sumcheck::{self, Reduced},
    transcript::Reader,
};

/// Commitments to the rows of one tape.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The tape.
    pub tape: Tape,
    /// Index of each row.
    pub rows: &'a [usize],
    /// Its commitment.
    pub commitments: &'a [Point],
}

/// What the closing proof must show.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The sumcheck's outcome; its masked claim is the closing proof's value.
    pub reduced: Reduced,
    /// `C_u`, the commitment to the combined row.
    pub combined: Point,
}

/// Follows the sumcheck and combines the rows' commitments.
pub fn verify(
    reader: &mut Reader<'_>,
    address_bits: usize,
    claims: &[Claim],
    tapes: &[Rows<'_>],
    blinding: &Point,
) -> Result<Opened, VerifyError> {
    let delta = reader.challenge();
    let reduced = sumcheck::verify(reader, address_bits, OPENING_DEGREE, combined_value(claims, delta))?;
    let gamma = reader.challenge();
    let rows = row_weights(&reduced.point);
    let (mut scalars, mut points) = (vec![gamma], vec![*blinding]);
    for (tape, weight) in combined_weights(claims, delta, &reduced.point) {
        for own in tapes.iter().filter(|own| own.tape == tape) {
            for (&row, commitment) in own.rows.iter().zip(own.commitments) {
                scalars.push(weight * rows.get(row).copied().unwrap_or(F::ZERO));
                points.push(*commitment);
            }
        }
    }
    Ok(Opened { reduced, combined: curve::sum_of_products(&scalars, &points) })
}

/// `eq` of the row part of an opening point.
pub fn row_weights(point: &[F]) -> Vec<F> {
    mle::eq_table(point.get(ROW_BITS..).unwrap_or_default())
}

/// `eq` of the column part of an opening point.
pub fn column_weights(point: &[F]) -> Vec<F> {
    mle::eq_table(point.get(..ROW_BITS).unwrap_or(point))
}

/// Whether a point can be written to a transcript.
pub fn is_identity(point: &Point) -> bool {
    bool::from(point.is_identity())
}
