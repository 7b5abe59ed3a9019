//! The shared files `~/.aws/config` and `~/.aws/credentials`, as the AWS CLI reads them.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>. A lexer of our own: against
//! the SDKs' own cases no general INI parser reads this dialect, and the best of them corrupt
//! values silently.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::env::Env;

/// The keys and values of one section; keys are in lower case.
pub type Section = BTreeMap<String, String>;

/// A line that is neither a section, a key nor a comment.
#[derive(Debug, PartialEq, Eq)]
pub struct SyntaxError {
    line: usize,
    why: &'static str,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// The sections of a file by their name, such as `default` or `profile x`; sections and keys that
/// are given twice are merged, the later value wins.
///
/// # Errors
/// A section without its bracket, or a line at the margin without `=`.
pub fn parse(text: &str) -> Result<BTreeMap<String, Section>, SyntaxError> {
    let mut sections: BTreeMap<String, Section> = BTreeMap::new();
    let mut section: Option<String> = None;
    let mut key: Option<String> = None;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (n, line) in text.lines().enumerate() {
        let error = |why| SyntaxError { line: n + 1, why };
        let trimmed = line.trim();
        if trimmed.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let (name, _) = rest
                .split_once(']')
                .ok_or_else(|| error("a section's name ends with ]"))?;
            let name = section_name(name);
            sections.entry(name.clone()).or_default();
            (section, key) = (Some(name), None);
            continue;
        }
        let Some(current) = section.as_ref().and_then(|s| sections.get_mut(s)) else {
            return Err(error("a key stands before the first [section]"));
        };
        if line.starts_with([' ', '\t']) {
            // Goes on with the value above: a block (`s3 =`) or a value over several lines.
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            if let Some(above) = key.as_ref().and_then(|k| current.get_mut(k)) {
                above.push('\n');
                above.push_str(trimmed);
                continue;
            }
            return Err(error(
                "an indented line goes on with a key above it, and there is none",
            ));
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| error("a key and its value are joined by ="))?;
        let name = name.trim().to_lowercase();
        if name.is_empty() {
            return Err(error("a key stands before ="));
        }
        current.insert(name.clone(), without_comment(value).trim().to_owned());
        key = Some(name);
    }
    Ok(sections)
}

/// `profile "x y"` as `profile x y`: words by one blank, quotes off.
fn section_name(raw: &str) -> String {
    let words: Vec<&str> = raw.split_whitespace().collect();
    let joined = words.join(" ");
    joined.replace(['"', '\''], "")
}

/// A comment in a value begins with a blank and `#` or `;`.
fn without_comment(value: &str) -> &str {
    let starts = [" #", " ;", "\t#", "\t;"];
    let end = starts.iter().filter_map(|s| value.find(s)).min();
    &value[..end.unwrap_or(value.len())]
}

/// The profiles of both shared files.
#[derive(Debug, Default)]
pub struct SharedFiles {
    /// The config file's profiles.
    pub config: ProfileFile,
    /// The credentials file's profiles.
    pub credentials: ProfileFile,
    /// The config file's `[services x]` sections, by their names.
    services: BTreeMap<String, Section>,
    /// The config file's `[sso-session x]` sections, by their names.
    sso_sessions: BTreeMap<String, Section>,
}

/// The profiles of one file.
#[derive(Default)]
pub struct ProfileFile {
    /// Where the file is, or would be.
    pub path: PathBuf,
    profiles: BTreeMap<String, Section>,
}

/// Names the profiles; their values may be secret and stay out.
impl fmt::Debug for ProfileFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileFile")
            .field("path", &self.path)
            .field("profiles", &self.profiles.keys())
            .finish()
    }
}

impl ProfileFile {
    /// The profile of that name.
    #[must_use]
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }
}

impl SharedFiles {
    /// Reads AWS_CONFIG_FILE (default `~/.aws/config`) and AWS_SHARED_CREDENTIALS_FILE (default
    /// `~/.aws/credentials`); a file that does not exist is an empty one.
    ///
    /// # Errors
    /// A file cannot be read, or has a syntax error: the text names the file and the line.
    pub fn load(env: &dyn Env) -> Result<Self, String> {
        let (path, config) = read(env, "AWS_CONFIG_FILE", "config")?;
        let services = named(&config, "services ");
        let sso_sessions = named(&config, "sso-session ");
        let config = ProfileFile {
            path,
            profiles: config_profiles(config),
        };
        let (path, profiles) = read(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        Ok(Self {
            config,
            credentials: ProfileFile { path, profiles },
            services,
            sso_sessions,
        })
    }

    /// The `[sso-session]` of that name, which stands in the config file.
    #[must_use]
    pub fn sso_session(&self, name: &str) -> Option<&Section> {
        self.sso_sessions.get(name)
    }

    /// Whether either file has a profile of that name.
    #[must_use]
    pub fn has_profile(&self, name: &str) -> bool {
        self.config.profile(name).is_some() || self.credentials.profile(name).is_some()
    }

    /// The section `[services {name}]` of the config file; its values are [`nested`] blocks.
    #[must_use]
    pub fn services(&self, name: &str) -> Option<&Section> {
        self.services.get(name)
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

/// The sections `[{kind} x]` by the name x.
fn named(sections: &BTreeMap<String, Section>, kind: &str) -> BTreeMap<String, Section> {
    let sections = sections.iter().filter_map(|(name, section)| {
        let name = name.strip_prefix(kind)?;
        Some((name.to_owned(), section.clone()))
    });
    sections.collect()
}

/// The keys and values of a block: of a value that is empty on its key's own line and goes on with
/// indented lines `key = value` below. Lines without `=` are passed over.
#[must_use]
pub fn nested(block: &str) -> Section {
    let lines = block.strip_prefix('\n').unwrap_or_default().lines();
    let pairs = lines.filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = without_comment(value).trim();
        Some((key.trim().to_lowercase(), value.to_owned()))
    });
    pairs.collect()
}

/// `[profile x]` is the profile x, and `[profile default]` goes before `[default]`; any other
/// section of the config file is no profile.
fn config_profiles(sections: BTreeMap<String, Section>) -> BTreeMap<String, Section> {
    let mut profiles = BTreeMap::new();
    for (name, section) in sections {
        // In the map's order `default` comes before `profile default`, which replaces it.
        if let Some(profile) = name.strip_prefix("profile ") {
            profiles.insert(profile.to_owned(), section);
        } else if name == "default" {
            profiles.insert(name, section);
        }
    }
    profiles
}

fn read(
    env: &dyn Env,
    variable: &str,
    default: &str,
) -> Result<(PathBuf, BTreeMap<String, Section>), String> {
    let path = match env.var(variable) {
        Some(path) => expand_home(env, &path),
        None => match env.home() {
            Some(home) => home.join(".aws").join(default),
            None => return Ok((PathBuf::new(), BTreeMap::new())),
        },
    };
    let named = |e: &dyn fmt::Display| format!("{}: {e}", path.display());
    let bytes = match env.read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(named(&e)),
    };
    let text = String::from_utf8(bytes).map_err(|_| named(&"is not UTF-8 text"))?;
    let sections = parse(&text).map_err(|e| named(&e))?;
    Ok((path, sections))
}

/// A path from a variable or a file, with `~` for the home folder.
#[must_use]
pub fn expand_home(env: &dyn Env, path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), env.home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => Path::new(path).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str, section: &str, key: &str) -> Option<String> {
        parse(text).unwrap().get(section)?.get(key).cloned()
    }

    #[test]
    fn the_shapes_that_users_have() {
        for (what, text, expected) in [
            ("plain", "[default]\nk = v\n", "v"),
            ("no blanks", "[default]\nk=v", "v"),
            ("CRLF", "[default]\r\nk = v\r\n", "v"),
            ("a BOM", "\u{feff}[default]\nk = v", "v"),
            ("tabs", "[default]\nk\t=\tv\t", "v"),
            ("key case", "[default]\nK = v", "v"),
            ("a comment after the value", "[default]\nk = v # c", "v"),
            ("a semicolon after the value", "[default]\nk = v ; c", "v"),
            ("hash inside the value", "[default]\nk = v#1", "v#1"),
            ("equals inside the value", "[default]\nk = a=b", "a=b"),
            ("comment lines", "# c\n[default]\n; c\nk = v", "v"),
            ("a comment after the section", "[default] # c\nk = v", "v"),
            (
                "merged sections",
                "[default]\nk = v\n[x]\n[default]\nj = w",
                "v",
            ),
            ("the later key wins", "[default]\nk = u\nk = v", "v"),
            ("blanks in the brackets", "[ default ]\nk = v", "v"),
            (
                "a block below another key",
                "[default]\ns3 =\n  k = no\nk = v",
                "v",
            ),
            ("an indented comment", "[default]\nk = v\n  # c", "v"),
        ] {
            assert_eq!(
                value(text, "default", "k").as_deref(),
                Some(expected),
                "{what}"
            );
        }
        let block = "[default]\ns3 =\n  a = 1\n  b = 2\n";
        assert_eq!(
            value(block, "default", "s3").as_deref(),
            Some("\na = 1\nb = 2")
        );
        assert_eq!(
            value("[profile \"x y\"]\nk=v", "profile x y", "k").as_deref(),
            Some("v")
        );
    }

    #[test]
    fn a_block_has_keys_of_its_own() {
        let sections = parse("[services x]\niam =\n  Endpoint_URL = http://i:1 # c\n  b=\n  c\n");
        let sections = sections.unwrap();
        let block = nested(&named(&sections, "services ")["x"]["iam"]);
        let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        let expected = [("endpoint_url", "http://i:1"), ("b", "")].map(pair);
        assert_eq!(block, Section::from(expected));
        assert_eq!(nested("a = 1"), Section::new(), "a value is no block");
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        for (text, line) in [
            ("[default\nk = v", 1),
            ("k = v", 1),
            ("[default]\n\nnonsense", 3),
            ("[default]\n= v", 2),
            ("[default]\n  k = v", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn profiles_of_both_files() {
        let folder = tempfile::tempdir().unwrap();
        let aws = folder.path().join("home/.aws");
        std::fs::create_dir_all(&aws).unwrap();
        std::fs::write(
            aws.join("config"),
            "[default]\nregion = a\n[profile default]\nregion = b\n[profile p]\nregion = c\n\
             secret = config\n[q]\nregion = d\n",
        )
        .unwrap();
        std::fs::write(aws.join("credentials"), "[p]\nsecret = shared\n").unwrap();
        let env = crate::env::FolderEnv::new(folder.path(), BTreeMap::new());
        let files = SharedFiles::load(&env).unwrap();
        assert_eq!(files.get("default", "region"), Some("b"));
        assert_eq!(files.get("p", "region"), Some("c"));
        assert_eq!(files.get("p", "secret"), Some("shared"));
        assert!(
            !files.has_profile("q"),
            "a bare section of the config file is no profile"
        );
        let debug = format!("{files:?}");
        assert!(!debug.contains("shared\""), "{debug}");

        std::fs::write(aws.join("config"), "[default]\noops\n").unwrap();
        let error = SharedFiles::load(&env).unwrap_err();
        assert!(error.contains(".aws/config: line 2: "), "{error}");
    }

    /// Lines as they stand in such files, and characters from everywhere.
    fn any_file() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("[default]".to_owned()),
            r"\PC*",
            r"[ \t]?[\[\]=#; a-zé]{0,9}",
            any::<String>(),
        ];
        vec(line, 0..9).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_is_too_odd(text in any_file()) {
            match parse(&text) {
                Ok(sections) => for key in sections.values().flat_map(BTreeMap::keys) {
                    prop_assert!(!key.is_empty() && key.trim() == key, "{key:?}");
                },
                Err(error) => {
                    prop_assert!((1..=text.lines().count()).contains(&error.line));
                }
            }
        }

        #[test]
        fn what_the_cli_writes_is_read(
            region in "[a-z]{1,9}-[a-z]{1,9}-[0-9]",
            secret in "[A-Za-z0-9/+=]{1,40}",
        ) {
            let text = format!("[profile p]\nregion = {region}\naws_secret_access_key = {secret}\n");
            prop_assert_eq!(value(&text, "profile p", "region"), Some(region));
            prop_assert_eq!(value(&text, "profile p", "aws_secret_access_key"), Some(secret));
        }
    }
}
