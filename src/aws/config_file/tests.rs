use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::shared_files::{FileKind, ProfileFile, SharedFiles};
use super::syntax::{Section, nested, parse};
use crate::recording::RecordedEnv;

fn get(text: &str, section: &str, key: &str) -> Option<String> {
    let sections = parse(text).unwrap();
    let (_, found) = sections.iter().find(|(name, _)| name == section)?;
    found.get(key).cloned()
}

/// Returns the JSON file `name` of `tests/config_files`.
fn table(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config_files");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// Returns a case's file as this program reads it, in the form of `expected.json`.
fn ours(case: &Value) -> Value {
    let text = |kind| case.get(kind).and_then(Value::as_str);
    let sections = parse(text("config").or(text("credentials")).unwrap());
    let Ok(sections) = sections else {
        return json!("error");
    };
    if text("credentials").is_some() {
        let file = ProfileFile::from_credentials(PathBuf::new(), sections);
        return to_json(&file, FileKind::Profile);
    }
    let file = ProfileFile::from_config(PathBuf::new(), sections);
    let kinds = [
        ("profiles", FileKind::Profile),
        ("sso_sessions", FileKind::SsoSession),
        ("services", FileKind::Services),
    ];
    let found = kinds.map(|(name, kind)| (name.to_owned(), to_json(&file, kind)));
    let is_empty = |all: &Value| all.as_object().is_some_and(Map::is_empty);
    let found = found.into_iter().filter(|(_, all)| !is_empty(all));
    Value::Object(found.collect())
}

fn to_json(file: &ProfileFile, kind: FileKind) -> Value {
    let value = |v: &String| nested(v).map_or_else(|| json!(v), |block| json!(block));
    let section = |s: &Section| -> Map<String, Value> {
        s.iter().map(|(k, v)| (k.clone(), value(v))).collect()
    };
    let names = file.section_names(kind);
    let all = names.map(|name| {
        let found = section(file.section(kind, name).unwrap());
        (name.to_owned(), found.into())
    });
    Value::Object(all.collect())
}

#[test]
fn cases_equal_botocore_or_have_a_reason() {
    let (cases, botocore) = (table("cases.json"), table("expected.json"));
    let (cases, botocore) = (cases.as_array().unwrap(), botocore.as_object().unwrap());
    assert_eq!(cases.len(), botocore.len(), "run generate.py");
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let theirs = &botocore[name];
        let found = ours(case);
        match case.get("ours") {
            None => assert_eq!(&found, theirs, "{name}"),
            Some(expected) => {
                assert_eq!(&found, expected, "{name}");
                assert_ne!(&found, theirs, "{name}: it no longer differs");
                assert!(case["why"].is_string(), "{name}");
            }
        }
    }
}

#[test]
fn syntax_error_has_its_line() {
    for (text, line) in [
        ("[default\nk = v", 1),
        ("k = v", 1),
        ("  k = v", 1),
        ("[default]\n\nnonsense", 3),
        ("[default]\r\n\r\nnonsense\r\n", 3),
        ("\u{feff}# c\n[ ]", 2),
        ("[default]\n= v", 2),
        ("[default]\ns3 =\n  a = 1\n  b\n", 4),
    ] {
        assert_eq!(parse(text).unwrap_err().line, line, "{text}");
    }
}

/// Loads the shared files of a home directory with these two files and these variables.
fn load(
    config: &[u8],
    credentials: &[u8],
    variables: &[(&str, &str)],
) -> Result<SharedFiles, String> {
    let folder = tempfile::tempdir().unwrap();
    let aws = folder.path().join("home/.aws");
    std::fs::create_dir_all(&aws).unwrap();
    std::fs::write(aws.join("config"), config).unwrap();
    std::fs::write(aws.join("credentials"), credentials).unwrap();
    std::fs::write(folder.path().join("home/other file"), "[default]\nk = o\n").unwrap();
    let own = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    let env = RecordedEnv::new(folder.path(), variables.iter().map(own).collect());
    SharedFiles::load(&env).map_err(|e| e.to_string())
}

#[test]
fn profile_merges_both_files() {
    let files = load(
        b"[default]\nregion = a\n[profile p]\nregion = c\nsecret = config\nblank = c\n\
          [q]\nregion = d\n[sso-session corp]\nsso_region = e\n",
        b"[p]\nsecret = shared\nblank =\n[only]\nsecret = shared\n",
        &[],
    )
    .unwrap();
    assert_eq!(files.get("default", "region"), Some("a"));
    assert_eq!(files.get("p", "region"), Some("c"));
    assert_eq!(files.get("p", "secret"), Some("shared"));
    assert_eq!(files.get("p", "blank"), Some("c"), "blank is absent");
    assert_eq!(files.get("only", "secret"), Some("shared"));
    assert!(!files.has_profile("q"), "a bare section is not a profile");
    let session = files.config.section(FileKind::SsoSession, "corp").unwrap();
    assert_eq!(session["sso_region"], "e");
    assert_eq!(files.config.section(FileKind::Services, "corp"), None);
    let debug = format!("{files:?}");
    assert!(!debug.contains("shared\""), "{debug}");
    assert!(debug.contains("\"only\""), "{debug}");
}

#[test]
fn load_error_has_file_and_line_only() {
    for (config, credentials, expected) in [
        (
            &b"[default]\nhunter2\n"[..],
            &b""[..],
            "home/.aws/config: line 2: expected key = value",
        ),
        (
            b"",
            b"# c\nhunter2 = hunter2\n",
            "home/.aws/credentials: line 2: key before the first [section]",
        ),
        (
            b"",
            b"[hunter2",
            "home/.aws/credentials: line 1: missing ] after the section name",
        ),
        (
            b"[a]\r\nk = hunter2\xff\r\n",
            b"",
            "home/.aws/config: line 2: not valid UTF-8",
        ),
    ] {
        assert_eq!(load(config, credentials, &[]).unwrap_err(), expected);
    }
}

#[test]
fn path_expands_tilde_and_variables() {
    for path in [
        "~/other file",
        "home/other file",
        "$HOME/other file",
        "${HOME}/other file",
        "$A/$B file",
        "~/${B} file",
    ] {
        let variables = [("AWS_CONFIG_FILE", path), ("A", "home"), ("B", "other")];
        let files = load(b"[default]\nk = v", b"", &variables).unwrap();
        assert_eq!(files.get("default", "k"), Some("o"), "{path}");
        assert_eq!(files.config.path, Path::new("home/other file"), "{path}");
    }
    // As in os.path.expandvars, text that is not a variable is unchanged.
    for path in [
        "a$", "$", "$UNSET/x", "${UNSET}", "${A", "$$", "${}", "~user/x",
    ] {
        let variables = [("AWS_CONFIG_FILE", path), ("A", "home")];
        let files = load(b"[default]\nk = v", b"", &variables).unwrap();
        assert_eq!(files.config.path, Path::new(path));
        assert_eq!(
            files.get("default", "k"),
            None,
            "{path}: the file does not exist"
        );
    }
}

#[test]
fn path_below_file_is_absent() {
    let variables = [("AWS_CONFIG_FILE", "home/other file/config")];
    let files = load(b"[default]\nk = v", b"", &variables).unwrap();
    assert_eq!(files.get("default", "k"), None);
}

/// Formats sections as a file; the program itself writes no such files.
fn print(sections: &[(String, Section)]) -> String {
    let mut out = String::new();
    for (name, section) in sections {
        writeln!(out, "[{name}]").unwrap();
        for (key, value) in section {
            writeln!(out, "{key} = {}", value.replace('\n', "\n  ")).unwrap();
        }
    }
    out
}

/// Generates typical lines of such files, and arbitrary characters.
fn any_file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => Just("[default]".to_owned()),
        1 => Just("[DEFAULT]".to_owned()),
        1 => r"\PC*",
        2 => r"[ \t]{0,2}\[[\[\]#; ap]{0,9}\]",
        6 => r"[ \t]{0,2}[KkÉσΣ]{1,2} ?[=:] ?[\[\]=:#; \taé]{0,9}",
        2 => r"[ \t\r]?[\[\]=#; a-zé]{0,9}",
        1 => any::<String>(),
    ];
    vec(line, 0..9).prop_map(|lines| lines.join("\n"))
}

/// Generates a file that is usually valid.
fn readable_file() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        r"\[[\[\]#; ap]{0,5}p\]",
        r"[ \t]{0,2}[KkÉσΣ]{1,2} ?[=:] ?[\[\]=:#; \taé]{0,9}",
        r"[ \t]{0,3}[#;][ab]",
        Just(String::new()),
    ];
    vec(line, 0..12).prop_map(|lines| format!("[default]\n{}", lines.join("\n")))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_parses_or_has_error_line(text in any_file()) {
        match parse(&text) {
            Ok(sections) => {
                for (key, value) in sections.iter().flat_map(|(_, section)| section) {
                    prop_assert!(!key.is_empty() && key.trim() == key, "{key:?}");
                    prop_assert_eq!(nested(value).is_some(), value.starts_with('\n'));
                }
                prop_assert_eq!(parse(&print(&sections)).unwrap(), sections.clone());
                ProfileFile::from_config(PathBuf::new(), sections);
            }
            Err(error) => {
                let lines = text.split(['\n', '\r']).count();
                prop_assert!((1..=lines).contains(&error.line));
            }
        }
    }

    #[test]
    fn printed_sections_parse_to_the_same(text in readable_file()) {
        if let Ok(sections) = parse(&text) {
            prop_assert_eq!(parse(&print(&sections)).unwrap(), sections);
        }
    }

    #[test]
    fn profile_written_by_cli_is_read(
        region in "[a-z]{1,9}-[a-z]{1,9}-[0-9]",
        secret in "[A-Za-z0-9/+=]{1,40}",
    ) {
        let text = format!("[profile p]\nregion = {region}\naws_secret_access_key = {secret}\n");
        prop_assert_eq!(get(&text, "profile p", "region"), Some(region));
        prop_assert_eq!(get(&text, "profile p", "aws_secret_access_key"), Some(secret));
    }

    #[test]
    fn quoted_name_is_unquoted_profile_name(name in r#"[a-z"'\\ #;.]{0,9}"#) {
        let quoted = name.replace('\\', r"\\").replace('"', "\\\"");
        let sections = parse(&format!("[profile \"{quoted}\"]\nk = v\n")).unwrap();
        let file = ProfileFile::from_config(PathBuf::new(), sections);
        prop_assert!(file.profile(&name).is_some(), "{file:?}");
    }
}
