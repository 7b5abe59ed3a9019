//! Writes the files of a recording.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cassette::{Cassette, INTERACTIONS_DIR, Interaction};
use super::environment::ENV_FILE;

/// By cassette name: the interactions, each with a body to store in a separate file, if any.
pub(super) type Interactions = BTreeMap<String, Vec<(Interaction, Option<Vec<u8>>)>>;

/// Writes a recording to `dir`: its interactions and the variables of its environment. `account`
/// replaces all account IDs.
///
/// # Errors
/// A file cannot be written. The error names the file.
pub(super) fn write(
    dir: &Path,
    interactions: Interactions,
    variables: &BTreeMap<String, String>,
    account: Option<&str>,
) -> io::Result<()> {
    let mut files = vec![(dir.join(ENV_FILE), pretty(variables)?)];
    for (name, entries) in interactions {
        let mut cassette = Cassette::default();
        for (n, (mut interaction, file)) in entries.into_iter().enumerate() {
            if let (Some(bytes), Some(response)) = (file, &mut interaction.response) {
                let body_file = format!("{name}.{}.{}", n + 1, extension(&bytes));
                files.push((dir.join(INTERACTIONS_DIR).join(&body_file), bytes));
                response.body.body_file = Some(body_file);
            }
            cassette.interactions.push(interaction);
        }
        let path = dir.join(INTERACTIONS_DIR).join(format!("{name}.json"));
        files.push((path, pretty(&cassette)?));
    }
    if let Some(account) = account {
        rewrite_accounts(&mut files, account);
    }
    fs::create_dir_all(dir.join(INTERACTIONS_DIR))?;
    for (path, bytes) in files {
        fs::write(&path, bytes)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
    }
    Ok(())
}

fn extension(bytes: &[u8]) -> &'static str {
    if bytes.trim_ascii_start().starts_with(b"<") {
        "xml"
    } else {
        "bin"
    }
}

fn pretty(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Replaces all account IDs in the files by `account`.
fn rewrite_accounts(files: &mut [(PathBuf, Vec<u8>)], account: &str) {
    let mut account_ids = BTreeSet::new();
    for (_, bytes) in files.iter() {
        find_account_ids(&String::from_utf8_lossy(bytes), &mut account_ids);
    }
    for (_, bytes) in files.iter_mut() {
        let Ok(mut text) = std::str::from_utf8(bytes).map(str::to_owned) else {
            continue;
        };
        for id in &account_ids {
            text = text.replace(id, account);
        }
        *bytes = text.into_bytes();
    }
}

/// Adds the account IDs in `text` to `into`: words of exactly 12 digits, in an ARN or as a value.
///
/// The last group of a UUID, after a hyphen, is not an account ID.
fn find_account_ids(text: &str, into: &mut BTreeSet<String>) {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let words = text.as_bytes().split(|b| !is_word(*b));
    let is_account_id = |w: &&[u8]| w.len() == 12 && w.iter().all(u8::is_ascii_digit);
    into.extend(
        words
            .filter(is_account_id)
            .map(|w| String::from_utf8_lossy(w).into_owned()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_found_in_arns_and_values() {
        let mut found = BTreeSet::new();
        find_account_ids(
            "arn:aws:iam::123456789012:role/x <Account>111122223333</Account> id-999999999999 \
             8a0c-123412341234 1700000000000 {\"accountId\": \"444455556666\"} 1a2345678901",
            &mut found,
        );
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["111122223333", "123456789012", "444455556666"]
        );
    }
}
