//! Writes the files of a recording.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use super::accounts::Accounts;
use super::cassette::Cassette;
use super::environment::ENV_FILE;
use super::source::{INTERACTIONS_DIR, with_path};

/// Writes a recording to `dir`: its cassettes by name and the variables of its environment.
/// `account` replaces the caller's account ID; see [`Accounts`].
///
/// # Errors
/// A file cannot be written. The error names the file.
pub(super) fn write(
    dir: &Path,
    mut cassettes: BTreeMap<String, Cassette>,
    mut variables: BTreeMap<String, String>,
    account: Option<&str>,
) -> io::Result<()> {
    if let Some(account) = account {
        let accounts = Accounts::new(&mut cassettes, &mut variables, account);
        cassettes = accounts.rewrite(cassettes, &mut variables);
    }
    let mut files = vec![(dir.join(ENV_FILE), pretty(&variables)?)];
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
