//! How likely openings find out about lies, exactly.

use num_bigint::BigInt;
use num_traits::One as _;

use super::MAX_RECORDS;
use crate::{AuditError, Fraction, codec};

/// The smaller of lies and openings is at most this, so that the exact fraction stays small enough to compute.
pub const MAX_FACTORS: u32 = 4096;

/// The probability that `openings` distinct records, drawn uniformly out of `records`, hit at least one of `lies`:
/// `1 - C(records - lies, openings) / C(records, openings)`.
pub fn detection(records: u32, lies: u32, openings: u32) -> Result<Fraction, AuditError> {
    codec::in_range("records", 1, MAX_RECORDS.into(), records.into())?;
    codec::in_range("lies", 0, records.into(), lies.into())?;
    codec::in_range("openings", 0, records.into(), openings.into())?;
    // The probability is symmetric in the two; once they cannot avoid each other it is 1.
    let (factors, other) = (lies.min(openings), lies.max(openings));
    if u64::from(factors) + u64::from(other) > records.into() {
        return Ok(Fraction::whole(1));
    }
    codec::in_range("lies or openings, the smaller", 0, MAX_FACTORS.into(), factors.into())?;
    let missed = product(records - other, factors);
    let all = product(records, factors);
    let missed = Fraction::new(missed, all).unwrap_or_else(|| Fraction::whole(0));
    Ok(&Fraction::whole(1) - &missed)
}

/// `from · (from - 1) · …`, so many factors; halves are multiplied, so that numbers stay of equal size.
fn product(from: u32, factors: u32) -> BigInt {
    match factors {
        0 => BigInt::one(),
        1 => BigInt::from(from),
        _ => product(from, factors / 2) * product(from - factors / 2, factors - factors / 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_equal_counting() {
        // Every set of openings out of 8 records, the first `lies` of which are lies.
        for lies in 0..=8_u32 {
            for openings in 0..=8_u32 {
                let sets: Vec<u32> = (0..256).filter(|set: &u32| set.count_ones() == openings).collect();
                let hits = sets.iter().filter(|&set| set & ((1 << lies) - 1) != 0).count();
                let expected = Fraction::new(hits as u64, sets.len() as u64).unwrap();
                assert_eq!(detection(8, lies, openings).unwrap(), expected, "{lies} {openings}");
            }
        }
    }

    #[test]
    fn large_logs_are_exact() {
        // From binomial coefficients in Python: 1 - Fraction(comb(44769, 300), comb(45222, 300)).
        let odds = detection(45_222, 453, 300).unwrap();
        assert_eq!(odds, detection(45_222, 300, 453).unwrap());
        assert_eq!(odds.to_decimal(9), "0.951704055");
        assert_eq!(detection(1 << 20, MAX_FACTORS, 1 << 19).unwrap().to_decimal(6), "1.000000");
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for (records, lies, openings) in
            [(0, 0, 0), (5, 6, 1), (5, 1, 6), (u32::MAX, 1, 1), (1 << 20, 5000, 5000)]
        {
            assert!(detection(records, lies, openings).is_err(), "{records} {lies} {openings}");
        }
    }
}
