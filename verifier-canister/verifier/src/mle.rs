//! Multilinear extensions. Index bit `b` belongs to coordinate `b` of a point: the lowest bit comes first.

use crate::{F, ff::Field};

/// `eq(a, b)`: the multilinear extension of equality.
pub fn eq(a: &[F], b: &[F]) -> F {
    a.iter().zip(b).fold(F::ONE, |product, (&a, &b)| product * eq_bit(a, b))
}

/// `a·b + (1-a)·(1-b)`.
pub fn eq_bit(a: F, b: F) -> F {
    let both = a * b;
    F::ONE - a - b + both + both
}

/// `eq(point, i)` for every `i < 2^len`.
pub fn eq_table(point: &[F]) -> Vec<F> {
    let mut table = Vec::with_capacity(1 << point.len());
    table.push(F::ONE);
    for &coordinate in point {
        let half = table.len();
        table.extend_from_within(..);
        let (low, high) = table.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            *high *= coordinate;
            *low -= *high;
        }
    }
    table
}

/// `eq(point, index)`.
pub fn eq_index(index: usize, point: &[F]) -> F {
    let bit = |(position, &r): (usize, &F)| if index >> position & 1 == 1 { r } else { F::ONE - r };
    point.iter().enumerate().map(bit).product()
}

/// `prod (1 - r)`: equality with zero on coordinates that pad a shorter dimension.
pub fn zeros(point: &[F]) -> F {
    point.iter().map(|&r| F::ONE - r).product()
}

/// `sum over i < bound of prod_b (bit b of i ? one_b : zero_b)`, for `bound <= 2^len` and factors `(zero, one)`.
pub fn sum_below(bound: usize, factors: &[(F, F)]) -> F {
    if bound >> factors.len() != 0 {
        return factors.iter().map(|&(zero, one)| zero + one).product();
    }
    let mut free = Vec::with_capacity(factors.len());
    let mut product = F::ONE;
    for &(zero, one) in factors {
        free.push(product);
        product *= zero + one;
    }
    let mut sum = F::ZERO;
    let mut prefix = F::ONE;
    for (position, (&(zero, one), free)) in factors.iter().zip(free).enumerate().rev() {
        if bound >> position & 1 == 1 {
            sum += prefix * zero * free;
            prefix *= one;
        } else {
            prefix *= zero;
        }
    }
    sum
}

/// `sum over i < bound of eq(r, i)`.
pub fn below(bound: usize, r: &[F]) -> F {
    let factors: Vec<_> = r.iter().map(|&r| (F::ONE - r, r)).collect();
    sum_below(bound, &factors)
}

/// `sum over i < bound of eq(a, i)·eq(b, i)`. It is not `eq(a, b)·below(bound, b)`.
pub fn eq_below(bound: usize, a: &[F], b: &[F]) -> F {
    let factor = |(&a, &b): (&F, &F)| ((F::ONE - a) * (F::ONE - b), a * b);
    let factors: Vec<_> = a.iter().zip(b).map(factor).collect();
    sum_below(bound, &factors)
}

/// `1, x, x², …`, `count` of them.
pub fn powers(x: F, count: usize) -> Vec<F> {
    std::iter::successors(Some(F::ONE), |power| Some(power * x)).take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(seed: u64, len: u32) -> Vec<F> {
        (0..len).map(|i| F::from(seed + 7).pow([u64::from(i) + 3])).collect()
    }

    #[test]
    fn closed_forms_are_the_sums_they_stand_for() {
        for bits in 0..5 {
            let (a, b) = (point(1, bits), point(20, bits));
            let (ta, tb) = (eq_table(&a), eq_table(&b));
            for (i, &value) in ta.iter().enumerate() {
                assert_eq!(eq_index(i, &a), value);
            }
            assert_eq!(zeros(&a), ta[0]);
            assert_eq!(eq(&a, &b), ta.iter().zip(&tb).map(|(a, b)| a * b).sum::<F>());
            for bound in 0..=ta.len() {
                assert_eq!(below(bound, &a), ta[..bound].iter().sum::<F>());
                let both = ta[..bound].iter().zip(&tb).map(|(a, b)| a * b).sum::<F>();
                assert_eq!(eq_below(bound, &a, &b), both);
            }
        }
    }
}
