//! Names of an organization: roles and organizational units.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::redact;
use crate::text::sanitize;

/// The maximum length of an invalid name in a message, in characters.
const MAX_SHOWN: usize = 80;

/// The error of parsing a name: the text, as one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseOrganizationError {
    /// Not the name of a role.
    #[error("\"{0}\" is not the name of a role such as audit/ReadOnly (an ARN is not expected)")]
    RoleName(String),
    /// Not an organizational unit.
    #[error(
        "\"{0}\" is not the ID of an organizational unit such as ou-ab12-11111111, or a path such as \
         /Production/Europe"
    )]
    OrganizationalUnit(String),
}

/// The name of an IAM role with its path, such as `audit/ReadOnly`; without a slash at its start.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    /// The maximum length of a name, 64 characters, and of a path, 512 characters.
    const MAX: usize = 576;

    /// Returns the name of the role that AWS Organizations creates in new accounts.
    #[must_use]
    pub fn organization_default() -> Self {
        Self("OrganizationAccountAccessRole".to_owned())
    }

    /// Returns the path, which begins and ends with a slash, and the name without it.
    #[must_use]
    pub fn path_and_name(&self) -> (String, &str) {
        match self.0.rsplit_once('/') {
            Some((path, name)) => (format!("/{path}/"), name),
            None => ("/".to_owned(), &self.0),
        }
    }

    /// Returns the name with its path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = ParseOrganizationError;

    fn from_str(text: &str) -> Result<Self, ParseOrganizationError> {
        let name = text.trim().trim_start_matches('/');
        let is_valid = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
        let is_name = (1..=Self::MAX).contains(&name.len())
            && name.bytes().all(is_valid)
            && !name.ends_with('/')
            && !name.contains("//");
        let shown = || sanitize(&redact::setting(text), MAX_SHOWN);
        is_name
            .then(|| Self(name.to_owned()))
            .ok_or_else(|| ParseOrganizationError::RoleName(shown()))
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Selects the accounts in or below an organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrganizationalUnitSelector {
    /// The ID of a unit (`ou-…`) or of the root (`r-…`).
    Id(String),
    /// The names of the units from the root down, joined by slashes; `/` is the root.
    Path(String),
}

impl OrganizationalUnitSelector {
    /// Returns the ID or the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(text) | Self::Path(text) => text,
        }
    }
}

impl FromStr for OrganizationalUnitSelector {
    type Err = ParseOrganizationError;

    /// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html>
    fn from_str(text: &str) -> Result<Self, ParseOrganizationError> {
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
            .ok_or_else(|| ParseOrganizationError::OrganizationalUnit(shown()))
    }
}

impl fmt::Display for OrganizationalUnitSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_may_have_a_path() {
        for (text, name) in [
            ("Audit", "Audit"),
            ("/audit/Read-Only", "audit/Read-Only"),
            (" a+=,.@_-b ", "a+=,.@_-b"),
        ] {
            assert_eq!(text.parse::<RoleName>().unwrap().as_str(), name);
        }
        let long = "a".repeat(577);
        for bad in [
            "",
            "/",
            "a b",
            "a/",
            "a//b",
            "arn:aws:iam::1:role/x",
            "é",
            &long,
        ] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }

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
