//! Parses the shared config and credentials files, which the input separates by a zero byte.
#![no_main]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config_resource_count::aws::config_file::{
    FileKind, Section, SharedFiles, expand_home, nested, parse,
};
use aws_config_resource_count::env::{CommandOutput, Env};
use libfuzzer_sys::fuzz_target;

/// A home directory with both files, and optionally AWS_CONFIG_FILE with a third path.
struct Files<'a> {
    config: &'a [u8],
    credentials: &'a [u8],
    named: Option<&'a str>,
}

impl Env for Files<'_> {
    fn var(&self, name: &str) -> Option<String> {
        match name {
            "HOME" => Some("/home".to_owned()),
            "AWS_CONFIG_FILE" => self.named.map(str::to_owned),
            _ => None,
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match path.to_str() {
            Some("/home/.aws/config") => Ok(self.config.to_vec()),
            Some("/home/.aws/credentials") => Ok(self.credentials.to_vec()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn write_private(&self, _: &Path, _: &[u8]) -> io::Result<()> {
        unreachable!("the files are only read")
    }

    fn run(&self, _: &str, _: Duration, _: &dyn Fn() -> Duration) -> io::Result<CommandOutput> {
        unreachable!("no command is run")
    }

    fn prompt(&self, _: &str) -> Option<String> {
        unreachable!("the user is not prompted")
    }
}

/// All reasons for which a line is rejected; none of them quotes the line.
const REASONS: [&str; 6] = [
    "missing ] after the section name",
    "missing section name",
    "key before the first [section]",
    "expected key = value",
    "missing key before =",
    "expected key = value in an indented block",
];

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |b| *b == 0);
    let config = parts.next().unwrap_or_default();
    let credentials = parts.next().unwrap_or_default();
    let named = parts.next().and_then(|path| str::from_utf8(path).ok());
    let files = Files {
        config,
        credentials,
        named: None,
    };
    let texts = [config, credentials].map(|bytes| str::from_utf8(bytes).ok());
    let parsed = texts.map(|text| text.map(sections));
    match SharedFiles::load(&files) {
        Ok(loaded) => {
            let again = SharedFiles::load(&files).expect("the files can be read again");
            let [Some(Ok(config)), Some(Ok(credentials))] = parsed else {
                panic!("an unparsable file was loaded")
            };
            check(&loaded, &again, &config, &credentials);
        }
        Err(error) => assert_error_format(&error.to_string(), data),
    }
    if let Some(path) = named {
        let expanded = expand_home(&files, path);
        let home = Path::new("/home").join(path.strip_prefix("~/").unwrap_or(""));
        let expected = if path.starts_with("~/") || path == "~" {
            home
        } else {
            PathBuf::from(path)
        };
        assert_eq!(expanded, expected);
        let _ = SharedFiles::load(&Files { named, ..files });
    }
});

type Sections = Vec<(String, Section)>;

/// Parses a text and asserts the properties of all parsed texts.
fn sections(text: &str) -> Result<Sections, ()> {
    match parse(text) {
        Ok(sections) => {
            assert_eq!(
                parse(text).as_ref(),
                Ok(&sections),
                "parsing is deterministic"
            );
            let names: BTreeSet<_> = sections.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), sections.len(), "section names are unique");
            for (name, section) in &sections {
                assert!(!name.is_empty() && name.trim() == name, "{name:?}");
                for (key, value) in section {
                    assert!(!key.is_empty() && key.trim() == key, "{key:?}");
                    assert_eq!(&key.to_lowercase(), key);
                    assert!(!value.contains('\r'), "{value:?}");
                    assert!(
                        value.starts_with('\n') || value.trim() == value,
                        "{value:?}"
                    );
                    assert_eq!(nested(value).is_some(), value.starts_with('\n'));
                }
            }
            assert_eq!(parse(&print(&sections)), Ok(sections.clone()));
            // The values are not longer than the text, unless DEFAULT copies them.
            let bytes: usize = sections
                .iter()
                .flat_map(|(_, s)| s.values())
                .map(String::len)
                .sum();
            assert!(text.contains("DEFAULT") || bytes <= text.len());
            Ok(sections)
        }
        Err(error) => {
            let message = error.to_string();
            let (line, reason) = message.split_once(": ").expect("line N: reason");
            let line: usize = line.strip_prefix("line ").unwrap().parse().unwrap();
            assert!(
                (1..=text.split(['\n', '\r']).count()).contains(&line),
                "{message}"
            );
            assert!(REASONS.contains(&reason), "{message}");
            Err(())
        }
    }
}

/// Formats the sections as a file.
fn print(sections: &Sections) -> String {
    let mut out = String::new();
    for (name, section) in sections {
        writeln!(out, "[{name}]").unwrap();
        for (key, value) in section {
            writeln!(out, "{key} = {}", value.replace('\n', "\n  ")).unwrap();
        }
    }
    out
}

fn check(loaded: &SharedFiles, again: &SharedFiles, config: &Sections, credentials: &Sections) {
    for (name, section) in credentials {
        assert_eq!(loaded.credentials.profile(name), Some(section));
        assert!(loaded.has_profile(name));
        for key in section.keys() {
            let value = loaded.get(name, key);
            assert_eq!(value, again.get(name, key));
            assert!(value.is_none_or(|v| !v.trim().is_empty()));
            let own = Some(section[key].as_str()).filter(|v| !v.trim().is_empty());
            assert!(
                own.is_none() || value == own,
                "the credentials file takes precedence"
            );
        }
    }
    for (name, section) in config {
        // A plain profile name selects this section, unless a later section spells the name
        // differently.
        let is_plain = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let found = name
            .strip_prefix("profile ")
            .filter(|rest| is_plain(rest) && !rest.is_empty());
        if let Some(profile) = found {
            assert!(loaded.config.profile(profile).is_some(), "{name:?}");
            let once = config.iter().filter(|(n, _)| n.contains(profile)).count() == 1;
            // With quotes, `"a"'b'` is the same name as `ab`.
            let has_quotes = config.iter().any(|(n, _)| n.contains(['"', '\'', '\\']));
            assert!(!once || has_quotes || loaded.config.profile(profile) == Some(section));
        }
        for kind in [FileKind::SsoSession, FileKind::Services] {
            assert_eq!(loaded.credentials.section(kind, name), None);
        }
    }
    let debug = format!("{loaded:?}");
    assert_eq!(debug, format!("{again:?}"));
}

/// Asserts that an error is one line with file, line number and reason, and quotes nothing.
fn assert_error_format(error: &str, data: &[u8]) {
    let rest = ["/home/.aws/config: line ", "/home/.aws/credentials: line "]
        .into_iter()
        .find_map(|start| error.strip_prefix(start));
    let (line, reason) = rest
        .and_then(|r| r.split_once(": "))
        .expect("file: line N: reason");
    let lines = data.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1;
    assert!((1..=lines).contains(&line.parse().unwrap()), "{error:?}");
    assert!(
        REASONS.contains(&reason) || reason == "not valid UTF-8",
        "{error:?}"
    );
}
