//! The profiles of the shared files.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::shell_words;
use super::syntax::{Section, SyntaxError, parse};
use crate::env::{Env, expand_variables};

/// The profiles of both shared files.
#[derive(Debug, Default)]
pub struct SharedFiles {
    /// The config file's profiles.
    pub config: ProfileFile,
    /// The credentials file's profiles.
    pub credentials: ProfileFile,
}

/// The kind of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `[default]` and `[profile x]`; every section of the credentials file.
    Profile,
    /// `[sso-session x]`.
    SsoSession,
    /// `[services x]`.
    Services,
}

/// The named sections of one file.
#[derive(Default)]
pub struct ProfileFile {
    /// The path; the file may not exist.
    pub path: PathBuf,
    /// The reason why the file exists and cannot be read. It counts as empty then.
    pub unusable: Option<String>,
    /// The sections with their kinds and names, in the order of the file.
    pub(super) sections: Vec<(FileKind, String, Section)>,
}

/// Shows only the names of the sections: the values may be secret.
impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.sections.iter().map(|(kind, name, _)| (kind, name));
        f.debug_struct("ProfileFile")
            .field("path", &self.path)
            .field("unusable", &self.unusable)
            .field("sections", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Formats the path, with the reason why the file is ignored.
impl fmt::Display for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.unusable
            .as_ref()
            .map_or(Ok(()), |reason| write!(f, " (ignored: {reason})"))
    }
}

impl ProfileFile {
    /// Returns the profile `name`.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.section(FileKind::Profile, name)
    }

    /// Returns the section of this kind and name; the credentials file has only profiles.
    #[must_use]
    pub fn section(&self, kind: FileKind, name: &str) -> Option<&Section> {
        // If a name has two spellings, only the later section counts.
        let mut sections = self.sections.iter().rev();
        let found = sections.find(|(k, n, _)| *k == kind && n == name);
        found.map(|(.., section)| section)
    }

    /// Returns the names of the sections of this kind, in the order of the file.
    pub fn section_names(&self, kind: FileKind) -> impl Iterator<Item = &str> {
        let sections = self.sections.iter().filter(move |(k, ..)| *k == kind);
        sections.map(|(_, name, _)| name.as_str())
    }

    /// Creates the profiles of the config file, as botocore's `build_profile_map` does. A section
    /// name has two words, and the first is the kind: `[profile x y]` is ignored, and `[profile "x
    /// y"]` is the profile `x y`. If a name has two spellings, only the later section counts; this
    /// includes `[profile default]` and `[default]`. The Rust SDK prefers `[profile default]` in
    /// any order.
    pub(super) fn from_config(path: PathBuf, sections: Vec<(String, Section)>) -> Self {
        let sections = sections.into_iter().filter_map(|(name, section)| {
            let (kind, name) = kind_and_name(name)?;
            Some((kind, name, section))
        });
        Self {
            path,
            unusable: None,
            sections: sections.collect(),
        }
    }

    /// Creates the profiles of the credentials file: each section is the profile of exactly this
    /// name. As in botocore, `[profile x]` is the profile `profile x` there, and quotes are part of
    /// the name. The Rust SDK ignores both.
    pub(super) fn from_credentials(path: PathBuf, sections: Vec<(String, Section)>) -> Self {
        let profile = |(name, section)| (FileKind::Profile, name, section);
        Self {
            path,
            unusable: None,
            sections: sections.into_iter().map(profile).collect(),
        }
    }
}

fn kind_and_name(name: String) -> Option<(FileKind, String)> {
    if name == "default" {
        return Some((FileKind::Profile, name));
    }
    let (_, kind) = [
        ("profile", FileKind::Profile),
        ("sso-session", FileKind::SsoSession),
        ("services", FileKind::Services),
    ]
    .into_iter()
    .find(|(word, _)| name.starts_with(word))?;
    let [_, name] = shell_words::split(&name)?.try_into().ok()?;
    Some((kind, name))
}

impl SharedFiles {
    /// Reads AWS_CONFIG_FILE (default `~/.aws/config`) and AWS_SHARED_CREDENTIALS_FILE (default
    /// `~/.aws/credentials`). A file that does not exist, cannot be read or is not a regular file counts as empty, as in
    /// the AWS CLI: for example a directory, which Docker creates for a bind mount without a source.
    ///
    /// # Errors
    /// A file has a syntax error. The text contains the file and the line.
    pub fn load(env: &dyn Env) -> Result<Self, SharedFilesError> {
        let config = read(env, "AWS_CONFIG_FILE", "config", ProfileFile::from_config)?;
        let (variable, name) = ("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        Ok(Self {
            config,
            credentials: read(env, variable, name, ProfileFile::from_credentials)?,
        })
    }

    /// Returns the files that exist and cannot be read.
    pub fn unusable(&self) -> impl Iterator<Item = &ProfileFile> {
        let files = [&self.config, &self.credentials].into_iter();
        files.filter(|file| file.unusable.is_some())
    }

    /// Returns the names of the profiles, each once: those of the config file in its order, then those that are only in
    /// the credentials file.
    #[must_use]
    pub fn profiles_in_order(&self) -> Vec<&str> {
        let files = [&self.config, &self.credentials].into_iter();
        let names = files.flat_map(|file| file.section_names(FileKind::Profile));
        let mut seen = BTreeSet::new();
        names.filter(|name| seen.insert(*name)).collect()
    }

    /// Returns true if one of the files has the profile `name`.
    #[must_use]
    pub fn has_profile(&self, name: &str) -> bool {
        self.config.profile(name).is_some() || self.credentials.profile(name).is_some()
    }

    /// Returns a setting of a profile. The credentials file takes precedence over the config file;
    /// a blank value counts as absent.
    #[must_use]
    pub fn get(&self, profile: &str, key: &str) -> Option<&str> {
        [&self.credentials, &self.config]
            .into_iter()
            .filter_map(|file| file.profile(profile)?.get(key))
            .map(String::as_str)
            .find(|value| !value.trim().is_empty())
    }
}

/// The error of a shared file that exists and cannot be used. The text quotes no value.
#[derive(Debug, Error)]
pub enum SharedFilesError {
    /// A line is not UTF-8.
    #[error("{path}: line {line}: not valid UTF-8")]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A line is invalid.
    #[error("{path}: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line and the reason.
        source: SyntaxError,
    },
}

type Sections = Vec<(String, Section)>;

/// Reads a file and makes its profiles with `new`.
fn read(
    env: &dyn Env,
    variable: &str,
    default: &str,
    new: fn(PathBuf, Sections) -> ProfileFile,
) -> Result<ProfileFile, SharedFilesError> {
    let path = match env.var(variable) {
        Some(path) => expand_home(env, &expand_variables(env, &path)),
        None => match env.home() {
            Some(home) => home.join(".aws").join(default),
            None => {
                return Ok(ProfileFile {
                    path: Path::new("~/.aws").join(default),
                    unusable: Some(format!("no home directory; set HOME or {variable}")),
                    ..ProfileFile::default()
                });
            }
        },
    };
    let (bytes, unusable) = match env.read_regular(&path) {
        Ok(bytes) => (bytes, None),
        Err(e) if is_absent(&e) => (Vec::new(), None),
        Err(e) => (Vec::new(), Some(e.to_string())),
    };
    let text = match str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(e) => {
            let before = &bytes[..e.valid_up_to()];
            let line = before.split(|byte| *byte == b'\n').count();
            return Err(SharedFilesError::Encoding { path, line });
        }
    };
    match parse(text) {
        Ok(sections) => Ok(ProfileFile {
            unusable,
            ..new(path, sections)
        }),
        Err(source) => Err(SharedFilesError::Syntax { path, source }),
    }
}

/// Returns true if the file does not exist. This includes paths like `/dev/null/config`, which some
/// users set to have no file.
fn is_absent(e: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    // An error with a text of its own has a reason: a dangling symbolic link.
    matches!(e.kind(), NotFound | NotADirectory) && e.get_ref().is_none()
}

/// Returns the path with a leading `~` replaced by the home directory.
#[must_use]
pub fn expand_home(env: &dyn Env, path: &str) -> PathBuf {
    let rest = match path {
        "~" => Some(""),
        _ => path.strip_prefix("~/"),
    };
    match (rest, env.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => Path::new(path).to_owned(),
    }
}
