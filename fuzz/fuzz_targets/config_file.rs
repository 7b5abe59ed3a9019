//! The shared files: config and credentials, with a zero byte between the two.
#![no_main]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use aws_config_resource_count::aws::config_file::{
    Kind, Section, SharedFiles, expand_home, nested, parse,
};
use aws_config_resource_count::env::{Env, Ran};
use libfuzzer_sys::fuzz_target;

/// A home with both files, and a variable that names a third one.
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
        unreachable!("the files are read")
    }

    fn run(&self, _: &str) -> io::Result<Ran> {
        unreachable!("no command is run for them")
    }

    fn ask(&self, _: &str) -> Option<String> {
        unreachable!("nobody is asked for them")
    }
}

/// Every reason that a line may be refused for; none of them quotes it.
const REASONS: [&str; 6] = [
    "a section's name ends with ]",
    "a section has a name",
    "a key stands before the first [section]",
    "a key and its value are joined by =",
    "a key stands before =",
    "in an indented block, a key and its value are joined by =",
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
            let again = SharedFiles::load(&files).expect("it was read before");
            let [Some(Ok(config)), Some(Ok(credentials))] = parsed else {
                panic!("a file is read that cannot be parsed")
            };
            check(&loaded, &again, &config, &credentials);
        }
        Err(error) => refused(&error, data),
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

/// The sections of a text, with what holds for every text.
fn sections(text: &str) -> Result<Sections, ()> {
    match parse(text) {
        Ok(sections) => {
            assert_eq!(
                parse(text).as_ref(),
                Ok(&sections),
                "read twice, read alike"
            );
            let names: BTreeSet<_> = sections.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), sections.len(), "a section is there once");
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
            // What the values hold, the text holds: nothing is made up.
            let bytes: usize = sections
                .iter()
                .flat_map(|(_, s)| s.values())
                .map(String::len)
                .sum();
            assert!(text.contains("DEFAULT") || bytes <= text.len());
            Ok(sections)
        }
        Err(error) => {
            let said = error.to_string();
            let (line, why) = said.split_once(": ").expect("line N: why");
            let line: usize = line.strip_prefix("line ").unwrap().parse().unwrap();
            assert!(
                (1..=text.split(['\n', '\r']).count()).contains(&line),
                "{said}"
            );
            assert!(REASONS.contains(&why), "{said}");
            Err(())
        }
    }
}

/// The sections as a file.
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
                "the credentials file goes first"
            );
        }
    }
    for (name, section) in config {
        // A profile by its plain name is that section, unless another spelling of it comes later.
        let plain = |rest: &str| rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let found = name
            .strip_prefix("profile ")
            .filter(|rest| plain(rest) && !rest.is_empty());
        if let Some(profile) = found {
            assert!(loaded.config.profile(profile).is_some(), "{name:?}");
            let once = config.iter().filter(|(n, _)| n.contains(profile)).count() == 1;
            // `"a"'b'` is a spelling of `ab`.
            let spelled = config.iter().any(|(n, _)| n.contains(['"', '\'', '\\']));
            assert!(!once || spelled || loaded.config.profile(profile) == Some(section));
        }
        for kind in [Kind::SsoSession, Kind::Services] {
            assert_eq!(loaded.credentials.section(kind, name), None);
        }
    }
    let debug = format!("{loaded:?}");
    assert_eq!(debug, format!("{again:?}"));
}

/// An error is one line, which names the file and the line in it and quotes nothing.
fn refused(error: &str, data: &[u8]) {
    let rest = ["/home/.aws/config: line ", "/home/.aws/credentials: line "]
        .into_iter()
        .find_map(|start| error.strip_prefix(start));
    let (line, why) = rest
        .and_then(|r| r.split_once(": "))
        .expect("file: line N: why");
    let lines = data.iter().filter(|b| matches!(b, b'\n' | b'\r')).count() + 1;
    assert!((1..=lines).contains(&line.parse().unwrap()), "{error:?}");
    assert!(
        REASONS.contains(&why) || why == "this is not UTF-8 text",
        "{error:?}"
    );
}
