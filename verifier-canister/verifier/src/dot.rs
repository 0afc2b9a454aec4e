//! Inner products of field elements with small integers, without a field multiplication per term.
//!
//! Canisters multiply 64-bit words slowly and fields more so: a term here costs eight small multiplications.

use crate::{
    F,
    ff::{Field, PrimeField},
};

/// Terms after which the sums are carried over: 32 bits times 17 bits times 2^13 stays within 63 bits.
const BATCH: usize = 1 << 13;

/// The canonical value as 32-bit limbs, the lowest first.
pub type Limbs = [i64; 8];

/// Splits a field element.
pub fn limbs(value: &F) -> Limbs {
    let bytes = value.to_repr();
    let mut limbs = [0; 8];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.as_ref().as_chunks::<4>().0) {
        *limb = i64::from(u32::from_le_bytes(*bytes));
    }
    limbs
}

/// A running sum of `field element × integer` with `|integer| <= 2^17`.
#[derive(Debug, Clone, Default)]
pub struct SmallDot {
    sums: Limbs,
    terms: usize,
    carried: F,
}

impl SmallDot {
    /// Adds `limbs · integer`.
    #[inline]
    pub fn add(&mut self, limbs: &Limbs, integer: i32) {
        if self.terms == BATCH {
            self.carry();
        }
        self.terms += 1;
        let integer = i64::from(integer);
        for (sum, limb) in self.sums.iter_mut().zip(limbs) {
            *sum += limb * integer;
        }
    }

    fn carry(&mut self) {
        let shift = F::from(1 << 32);
        self.carried += self.sums.iter().rev().fold(F::ZERO, |value, &limb| value * shift + signed(limb));
        self.sums = [0; 8];
        self.terms = 0;
    }

    /// The sum.
    pub fn finish(mut self) -> F {
        self.carry();
        self.carried
    }
}

/// A signed integer as a field element.
pub fn signed(value: i64) -> F {
    let magnitude = F::from(value.unsigned_abs());
    if value < 0 { -magnitude } else { magnitude }
}

/// `sum weights[i] · integers[i]`.
pub fn small_dot(weights: &[F], integers: impl IntoIterator<Item = i32>) -> F {
    let mut sum = SmallDot::default();
    for (weight, integer) in weights.iter().zip(integers) {
        if integer != 0 {
            sum.add(&limbs(weight), integer);
        }
    }
    sum.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_inner_product() {
        let weights: Vec<F> = (0..20_000_u64).map(|i| F::from(i + 2).pow([77]) - F::from(i)).collect();
        let integers: Vec<i32> = (0..20_000).map(|i| (i * 7919) % (1 << 17) * (1 - 2 * (i & 1))).collect();
        let expected: F = weights.iter().zip(&integers).map(|(w, &i)| w * signed(i.into())).sum();
        assert_eq!(small_dot(&weights, integers), expected);
        let top = vec![-F::ONE; 20_000];
        let sum = small_dot(&top, std::iter::repeat_n(1 << 17, 20_000));
        assert_eq!(sum, -F::from(20_000_u64 << 17));
    }
}
