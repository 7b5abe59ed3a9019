//! The organizational units that a user selects.

use std::fmt;
use std::str::FromStr;

use super::parse_error::ParseNameError;
use crate::redact;
use crate::text::sanitize;

/// The maximum length of an invalid name in a message, in characters.
const MAX_SHOWN: usize = 80;

/// Selects the accounts in or below an organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrganizationalUnitSelector {
    /// The ID of a unit (`ou-…`) or of the root (`r-…`).
    Id(String),
    /// The names of the units from the root down, joined by slashes; `/` is the root.
    Path(String),
}

impl FromStr for OrganizationalUnitSelector {
    type Err = ParseNameError;

    /// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html>
    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let text = text.trim();
        if text.starts_with('/') {
            return Ok(Self::Path(format!("/{}", text.trim_matches('/'))));
        }
        let is_lower = |part: &str, lengths: std::ops::RangeInclusive<usize>| {
            let is_valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            lengths.contains(&part.len()) && part.bytes().all(is_valid)
        };
        let parts: Vec<&str> = text.split('-').collect();
        let is_id = match parts[..] {
            ["r", root] => is_lower(root, 4..=32),
            ["ou", root, unit] => is_lower(root, 4..=32) && is_lower(unit, 8..=32),
            _ => false,
        };
        let shown = || sanitize(&redact::setting(text), MAX_SHOWN);
        is_id
            .then(|| Self::Id(text.to_owned()))
            .ok_or_else(|| ParseNameError::OrganizationalUnit(shown()))
    }
}

impl fmt::Display for OrganizationalUnitSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(text) | Self::Path(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_ids_or_paths() {
        use OrganizationalUnitSelector::{Id, Path};
        for (text, expected) in [
            ("r-ab12", Id("r-ab12".to_owned())),
            ("ou-ab12-11111111", Id("ou-ab12-11111111".to_owned())),
            ("/Prod/Europe West/", Path("/Prod/Europe West".to_owned())),
            ("/", Path("/".to_owned())),
        ] {
            assert_eq!(
                text.parse::<OrganizationalUnitSelector>().unwrap(),
                expected
            );
        }
        for bad in [
            "",
            "Prod",
            "ou-ab12",
            "ou-ab12-1",
            "r-AB12",
            "o-abcdefghij",
            "r-ab1",
        ] {
            assert!(bad.parse::<OrganizationalUnitSelector>().is_err(), "{bad}");
        }
    }
}
