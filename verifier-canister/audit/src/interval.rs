//! Confidence intervals at 95 % in whole numbers, rounded outward to six digits.
//!
//! A proportion k/n has the Wilson score interval, with z = 1959964/1000000:
//!
//! ```text
//! (2k + z² ± z·sqrt(4k(n-k)/n + z²)) / (2(n + z²))
//! ```
//!
//! A weighted sum of independent proportions, θ = Σ w·p, takes each proportion's Wilson limits l, u
//! (Zou and Donner's method of variance estimates recovery):
//!
//! ```text
//! θ - sqrt(Σ (w·(p - l))²)  …  θ + sqrt(Σ (w·(u - p))²)      l and u swap where w is negative
//! ```
//!
//! With weights 1 and -1 that is Newcombe's hybrid score interval (1998, method 10). An interval speaks about
//! the population that the sample was drawn from at random, and assumes independent samples.

use num_bigint::BigInt;
use num_integer::{Integer as _, Roots as _};
use num_rational::Ratio;
use num_traits::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use crate::{Decimal, Fraction};

/// z · 10^6: the two-sided 95 % point of the normal distribution.
const Z: u64 = 1_959_964;
/// What [`Z`] is counted in.
const Z_SCALE: u64 = 1_000_000;
/// Units of a reported limit per 1.
const REPORTED: u64 = 1_000_000;
/// Units of an intermediate limit per 1, fine enough not to show in the reported digits.
const FINE: u64 = 1_000_000_000_000;

/// Where an interval comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Wilson score interval of one proportion.
    Wilson,
    /// [`Method::Wilson`] for the group with the smallest or largest rate. It was chosen after looking, so the
    /// interval covers less often than 95 %.
    WilsonExtreme,
    /// Newcombe's hybrid score interval of the difference of two proportions.
    Newcombe,
    /// Variance estimates recovered from Wilson limits, for a sum of more than two terms.
    MoverWilson,
    /// [`Method::Newcombe`] for the two groups with the largest and the smallest rate, chosen after looking too.
    NewcombeExtremes,
    /// [`Method::MoverWilson`] for groups chosen as in [`Method::NewcombeExtremes`].
    MoverWilsonExtremes,
}

/// A 95 % interval, rounded outward to 10^-6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// Lower limit.
    pub lower: Decimal,
    /// Upper limit.
    pub upper: Decimal,
    /// How it was computed.
    pub method: Method,
}

/// `weight · successes / trials`, one proportion of a sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    weight: Ratio<i64>,
    /// k.
    pub successes: u64,
    /// n, positive.
    pub trials: u64,
}

impl Term {
    /// A proportion with weight 1, or `None` without trials.
    pub fn new(successes: u64, trials: u64) -> Option<Self> {
        (trials > 0).then_some(Self { weight: Ratio::from_integer(1), successes, trials })
    }

    /// The same proportion with its weight times `numerator / denominator`; the denominator is positive.
    #[must_use]
    pub fn times(self, numerator: i64, denominator: i64) -> Self {
        Self { weight: self.weight * Ratio::new(numerator, denominator), ..self }
    }

    /// The proportion without its weight.
    pub fn share(&self) -> Fraction {
        Fraction::new(self.successes, self.trials).unwrap_or_else(|| Fraction::whole(0))
    }

    /// Numerator and denominator of weight times proportion.
    fn weighted(&self) -> (BigInt, BigInt) {
        let numerator = BigInt::from(*self.weight.numer()) * self.successes;
        (numerator, BigInt::from(*self.weight.denom()) * self.trials)
    }

    /// `|weight · (limit - proportion)|` in units of 1/[`FINE`], rounded up; `limit` in the same units.
    fn distance(&self, limit: &BigInt) -> u128 {
        let gap = limit * self.trials - BigInt::from(self.successes) * FINE;
        let numerator = BigInt::from(gap.magnitude().clone()) * self.weight.numer().unsigned_abs();
        numerator.div_ceil(&(BigInt::from(*self.weight.denom()) * self.trials)).to_u128().unwrap_or(0)
    }
}

/// Σ weight · proportion, exact.
pub fn sum(terms: &[Term]) -> Fraction {
    terms.iter().fold(Fraction::whole(0), |sum, term| {
        let (numerator, denominator) = term.weighted();
        &sum + &Fraction::new(numerator, denominator).unwrap_or_else(|| Fraction::whole(0))
    })
}

/// The interval of Σ weight · proportion; `None` without terms. The proportions must be of disjoint samples;
/// `extremes` says that the groups were chosen for their rates.
pub fn interval(terms: &[Term], extremes: bool) -> Option<Interval> {
    let method = match (terms.len(), extremes) {
        (0, _) => return None,
        (1, false) => Method::Wilson,
        (1, true) => Method::WilsonExtreme,
        (2, false) => Method::Newcombe,
        (2, true) => Method::NewcombeExtremes,
        (_, false) => Method::MoverWilson,
        (_, true) => Method::MoverWilsonExtremes,
    };
    let (lower, upper) = match terms {
        [term] if term.weight == Ratio::from_integer(1) => wilson(term.successes, term.trials, REPORTED),
        _ => recovered(terms),
    };
    Some(Interval { lower: reported(&lower)?, upper: reported(&upper)?, method })
}

/// Wilson limits of k/n in units of `1/scale`, rounded outward.
fn wilson(successes: u64, trials: u64, scale: u64) -> (BigInt, BigInt) {
    let (k, n) = (BigInt::from(successes), BigInt::from(trials));
    let z_square = BigInt::from(Z) * Z;
    let unit_square = BigInt::from(Z_SCALE) * Z_SCALE;
    // Everything times n·Z_SCALE², so that only one root is left: (a ± sqrt(b)) / d.
    let a = &n * (&k * 2 * &unit_square + &z_square) * scale;
    let spread: BigInt = &k * (&n - &k) * &n * 4 * &unit_square + &n * &n * &z_square;
    let b: BigInt = spread * &z_square * scale * scale;
    let d: BigInt = (&n * unit_square + z_square) * n * 2;
    let root = ceil_sqrt(&b);
    let below: BigInt = &a - &root;
    let lower = below.div_floor(&d);
    let above: BigInt = a + root;
    let upper = above.div_ceil(&d);
    (lower.max(BigInt::from(0)), upper.min(BigInt::from(scale)))
}

/// Limits of a weighted sum in units of 1/[`REPORTED`], rounded outward and within what the sum can reach.
fn recovered(terms: &[Term]) -> (BigInt, BigInt) {
    let (mut below, mut above) = (0_u128, 0_u128);
    let (mut least, mut most) = (Ratio::from_integer(0), Ratio::from_integer(0));
    for term in terms {
        let (low, high) = wilson(term.successes, term.trials, FINE);
        let negative = *term.weight.numer() < 0;
        let (down, up) = if negative { (high, low) } else { (low, high) };
        below += term.distance(&down).pow(2);
        above += term.distance(&up).pow(2);
        *(if negative { &mut least } else { &mut most }) += term.weight;
    }
    let estimate = sum(terms);
    let fine = BigInt::from(FINE);
    let centre = estimate.numerator() * &fine;
    let denominator = estimate.denominator() * (FINE / REPORTED);
    let lower = (&centre - estimate.denominator() * ceil_root(below)).div_floor(&denominator);
    let upper = (centre + estimate.denominator() * ceil_root(above)).div_ceil(&denominator);
    let least = (least * REPORTED as i64).floor().to_integer();
    let most = (most * REPORTED as i64).ceil().to_integer();
    (lower.max(least.into()), upper.min(most.into()))
}

fn ceil_root(square: u128) -> u128 {
    let root = square.sqrt();
    root + u128::from(root * root < square)
}

fn ceil_sqrt(square: &BigInt) -> BigInt {
    let root = square.sqrt();
    if &root * &root < *square { root + 1 } else { root }
}

fn reported(limit: &BigInt) -> Option<Decimal> {
    limit.to_i64().map(|micro| Decimal(micro * (Decimal::ONE / REPORTED as i64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(terms: &[Term]) -> String {
        let Interval { lower, upper, method } = interval(terms, false).unwrap();
        format!("{lower} {upper} {method:?}")
    }

    fn term(successes: u64, trials: u64) -> Term {
        Term::new(successes, trials).unwrap()
    }

    #[test]
    fn no_success_and_no_failure_touch_the_ends_exactly() {
        assert_eq!(show(&[term(0, 10)]), "0 0.277533 Wilson");
        assert_eq!(show(&[term(10, 10)]), "0.722467 1 Wilson");
        assert_eq!(show(&[term(0, 10), term(10, 10).times(-1, 1)]), "-1 -0.607509 Newcombe");
    }

    #[test]
    fn newcombe_1998_examples() {
        // Table II, method 10, of Newcombe (1998): limits to four digits, here within rounding outward.
        assert_eq!(show(&[term(56, 70), term(48, 80).times(-1, 1)]), "0.052431 0.333873 Newcombe");
        assert_eq!(show(&[term(9, 10), term(3, 10).times(-1, 1)]), "0.170522 0.809018 Newcombe");
        assert_eq!(show(&[term(5, 56), term(0, 29).times(-1, 1)]), "-0.038138 0.192561 Newcombe");
    }

    #[test]
    fn a_term_without_trials_does_not_exist() {
        assert!(Term::new(0, 0).is_none());
        assert!(interval(&[], false).is_none());
    }
}
