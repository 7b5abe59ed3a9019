//! The shared files `~/.aws/config` and `~/.aws/credentials`, as the AWS CLI reads them.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>. A lexer of our own: against
//! the SDKs' own cases no general INI parser reads this dialect, and the best of them corrupt
//! values silently.

mod syntax;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use syntax::{Section, SyntaxError, nested, parse};

use crate::env::Env;

/// The profiles of both shared files.
#[derive(Debug, Default)]
pub struct SharedFiles {
    /// The config file's profiles.
    pub config: ProfileFile,
    /// The credentials file's profiles.
    pub credentials: ProfileFile,
}

/// What a section of a file is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `[default]` and `[profile x]`; in the credentials file every section.
    Profile,
    /// `[sso-session x]`.
    SsoSession,
    /// `[services x]`.
    Services,
}

/// The named sections of one file.
#[derive(Default)]
pub struct ProfileFile {
    /// Where the file is, or would be.
    pub path: PathBuf,
    sections: BTreeMap<Kind, BTreeMap<String, Section>>,
}

/// Names the sections; their values may be secret and stay out.
impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |of: &BTreeMap<String, Section>| of.keys().cloned().collect::<Vec<_>>();
        let sections: Vec<_> = self.sections.iter().map(|(k, s)| (k, names(s))).collect();
        f.debug_struct("ProfileFile")
            .field("path", &self.path)
            .field("sections", &sections)
            .finish()
    }
}

impl ProfileFile {
    /// The profile of that name.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.section(Kind::Profile, name)
    }

    /// The section of that kind and name; the credentials file has only profiles.
    #[must_use]
    pub fn section(&self, kind: Kind, name: &str) -> Option<&Section> {
        self.sections.get(&kind)?.get(name)
    }

    /// botocore's `build_profile_map`: a section is of the kind that it begins with and has two
    /// words, so `[profile x y]` is nothing and `[profile "x y"]` the profile `x y`. Of two spellings
    /// of one name the later counts alone, `[profile default]` and `[default]` among them; the Rust
    /// SDK takes `[profile default]` wherever it stands.
    fn of_config(path: PathBuf, sections: Vec<(String, Section)>) -> Self {
        let mut file = Self {
            path,
            ..Self::default()
        };
        for (name, section) in sections {
            if let Some((kind, name)) = kind_and_name(name) {
                file.sections.entry(kind).or_default().insert(name, section);
            }
        }
        file
    }

    /// Each section of the credentials file is the profile of that name, as it is written: for
    /// botocore `[profile x]` is there the profile `profile x`, and quotes belong to the name. The
    /// Rust SDK passes over both.
    fn of_credentials(path: PathBuf, sections: Vec<(String, Section)>) -> Self {
        let profiles = sections.into_iter().collect();
        let sections = BTreeMap::from([(Kind::Profile, profiles)]);
        Self { path, sections }
    }
}

fn kind_and_name(name: String) -> Option<(Kind, String)> {
    if name == "default" {
        return Some((Kind::Profile, name));
    }
    let (_, kind) = [
        ("profile", Kind::Profile),
        ("sso-session", Kind::SsoSession),
        ("services", Kind::Services),
    ]
    .into_iter()
    .find(|(word, _)| name.starts_with(word))?;
    let [_, name] = words::words(&name)?.try_into().ok()?;
    Some((kind, name))
}

impl SharedFiles {
    /// Reads AWS_CONFIG_FILE (default `~/.aws/config`) and AWS_SHARED_CREDENTIALS_FILE (default
    /// `~/.aws/credentials`); a file that does not exist is an empty one.
    ///
    /// # Errors
    /// A file cannot be read, or has a syntax error: the text names the file and the line.
    pub fn load(env: &dyn Env) -> Result<Self, String> {
        let (path, sections) = read(env, "AWS_CONFIG_FILE", "config")?;
        let config = ProfileFile::of_config(path, sections);
        let (path, sections) = read(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        Ok(Self {
            config,
            credentials: ProfileFile::of_credentials(path, sections),
        })
    }

    /// Whether either file has a profile of that name.
    #[must_use]
    pub fn has_profile(&self, name: &str) -> bool {
        self.config.profile(name).is_some() || self.credentials.profile(name).is_some()
    }

    /// A setting of a profile; the credentials file's wins over the config file's.
    #[must_use]
    pub fn get(&self, profile: &str, key: &str) -> Option<&str> {
        [&self.credentials, &self.config]
            .into_iter()
            .filter_map(|file| file.profile(profile)?.get(key))
            .map(String::as_str)
            .find(|value| !value.trim().is_empty())
    }
}

type Sections = Vec<(String, Section)>;

fn read(env: &dyn Env, variable: &str, default: &str) -> Result<(PathBuf, Sections), String> {
    let path = match env.var(variable) {
        Some(path) => expand_home(env, &words::expand_variables(env, &path)),
        None => match env.home() {
            Some(home) => home.join(".aws").join(default),
            None => return Ok((PathBuf::new(), Vec::new())),
        },
    };
    let named = |e: &dyn fmt::Display| format!("{}: {e}", path.display());
    let bytes = match env.read(&path) {
        Ok(bytes) => bytes,
        Err(e) if is_absent(&e) => Vec::new(),
        Err(e) => return Err(named(&e)),
    };
    let text = str::from_utf8(&bytes).map_err(|e| {
        let before = &bytes[..e.valid_up_to()];
        let line = before.split(|byte| *byte == b'\n').count();
        named(&format!("line {line}: this is not UTF-8 text"))
    })?;
    let sections = parse(text).map_err(|e| named(&e))?;
    Ok((path, sections))
}

/// `/dev/null/config` is absent too: whoever sets that wants no file.
fn is_absent(e: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(e.kind(), NotFound | NotADirectory)
}

/// A path from a variable or a file, with `~` for the home folder.
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

#[cfg(test)]
mod tests;
