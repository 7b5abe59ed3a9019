//! Writes the files of a recording.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::cassette::{Cassette, INTERACTIONS_DIR, with_path};
use super::environment::ENV_FILE;

/// Writes a recording to `dir`: its cassettes by name and the variables of its environment.
/// `account` replaces all account IDs.
///
/// # Errors
/// A file cannot be written. The error names the file.
pub(super) fn write(
    dir: &Path,
    cassettes: BTreeMap<String, Cassette>,
    variables: &BTreeMap<String, String>,
    account: Option<&str>,
) -> io::Result<()> {
    let mut files = vec![(dir.join(ENV_FILE), pretty(variables)?)];
    let interactions_dir = dir.join(INTERACTIONS_DIR);
    for (name, mut cassette) in cassettes {
        for (n, interaction) in cassette.interactions.iter_mut().enumerate() {
            if let Some(response) = &mut interaction.response
                && let Some(bytes) = response.body.file_content.take()
            {
                let is_xml = bytes.trim_ascii_start().starts_with(b"<");
                let extension = if is_xml { "xml" } else { "bin" };
                let body_file = format!("{name}.{}.{extension}", n + 1);
                files.push((interactions_dir.join(&body_file), bytes));
                response.body.body_file = Some(body_file);
            }
        }
        let path = interactions_dir.join(format!("{name}.json"));
        files.push((path, pretty(&cassette)?));
    }
    if let Some(account) = account {
        rewrite_accounts(&mut files, account);
    }
    fs::create_dir_all(interactions_dir)?;
    for (path, bytes) in files {
        fs::write(&path, bytes).map_err(with_path(&path))?;
    }
    Ok(())
}

fn pretty(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Replaces all account IDs in the files by `account`.
fn rewrite_accounts(files: &mut [(PathBuf, Vec<u8>)], account: &str) {
    let account_ids = files.iter().flat_map(|(_, bytes)| account_ids(bytes));
    let account_ids: BTreeSet<String> = account_ids.collect();
    for (_, bytes) in files {
        if let Ok(text) = str::from_utf8(bytes) {
            let mut text = text.to_owned();
            for id in &account_ids {
                text = text.replace(id, account);
            }
            *bytes = text.into_bytes();
        }
    }
}

/// Returns the account IDs in `text`: words of exactly 12 digits, in an ARN or as a value.
///
/// The last group of a UUID, after a hyphen, is not an account ID.
fn account_ids(text: &[u8]) -> impl Iterator<Item = String> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let words = text.split(move |b| !is_word(*b));
    let ids = words.filter(|w| w.len() == 12 && w.iter().all(u8::is_ascii_digit));
    ids.map(|id| String::from_utf8_lossy(id).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_ids_are_found_in_arns_and_values() {
        let found: BTreeSet<String> = account_ids(
            b"arn:aws:iam::123456789012:role/x <Account>111122223333</Account> id-999999999999 \
             8a0c-123412341234 1700000000000 {\"accountId\": \"444455556666\"} 1a2345678901",
        )
        .collect();
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["111122223333", "123456789012", "444455556666"]
        );
    }
}
