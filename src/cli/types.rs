//! Parses `--resource-types`: names, files of names, and `all`.

use std::fs::File;
use std::io::Read;

use super::dedup;
use crate::model::{ResourceType, ResourceTypes};
use crate::text::sanitize;

/// One comma-separated item of `--resource-types`.
#[derive(Debug, Clone)]
pub enum Argument {
    /// Every type that the account has.
    All,
    /// These types.
    Types(Vec<ResourceType>),
}

/// The maximum size of a file of types, in bytes.
const MAX_TYPE_FILE: u64 = 1 << 20;

/// The maximum length of an invalid name in a message, in characters.
const MAX_SHOWN: usize = 200;

/// Parses one item; `@FILE` reads the file immediately.
///
/// # Errors
/// Returns an error if `text` is not a resource type, or if the file cannot be read, is larger than
/// 1 MiB, or contains no resource types or an invalid one.
pub fn parse_types_argument(text: &str) -> Result<Argument, String> {
    match (text, text.strip_prefix('@')) {
        ("all", _) => Ok(Argument::All),
        (_, Some(path)) => read_type_file(path).map(Argument::Types),
        _ => match text.parse() {
            Ok(resource_type) => Ok(Argument::Types(vec![resource_type])),
            Err(_) => Err(format!(
                "invalid resource type \"{}\"; expected a name like AWS::EC2::Instance, @FILE or `all`",
                sanitize(text, MAX_SHOWN)
            )),
        },
    }
}

/// Reads types from a file, separated by commas or whitespace; `#` starts a comment.
fn read_type_file(path: &str) -> Result<Vec<ResourceType>, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_TYPE_FILE + 1).read_to_string(&mut text))
        .map_err(|e| format!("{path}: {e}"))?;
    if text.len() as u64 > MAX_TYPE_FILE {
        return Err(format!("{path} is too large (more than 1 MiB)"));
    }
    let mut types = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}');
        let line = line.split('#').next().unwrap_or_default();
        for name in line.split([',', ' ', '\t']).filter(|name| !name.is_empty()) {
            let resource_type = name.parse();
            types.push(resource_type.map_err(|error| format!("{path}, line {}: {error}", n + 1))?);
        }
    }
    match types.len() {
        0 => Err(format!("{path} contains no resource types")),
        _ => Ok(types),
    }
}

/// Combines the items of `--resource-types`; returns the ten default types if there are none.
///
/// # Errors
/// Returns an error if `all` is combined with type names.
pub fn resolve_types(arguments: Vec<Argument>) -> Result<ResourceTypes, &'static str> {
    let (mut all, mut named) = (false, Vec::new());
    for argument in arguments {
        match argument {
            Argument::All => all = true,
            Argument::Types(types) => named.extend(types),
        }
    }
    match (all, named.is_empty()) {
        (true, true) => Ok(ResourceTypes::All),
        (true, false) => Err("--resource-types: `all` cannot be combined with type names"),
        (false, true) => Ok(ResourceTypes::Named(ResourceType::common())),
        (false, false) => Ok(ResourceTypes::Named(dedup(named))),
    }
}
