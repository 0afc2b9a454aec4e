//! Times as people read them, in UTC.

/// Nanoseconds of a second.
const SECOND_NS: u64 = 1_000_000_000;

/// `2026-11-22 23:05:09 UTC`.
pub fn utc(ns: u64) -> String {
    let seconds = ns / SECOND_NS;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC", rest / 3600, rest / 60 % 60, rest % 60)
}

/// `2026-11-22T23:05:09Z`: the same for programs.
pub fn rfc3339(ns: u64) -> String {
    utc(ns).replacen(' ', "T", 1).replace(" UTC", "Z")
}

/// Year, month and day of a number of days since 1970-01-01, by the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    // Years are counted from March, in eras of 400 years, so that leap days come last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian() {
        assert_eq!(utc(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(utc(951_782_399 * SECOND_NS), "2000-02-28 23:59:59 UTC");
        assert_eq!(utc(951_782_400 * SECOND_NS), "2000-02-29 00:00:00 UTC");
        assert_eq!(utc(1_772_323_200 * SECOND_NS), "2026-03-01 00:00:00 UTC");
        assert_eq!(rfc3339(951_782_400 * SECOND_NS), "2000-02-29T00:00:00Z");
        assert_eq!(utc(u64::MAX), "2554-07-21 23:34:33 UTC");
    }
}
