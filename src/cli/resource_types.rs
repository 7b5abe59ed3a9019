//! Parses `--resource-types`: names, files of names, and `all`.

use std::collections::HashSet;
use std::hash::Hash;

use thiserror::Error;

use super::name_file::{NameFileError, read_names};
use crate::model::{ParseNameError, ResourceType, ResourceTypes};
use crate::redact;
use crate::text::{did_you_mean, sanitize};

/// The maximum length of an invalid name in a message, in characters.
const MAX_SHOWN: usize = 200;

/// The reason why an item of `--resource-types` is invalid.
#[derive(Debug, Error)]
pub(super) enum TypesError {
    #[error(
        "invalid resource type \"{0}\"; expected a name like AWS::EC2::Instance, @FILE or `all`{1}"
    )]
    Name(String, String),
    #[error(transparent)]
    File(#[from] NameFileError),
    #[error("{0} contains no resource types")]
    Empty(String),
}

/// An invalid type in a file: the reason, and the near matches as a question.
#[derive(Debug, Error)]
#[error("{0}{1}")]
struct InvalidType(#[source] ParseNameError, String);

/// Parses one comma-separated item; `@FILE` reads the file immediately.
///
/// # Errors
/// `text` is not a resource type, or the file cannot be read, is larger than 16 MiB, or contains no
/// resource types or an invalid one.
pub(super) fn parse_types(text: &str) -> Result<ResourceTypes, TypesError> {
    let text = text.trim();
    match text.strip_prefix('@') {
        _ if text.eq_ignore_ascii_case("all") => Ok(ResourceTypes::All),
        Some(path) => read_type_file(path).map(ResourceTypes::Named),
        None => {
            let parsed = text.parse().map(|name| ResourceTypes::Named(vec![name]));
            parsed.map_err(|_| {
                let near = did_you_mean(&ResourceType::near(text));
                TypesError::Name(sanitize(&redact::setting(text), MAX_SHOWN), near)
            })
        }
    }
}

/// Reads types from a file.
fn read_type_file(path: &str) -> Result<Vec<ResourceType>, TypesError> {
    let types = read_names(path, |name| {
        let near = || did_you_mean(&ResourceType::near(name));
        name.parse().map_err(|e| InvalidType(e, near()))
    })?;
    match types.len() {
        0 => Err(TypesError::Empty(path.to_owned())),
        _ => Ok(types),
    }
}

/// Combines the items of `--resource-types`; returns the ten default types if there are none.
///
/// # Errors
/// `all` is combined with type names.
pub(super) fn combine_types(items: &[ResourceTypes]) -> Result<ResourceTypes, &'static str> {
    let all = items.contains(&ResourceTypes::All);
    let named = items.iter().filter_map(ResourceTypes::named).flatten();
    let mut named: Vec<ResourceType> = named.cloned().collect();
    let mut seen = HashSet::new();
    // Known types have one spelling; others may differ in case.
    named.retain(|t| seen.insert(t.as_str().to_ascii_lowercase()));
    match (all, named.is_empty()) {
        (true, true) => Ok(ResourceTypes::All),
        (true, false) => Err("--resource-types: `all` cannot be combined with type names"),
        (false, true) => Ok(ResourceTypes::Named(ResourceType::common())),
        (false, false) => Ok(ResourceTypes::Named(named)),
    }
}

/// Removes repeated items and keeps the order of the rest.
pub(super) fn dedup<T: Clone + Eq + Hash>(mut items: Vec<T>) -> Vec<T> {
    let mut seen = HashSet::new();
    items.retain(|item| seen.insert(item.clone()));
    items
}
