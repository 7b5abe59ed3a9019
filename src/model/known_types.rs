//! The resource types that AWS Config supports, from botocore.
//!
//! `resource_types.py` writes `resource_types.txt`; `CONTRIBUTING.md` describes how.

use std::sync::OnceLock;

/// A comment, and one type per line, sorted without regard to case.
const LIST: &str = include_str!("resource_types.txt");

/// Returns all known types, sorted without regard to case.
pub(super) fn all() -> &'static [&'static str] {
    static TYPES: OnceLock<Vec<&str>> = OnceLock::new();
    let read = || LIST.lines().filter(|line| !line.starts_with('#')).collect();
    TYPES.get_or_init(read)
}

/// Returns the known type that equals `text` without regard to case, in the spelling of AWS.
pub(super) fn find(text: &str) -> Option<&'static str> {
    fn lower(name: &str) -> impl Iterator<Item = u8> {
        name.bytes().map(|b| b.to_ascii_lowercase())
    }
    let types = all();
    let index = types.binary_search_by(|known| lower(known).cmp(lower(text)));
    index.ok().map(|index| types[index])
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
