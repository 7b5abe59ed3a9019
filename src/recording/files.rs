//! Writes the files of a recording.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::accounts::Accounts;
use super::cassette::Cassette;
use super::environment::ENV_FILE;
use super::source::{INTERACTIONS_DIR, with_path};

/// Writes a recording to `dir`: its cassettes by name, and its environment: variables, and files of the home directory.
/// `account` replaces the caller's account ID; see [`Accounts`]. With `of_many`, the replacements are written to
/// `DIR.mapping.json`.
///
/// # Errors
/// A file cannot be written. The error names the file.
pub(super) fn write(
    dir: &Path,
    mut cassettes: BTreeMap<String, Cassette>,
    mut environment: BTreeMap<String, String>,
    account: Option<&str>,
    of_many: bool,
) -> io::Result<()> {
    if let Some(account) = account {
        let accounts = Accounts::new(&mut cassettes, &mut environment, account, of_many);
        cassettes = accounts.rewrite(cassettes, &mut environment);
        if of_many {
            write_mapping(dir, &pretty(&accounts)?)?;
        }
    }
    // Only the path of a file has a slash.
    let (home, variables): (BTreeMap<_, _>, BTreeMap<_, _>) = environment
        .into_iter()
        .partition(|(name, _)| name.contains('/'));
    let mut files = vec![(dir.join(ENV_FILE), pretty(&variables)?)];
    files.extend(
        home.into_iter()
            .map(|(path, text)| (dir.join(path), text.into_bytes())),
    );
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
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(with_path(directory))?;
        }
        fs::write(&path, bytes).map_err(with_path(&path))?;
    }
    Ok(())
}

/// Returns the path of the file that lists what was replaced, beside the directory of a recording.
///
/// # Errors
/// The directory does not exist.
pub fn mapping_path(dir: &Path) -> io::Result<PathBuf> {
    let mut path = dir.canonicalize().map_err(with_path(dir))?.into_os_string();
    path.push(".mapping.json");
    Ok(path.into())
}

/// Writes what was replaced beside the recording, readable only by the user.
fn write_mapping(dir: &Path, mapping: &[u8]) -> io::Result<()> {
    let path = &mapping_path(dir)?;
    let written = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            // The file of an earlier recording may have another mode.
            file.set_permissions(Permissions::from_mode(0o600))?;
            file.write_all(mapping)
        });
    written.map_err(with_path(path))
}

fn pretty(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_is_readable_only_by_the_user() {
        let directory = tempfile::tempdir().unwrap();
        let recording = directory.path().join("recording");
        fs::create_dir(&recording).unwrap();
        let path = mapping_path(&recording).unwrap();
        for content in ["longer than the next one", "short"] {
            write_mapping(&recording, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        }
    }
}
