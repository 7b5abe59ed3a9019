//! Times in ISO 8601, as python-dateutil, and so the AWS CLI, reads them.

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// Parses a time in ISO 8601, in the extended or the basic format; `None` if it is not one.
///
/// The seconds, the minutes and the time of day may be absent, a fraction of a second has any number of
/// digits (the first nine count), and `T` may be blank. The zone is `Z`, `UTC`, `GMT` or an offset such as
/// `+01`, `+0100` or `+01:00`; without one the time is in UTC, as all times of AWS are.
pub fn instant(text: &str) -> Option<OffsetDateTime> {
    let (date, rest) = split_date(text.trim())?;
    let (time, zone) = split_time(rest)?;
    let local = PrimitiveDateTime::new(date, time).assume_offset(offset(zone)?);
    local.checked_to_offset(UtcOffset::UTC)
}

/// Splits the date off, and the separator that follows it.
fn split_date(text: &str) -> Option<(Date, &str)> {
    let (digits, rest) = split_digits(text);
    let (year, month, day, rest) = match digits.len() {
        // The basic format may have no separator: 20360422225602Z.
        8 | 12 | 14 => {
            let date = &digits[..8];
            (&date[..4], &date[4..6], &date[6..], &text[8..])
        }
        4 => {
            let separator = rest.chars().next().filter(|c| "-/.".contains(*c))?;
            let (month, rest) = split_digits(&rest[1..]);
            let (day, rest) = split_digits(rest.strip_prefix(separator)?);
            (digits, month, day, rest)
        }
        _ => return None,
    };
    let month = Month::try_from(number(month)?).ok()?;
    let date = Date::from_calendar_date(year.parse().ok()?, month, number(day)?).ok()?;
    // Python has no year 0.
    let date = (date.year() > 0).then_some(date)?;
    let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest);
    Some((date, rest.trim_start()))
}

/// Splits the time of day off.
fn split_time(text: &str) -> Option<(Time, &str)> {
    let (digits, rest) = split_digits(text);
    let (hour, minute, second, rest) = match (digits.len(), rest.strip_prefix(':')) {
        (0, None) => ("0", "0", "0", rest),
        (1 | 2, Some(rest)) => {
            let (minute, rest) = split_digits(rest);
            match rest.strip_prefix(':') {
                Some(rest) => {
                    let (second, rest) = split_digits(rest);
                    (digits, minute, second, rest)
                }
                None => (digits, minute, "0", rest),
            }
        }
        (2, None) => (digits, "0", "0", rest),
        (4, None) => (&digits[..2], &digits[2..], "0", rest),
        (6, None) => (&digits[..2], &digits[2..4], &digits[4..], rest),
        _ => return None,
    };
    let (nanosecond, rest) = split_fraction(rest)?;
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    let time = Time::from_hms_nano(hour, minute, second, nanosecond).ok()?;
    // A date without a time has no zone either.
    let is_complete = !digits.is_empty() || rest.is_empty();
    is_complete.then_some((time, rest))
}

/// Splits a fraction off: its nanoseconds, 0 without one.
fn split_fraction(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix(['.', ',']) else {
        return Some((0, text));
    };
    let (digits, rest) = split_digits(rest);
    let nanoseconds = format!("{:0<9}", &digits[..digits.len().min(9)]);
    let nanoseconds = nanoseconds.parse().ok().filter(|_| !digits.is_empty())?;
    Some((nanoseconds, rest))
}

/// Parses a zone.
fn offset(text: &str) -> Option<UtcOffset> {
    let text = text.trim();
    if ["", "Z", "z", "UTC", "GMT"].contains(&text) {
        return Some(UtcOffset::UTC);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (digits, rest) = split_digits(text.strip_prefix(['+', '-'])?);
    let (hours, minutes) = match (digits.len(), rest) {
        (1 | 2, "") => (digits, "0"),
        (4, "") => digits.split_at(2),
        (1 | 2, minutes) => (digits, minutes.strip_prefix(':')?),
        _ => return None,
    };
    let part = |text: &str| i8::try_from(number(text)?).ok();
    let (hours, minutes) = (part(hours)?, part(minutes)?);
    let is_valid = hours < 24 && minutes < 60;
    UtcOffset::from_hms(sign * hours, sign * minutes, 0)
        .ok()
        .filter(|_| is_valid)
}

/// Splits the digits at the start of `text` off.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// Parses one or two digits.
fn number(text: &str) -> Option<u8> {
    let is_short = (1..=2).contains(&text.len());
    text.parse()
        .ok()
        .filter(|_| is_short && split_digits(text).1.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::format_description::well_known::Rfc3339;

    use super::*;

    /// Times that dateutil reads and this parser does not.
    const DIFFERENCES: [(&str, &str); 7] = [
        ("Wed, 22 Apr 2036 22:56:02 GMT", "not ISO 8601"),
        ("22 Apr 2036 22:56:02 UTC", "not ISO 8601"),
        ("2036-04-22 10:56:02 PM UTC", "not ISO 8601"),
        ("2036-04-22T22:56:02UTC+1", "dateutil takes +1 for -1"),
        ("2036-04-22T22:56:02ZZ", "dateutil ignores the zone"),
        ("2036-04-22T22:56:02X", "dateutil ignores the zone"),
        (
            "2036-04-22T-1:56:02Z",
            "dateutil ignores the sign of the hour",
        ),
    ];

    #[test]
    fn times_are_read_as_dateutil_reads_them() {
        let table = include_str!("../../../tests/times/dateutil.tsv");
        let mut differences = Vec::new();
        for line in table.lines() {
            let (text, expected) = line.split_once('\t').unwrap();
            // A time without a zone is one in UTC.
            let expected = match expected.strip_prefix("no zone ") {
                Some(time) => format!("{time}+00:00"),
                None => expected.to_owned(),
            };
            let expected = OffsetDateTime::parse(&expected, &Rfc3339).ok();
            // dateutil reads six digits of a fraction.
            let found = instant(text).map(|t| t.replace_microsecond(t.microsecond()).unwrap());
            if found != expected {
                differences.push(text);
            }
        }
        let explained = DIFFERENCES.map(|(text, _)| text);
        differences.sort_by_key(|text| explained.iter().position(|known| known == text));
        assert_eq!(differences, explained);
        assert!(table.lines().count() > 600, "the whole table");
    }

    proptest! {
        #[test]
        fn any_text_is_parsed(text in ".{0,40}", time in "[0-9TZ:+., -]{0,30}") {
            instant(&text);
            instant(&time);
        }
    }
}
