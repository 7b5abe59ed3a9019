//! The resource types that AWS Config supports, from botocore.
//!
//! `resource_types.py` writes `resource_types.txt`; `CONTRIBUTING.md` describes how.

use std::collections::HashMap;
use std::sync::OnceLock;

/// A comment, and one type per line, sorted without regard to case.
const LIST: &str = include_str!("resource_types.txt");

/// Returns all known types, sorted without regard to case.
pub(super) fn all() -> &'static [&'static str] {
    static TYPES: OnceLock<Vec<&str>> = OnceLock::new();
    let read = || LIST.lines().filter(|line| !line.starts_with('#')).collect();
    TYPES.get_or_init(read)
}

/// Returns the known type that equals `text` without regard to case, in the spelling of AWS. A run looks up each type of
/// each response, 50,000 in 100 regions with 500 types.
pub(super) fn find(text: &str) -> Option<&'static str> {
    static BY_LOWER_CASE: OnceLock<HashMap<String, &str>> = OnceLock::new();
    let read = || {
        all()
            .iter()
            .map(|known| (known.to_ascii_lowercase(), *known))
            .collect()
    };
    let known = BY_LOWER_CASE.get_or_init(read);
    known.get(&text.to_ascii_lowercase()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_type_is_found() {
        assert!(all().len() > 500, "{}", all().len());
        let lower = |name: &&str| name.to_ascii_lowercase();
        assert!(all().is_sorted_by_key(lower));
        for known in all() {
            assert_eq!(find(&known.to_ascii_uppercase()), Some(*known));
        }
        for unknown in ["", "AWS::EC2", "AWS::EC2::Instnace", "MyOrg::Thing::Kind"] {
            assert_eq!(find(unknown), None);
        }
    }
}
