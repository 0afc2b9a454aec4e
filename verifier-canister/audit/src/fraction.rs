use std::{
    cmp::Ordering,
    fmt,
    ops::{Add, Mul, Neg, Sub},
    str::FromStr,
};

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, Zero as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::AuditError;

/// Longest text of a fraction, in bytes: a mean over 64 classes of 2^20 samples has 811 digits.
pub const MAX_FRACTION_TEXT: usize = 1024;

/// An exact rational number in lowest terms, written `n/d`, or `n` when it is whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fraction(BigRational);

impl Fraction {
    /// `numerator / denominator` in lowest terms, or `None` when the denominator is zero.
    pub fn new(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> Option<Self> {
        let denominator = denominator.into();
        if denominator.is_zero() {
            return None;
        }
        Some(Self(BigRational::new(numerator.into(), denominator)))
    }

    /// A whole number.
    pub fn whole(number: impl Into<BigInt>) -> Self {
        Self(BigRational::from_integer(number.into()))
    }

    /// The numerator in lowest terms; it carries the sign.
    pub fn numerator(&self) -> &BigInt {
        self.0.numer()
    }

    /// The denominator in lowest terms, positive.
    pub fn denominator(&self) -> &BigInt {
        self.0.denom()
    }

    /// Whether the value is zero.
    pub fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    /// -1, 0 or 1 as the value is negative, zero or positive.
    pub fn signum(&self) -> i8 {
        match self.0.numer().cmp(&BigInt::zero()) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// The absolute value.
    pub fn abs(&self) -> Self {
        Self(self.0.abs())
    }

    /// `self / divisor`, or `None` when the divisor is zero.
    pub fn checked_div(&self, divisor: &Self) -> Option<Self> {
        (!divisor.is_zero()).then(|| Self(&self.0 / &divisor.0))
    }

    /// Decimal text with exactly `digits` digits after the point, rounded to nearest, halves away from zero.
    pub fn to_decimal(&self, digits: u32) -> String {
        let scaled = self.0.numer().abs() * BigInt::from(10).pow(digits);
        let doubled: BigInt = scaled * 2 + self.0.denom();
        fixed_point(self.signum() < 0, &doubled.div_floor(&(self.0.denom() * 2)), digits)
    }

    /// Decimal text of `sign(self) · sqrt(|self|)`, cut off after `digits` digits.
    pub fn root_to_decimal(&self, digits: u32) -> String {
        let scale = BigInt::from(10).pow(2 * digits);
        let square = (self.0.numer().abs() * scale).div_floor(self.0.denom());
        fixed_point(self.signum() < 0, &square.sqrt(), digits)
    }
}

/// `units · 10^-digits` as text; zero has no sign.
fn fixed_point(negative: bool, units: &BigInt, digits: u32) -> String {
    let (whole, rest) = units.div_rem(&BigInt::from(10).pow(digits));
    let sign = if negative && !units.is_zero() { "-" } else { "" };
    match digits {
        0 => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{rest:0>width$}", rest = rest.to_string(), width = digits as usize),
    }
}

impl Add for &Fraction {
    type Output = Fraction;

    fn add(self, other: Self) -> Fraction {
        Fraction(&self.0 + &other.0)
    }
}

impl Sub for &Fraction {
    type Output = Fraction;

    fn sub(self, other: Self) -> Fraction {
        Fraction(&self.0 - &other.0)
    }
}

impl Mul for &Fraction {
    type Output = Fraction;

    fn mul(self, other: Self) -> Fraction {
        Fraction(&self.0 * &other.0)
    }
}

impl Neg for &Fraction {
    type Output = Fraction;

    fn neg(self) -> Fraction {
        Fraction(-&self.0)
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.numer())?;
        if !self.0.denom().is_one() {
            write!(f, "/{}", self.0.denom())?;
        }
        Ok(())
    }
}

impl FromStr for Fraction {
    type Err = AuditError;

    /// Accepts `[-]digits`, `[-]digits.digits` and `[-]digits/digits` of at most [`MAX_FRACTION_TEXT`] bytes.
    fn from_str(text: &str) -> Result<Self, AuditError> {
        let wrong = || AuditError::NotFraction(text.chars().take(40).collect());
        if text.len() > MAX_FRACTION_TEXT {
            return Err(wrong());
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let fraction = match (unsigned.split_once('/'), unsigned.split_once('.')) {
            (Some((numerator, denominator)), None) => {
                let denominator = digits(denominator).ok_or_else(wrong)?;
                Self::new(digits(numerator).ok_or_else(wrong)?, denominator).ok_or_else(wrong)?
            }
            (None, Some((whole, rest))) => {
                let scale = BigInt::from(10).pow(rest.len() as u32);
                let whole = digits(whole).ok_or_else(wrong)? * &scale;
                Self::new(whole + digits(rest).ok_or_else(wrong)?, scale).ok_or_else(wrong)?
            }
            (None, None) => Self::whole(digits(unsigned).ok_or_else(wrong)?),
            (Some(_), Some(_)) => return Err(wrong()),
        };
        Ok(if negative { -&fraction } else { fraction })
    }
}

fn digits(text: &str) -> Option<BigInt> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(text: &str) -> Fraction {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_read_exactly_and_printed_in_lowest_terms() {
        let cases =
            [("4/5", "4/5"), ("0.8", "4/5"), ("1", "1"), ("-0.10", "-1/10"), ("6/4", "3/2"), ("-0", "0")];
        for (text, expected) in cases {
            assert_eq!(fraction(text).to_string(), expected);
            assert_eq!(fraction(expected), fraction(text));
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        let long = "1".repeat(MAX_FRACTION_TEXT + 1);
        let wrong =
            ["", "-", "1/0", "1/", "/2", "1/-2", "+1", "1e3", " 1", "1.", ".5", "1.5/2", "0x1", "١", &long];
        for text in wrong {
            assert!(matches!(text.parse::<Fraction>(), Err(AuditError::NotFraction(_))), "{text:?}");
        }
    }

    #[test]
    fn decimals_round_to_nearest_and_halves_away_from_zero() {
        assert_eq!(fraction("2/3").to_decimal(6), "0.666667");
        assert_eq!(fraction("-2/3").to_decimal(6), "-0.666667");
        assert_eq!(fraction("1/8").to_decimal(2), "0.13");
        assert_eq!(fraction("-1/8").to_decimal(2), "-0.13");
        assert_eq!(fraction("-1/1000").to_decimal(2), "0.00");
        assert_eq!(fraction("5/2").to_decimal(0), "3");
        assert_eq!(fraction("12").to_decimal(3), "12.000");
    }

    #[test]
    fn roots_keep_the_sign_and_are_cut_off() {
        assert_eq!(fraction("4/9").root_to_decimal(6), "0.666666");
        assert_eq!(fraction("-1/4").root_to_decimal(2), "-0.50");
        assert_eq!(fraction("0").root_to_decimal(2), "0.00");
    }

    #[test]
    fn comparison_is_exact_where_floats_are_not() {
        assert!(fraction("10000000000000000001/30000000000000000000") > fraction("1/3"));
        assert_eq!(&fraction("0.1") + &fraction("0.2"), fraction("0.3"));
    }
}
