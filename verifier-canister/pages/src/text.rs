//! Numbers, times and digests as people read them.

use audit::{Comparator, Digest};

/// `0.8123` of 812300: four digits, rounded.
pub fn decimal(micros: i64) -> String {
    let rounded = (micros.abs() + 50) / 100;
    let sign = if micros < 0 && rounded > 0 { "−" } else { "" };
    format!("{sign}{}.{:04}", rounded / 10_000, rounded % 10_000)
}

/// `0.812349` of 812349: as a certificate has it.
pub fn six_digits(micros: i64) -> String {
    let sign = if micros < 0 { "−" } else { "" };
    let size = micros.unsigned_abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}

/// `45,222`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number and what is counted: `1 model`, `2 models`.
pub fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `2026-11-22` of a time.
pub fn date(ns: u64) -> String {
    interface::utc(ns).chars().take(10).collect()
}

/// First digits of a digest; its whole is always near.
pub fn short(digest: Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

/// A comparator as a sign.
pub fn sign(comparator: Comparator) -> &'static str {
    match comparator {
        Comparator::AtLeast => "≥",
        Comparator::AtMost => "≤",
        Comparator::MoreThan => ">",
        Comparator::LessThan => "<",
        Comparator::AbsAtMost => "|x| ≤",
    }
}

/// `all samples`, `sex`, `sex = female`, `sex = female, age = old`.
pub fn over(attributes: &[String], group: &[String]) -> String {
    match (attributes, group) {
        ([], _) => "all samples".to_owned(),
        (attributes, []) => attributes.join(" × "),
        (attributes, group) => {
            let pairs = attributes.iter().zip(group).map(|(name, group)| format!("{name} = {group}"));
            pairs.collect::<Vec<_>>().join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!([0, 7, 999, 1000, 1_234_567].map(count), ["0", "7", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "model"), counted(0, "model")], ["1 model", "0 models"]);
        let decimals = [0, 812_349, 812_350, -5, -212_832, 1_000_000, 999_960].map(decimal);
        assert_eq!(decimals, ["0.0000", "0.8123", "0.8124", "0.0000", "−0.2128", "1.0000", "1.0000"]);
        assert_eq!([799_960, -1, 1_250_000].map(six_digits), ["0.799960", "−0.000001", "1.250000"]);
        assert_eq!(date(951_782_400_000_000_000), "2000-02-29");
    }
}
