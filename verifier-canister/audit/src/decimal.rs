use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::AuditError;

/// An exact decimal number with nine fraction digits: the value times 10^9 as an `i64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Decimal(pub i64);

impl Decimal {
    /// Units per 1.
    pub const ONE: i64 = 1_000_000_000;

    /// `round((self - offset) * scale)`, halves rounded up, exact.
    pub fn encode(self, offset: Decimal, scale: Decimal) -> i128 {
        const UNIT: i128 = (Decimal::ONE as i128) * (Decimal::ONE as i128);
        let product = (i128::from(self.0) - i128::from(offset.0)) * i128::from(scale.0);
        (product + UNIT / 2).div_euclid(UNIT)
    }
}

impl FromStr for Decimal {
    type Err = AuditError;

    /// Accepts `[-]digits[.digits]` with at most 9 digits before and 9 after the point; no exponent, no blanks.
    fn from_str(text: &str) -> Result<Self, AuditError> {
        let wrong = || AuditError::NotDecimal(text.chars().take(40).collect());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let digits_only =
            |part: &str| (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits_only(whole) || !digits_only(fraction) {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let fraction: i64 = format!("{fraction:0<9}").parse().map_err(|_| wrong())?;
        let value = whole * Self::ONE + fraction;
        Ok(Self(if negative { -value } else { value }))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) =
            (self.0.unsigned_abs() / Self::ONE as u64, self.0.unsigned_abs() % Self::ONE as u64);
        let text = format!("{whole}.{fraction:09}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{}{text}", if self.0 < 0 { "-" } else { "" })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_round_trip() {
        for text in ["0", "1", "-1", "0.5", "-0.000000001", "999999999.999999999", "20.9"] {
            assert_eq!(decimal(text).to_string(), text);
        }
    }

    #[test]
    fn malformed_text_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "1e3", " 1", "+1", "--1", "1234567890", "0.1234567890", "NaN"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn halves_round_up() {
        let encode = |value, offset, scale| decimal(value).encode(decimal(offset), decimal(scale));
        assert_eq!(encode("1", "0", "4096"), 4096);
        assert_eq!(encode("0.5", "0", "1"), 1);
        assert_eq!(encode("-0.5", "0", "1"), 0);
        assert_eq!(encode("-1.5", "0", "1"), -1);
        assert_eq!(encode("20", "20.9", "340"), -306);
    }
}
