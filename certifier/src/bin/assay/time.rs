//! Times as people write them, in UTC.

pub use interface::utc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in nanoseconds since 1970.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads `90s`, `15m`, `12h`, `30d` or plain seconds.
pub fn parse_duration_s(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a duration: write e.g. 90s, 15m, 12h or 30d");
    let (digits, unit) = match text.char_indices().last() {
        Some((index, 's')) => (&text[..index], 1),
        Some((index, 'm')) => (&text[..index], 60),
        Some((index, 'h')) => (&text[..index], 3600),
        Some((index, 'd')) => (&text[..index], 86_400),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse_duration_s("90"), Ok(90));
        assert_eq!(parse_duration_s("15m"), Ok(900));
        assert_eq!(parse_duration_s("30d"), Ok(2_592_000));
        for wrong in ["", "d", "1w", "-1s", "99999999999999999999d"] {
            assert!(parse_duration_s(wrong).is_err(), "{wrong:?}");
        }
    }
}
