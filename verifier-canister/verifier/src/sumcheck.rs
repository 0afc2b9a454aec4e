//! Sumcheck, masked as in Libra so that it shows nothing but its claim.
//!
//! The mask `G(x) = a_0 + sum_i sum_e a_{i,e} x_i^e` is committed on the tape `Z`. The prover sends
//! `S = sum over the cube of G`, gets `rho`, and both run the sumcheck of `F + rho·G` for `V + rho·S`.
//! A round polynomial of degree `d` is sent as its coefficients without the linear one, which the claim fixes.

use crate::{F, VerifyError, ff::Field, transcript::Reader};

/// What a sumcheck leaves to be checked: `F(point) + rho·G(point) = claim`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduced {
    /// The random point, lowest address bit first.
    pub point: Vec<F>,
    /// The claimed value of the masked polynomial there.
    pub claim: F,
    /// The factor of the mask.
    pub rho: F,
}

impl Reduced {
    /// Whether the unmasked value and the revealed value of the mask fit the claim.
    pub fn holds(&self, value: F, mask: F) -> bool {
        value + self.rho * mask == self.claim
    }
}

/// Follows a sumcheck over `variables` variables of a polynomial of `degree` in each, whose sum is claimed to be `sum`.
pub fn verify(
    reader: &mut Reader<'_>,
    variables: usize,
    degree: usize,
    sum: F,
) -> Result<Reduced, VerifyError> {
    let mask_sum = reader.scalar()?;
    let rho = reader.challenge();
    let mut claim = sum + rho * mask_sum;
    let mut point = Vec::with_capacity(variables);
    for _ in 0..variables {
        let sent = reader.scalars(degree)?;
        let r = reader.challenge();
        claim = evaluate(&sent, claim, r);
        point.push(r);
    }
    Ok(Reduced { point, claim, rho })
}

/// The round polynomial at `r`, from its coefficients without the linear one and `p(0) + p(1) = claim`.
pub fn evaluate(sent: &[F], claim: F, r: F) -> F {
    let Some((&constant, higher)) = sent.split_first() else { return claim };
    let linear = claim - constant - constant - higher.iter().sum::<F>();
    let tail = higher.iter().rev().fold(F::ZERO, |value, coefficient| (value + coefficient) * r);
    constant + (linear + tail) * r
}

/// Number of coefficients of a mask.
pub fn mask_len(variables: usize, degree: usize) -> usize {
    1 + variables * degree
}

/// What multiplies each coefficient of a mask in `G(point)`.
pub fn mask_monomials(point: &[F], degree: usize) -> Vec<F> {
    let mut monomials = vec![F::ONE];
    for &r in point {
        let mut power = F::ONE;
        for _ in 0..degree {
            power *= r;
            monomials.push(power);
        }
    }
    monomials
}
