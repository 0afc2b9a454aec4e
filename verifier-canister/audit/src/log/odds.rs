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

/// Whether openings are worth the name of a spot check: had one prediction in a hundred been a lie, at least one of
/// them would rather have been opened than not.
pub fn is_spot_check(records: u32, openings: u32) -> Result<bool, AuditError> {
    let odds = detection(records, records.div_ceil(100), openings)?;
    Ok(odds.numerator() * 2_u32 >= *odds.denominator())
}

/// A probability to so many digits, rounded down: what is not certain is never written as 1.
pub fn floor(probability: &Fraction, digits: u32) -> String {
    let scale = BigInt::from(10_u32).pow(digits);
    let floor = Fraction::new(probability.numerator() * &scale / probability.denominator(), scale);
    floor.unwrap_or_else(|| Fraction::whole(0)).to_decimal(digits)
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
    fn what_is_not_certain_is_not_written_as_certain() {
        for (records, lies, openings) in [(1000, 50, 300), (48_842, 2_443, 4_096), (1 << 20, 10_486, 4_096)] {
            let odds = detection(records, lies, openings).unwrap();
            assert_eq!(odds.to_decimal(6), "1.000000");
            assert_eq!(floor(&odds, 6), "0.999999");
        }
        assert_eq!(floor(&detection(45_222, 453, 300).unwrap(), 6), "0.951704");
        assert_eq!(floor(&Fraction::whole(1), 6), "1.000000");
    }

    #[test]
    fn a_spot_check_finds_one_lie_in_a_hundred_rather_than_not() {
        // 1 - C(990, k)/C(1000, k) passes one half between 66 and 67, by binomial coefficients in Python.
        for (records, openings, expected) in [
            (1000, 66, false),
            (1000, 67, true),
            (30, 14, false),
            (30, 15, true),
            (1, 0, false),
            (1, 1, true),
        ] {
            assert_eq!(is_spot_check(records, openings), Ok(expected), "{openings} of {records}");
        }
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
