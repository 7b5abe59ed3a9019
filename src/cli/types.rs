//! `--resource-types`: names, files of names, and `all`.

use std::fs::File;
use std::io::Read;

use super::without_repeats;
use crate::model::{ResourceType, ResourceTypes};

/// What stands in `--resource-types` between two commas.
#[derive(Debug, Clone)]
pub enum Argument {
    /// Whatever the account has.
    All,
    /// These.
    Types(Vec<ResourceType>),
}

/// The longest file of types that is read, in bytes.
const MAX_TYPE_FILE: u64 = 1 << 20;

/// Reads an argument; a file is read at once.
///
/// # Errors
/// It is none, or its file cannot be read or holds something else.
pub fn argument(text: &str) -> Result<Argument, String> {
    match (text, text.strip_prefix('@')) {
        ("all", _) => Ok(Argument::All),
        (_, Some(path)) => types_of_file(path).map(Argument::Types),
        _ => match text.parse() {
            Ok(resource_type) => Ok(Argument::Types(vec![resource_type])),
            Err(why) => Err(format!("{why}, nor @FILE, nor all")),
        },
    }
}

/// The types in a file, with commas, blanks or line ends between them; # begins a comment.
fn types_of_file(path: &str) -> Result<Vec<ResourceType>, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MAX_TYPE_FILE + 1).read_to_string(&mut text))
        .map_err(|e| format!("{path}: {e}"))?;
    if text.len() as u64 > MAX_TYPE_FILE {
        return Err(format!("{path} is larger than a list of types"));
    }
    let mut types = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}');
        let line = line.split('#').next().unwrap_or_default();
        for name in line.split([',', ' ', '\t']).filter(|name| !name.is_empty()) {
            let resource_type = name.parse();
            types.push(resource_type.map_err(|why| format!("{path}, line {}: {why}", n + 1))?);
        }
    }
    match types.len() {
        0 => Err(format!("{path} names no type")),
        _ => Ok(types),
    }
}

/// The types that the arguments come to; the common ones where there are none.
///
/// # Errors
/// `all` stands beside types.
pub fn chosen(arguments: Vec<Argument>) -> Result<ResourceTypes, &'static str> {
    let (mut all, mut named) = (false, Vec::new());
    for argument in arguments {
        match argument {
            Argument::All => all = true,
            Argument::Types(types) => named.extend(types),
        }
    }
    match (all, named.is_empty()) {
        (true, true) => Ok(ResourceTypes::All),
        (true, false) => Err("--resource-types: all stands alone, and not beside types"),
        (false, true) => Ok(ResourceTypes::Named(ResourceType::common())),
        (false, false) => Ok(ResourceTypes::Named(without_repeats(named))),
    }
}
