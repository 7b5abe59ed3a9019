use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::env::FolderEnv;

fn get(text: &str, section: &str, key: &str) -> Option<String> {
    let sections = parse(text).unwrap();
    let (_, found) = sections.iter().find(|(name, _)| name == section)?;
    found.get(key).cloned()
}

/// A file below `tests/config_files`.
fn table(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config_files");
    serde_json::from_slice(&std::fs::read(folder.join(name)).unwrap()).unwrap()
}

/// A case's file as this program reads it, in the form of the table.
fn ours(case: &Value) -> Value {
    let text = |kind| case.get(kind).and_then(Value::as_str);
    let sections = parse(text("config").or(text("credentials")).unwrap());
    let Ok(sections) = sections else {
        return json!("error");
    };
    if text("credentials").is_some() {
        let file = ProfileFile::of_credentials(PathBuf::new(), sections);
        return named(&file.sections[&Kind::Profile]);
    }
    let file = ProfileFile::of_config(PathBuf::new(), sections);
    let kinds = file.sections.iter().map(|(kind, sections)| {
        let kind = match kind {
            Kind::Profile => "profiles",
            Kind::SsoSession => "sso_sessions",
            Kind::Services => "services",
        };
        (kind.to_owned(), named(sections))
    });
    Value::Object(kinds.collect())
}

fn named(sections: &BTreeMap<String, Section>) -> Value {
    let value = |v: &String| nested(v).map_or_else(|| json!(v), |block| json!(block));
    let section = |s: &Section| -> Map<String, Value> {
        s.iter().map(|(k, v)| (k.clone(), value(v))).collect()
    };
    let all = sections.iter().map(|(k, s)| (k.clone(), section(s).into()));
    Value::Object(all.collect())
}

#[test]
fn every_case_is_read_as_botocore_does_or_has_a_reason() {
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
                assert_ne!(&found, theirs, "{name}: it differs no more");
                assert!(case["why"].is_string(), "{name}");
            }
        }
    }
}

#[test]
fn a_syntax_error_names_its_line() {
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

/// What `load` says of a home with these two files, and these variables.
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
    let env = FolderEnv::new(folder.path(), variables.iter().map(own).collect());
    SharedFiles::load(&env)
}

#[test]
fn both_files_for_one_profile() {
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
    assert!(!files.has_profile("q"), "a bare section is no profile");
    let session = files.config.section(Kind::SsoSession, "corp").unwrap();
    assert_eq!(session["sso_region"], "e");
    assert_eq!(files.config.section(Kind::Services, "corp"), None);
    let debug = format!("{files:?}");
    assert!(!debug.contains("shared\""), "{debug}");
    assert!(debug.contains("\"only\""), "{debug}");
}

#[test]
fn an_error_names_the_file_and_the_line_and_no_value() {
    for (config, credentials, expected) in [
        (
            &b"[default]\nhunter2\n"[..],
            &b""[..],
            "home/.aws/config: line 2: a key and its value are joined by =",
        ),
        (
            b"",
            b"# c\nhunter2 = hunter2\n",
            "home/.aws/credentials: line 2: a key stands before the first [section]",
        ),
        (
            b"",
            b"[hunter2",
            "home/.aws/credentials: line 1: a section's name ends with ]",
        ),
        (
            b"[a]\r\nk = hunter2\xff\r\n",
            b"",
            "home/.aws/config: line 2: this is not UTF-8 text",
        ),
    ] {
        assert_eq!(load(config, credentials, &[]).unwrap_err(), expected);
    }
}

#[test]
fn a_file_is_found_through_tilde_and_variables() {
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
    // As in os.path.expandvars, what is no variable stays.
    for path in [
        "a$", "$", "$UNSET/x", "${UNSET}", "${A", "$$", "${}", "~user/x",
    ] {
        let variables = [("AWS_CONFIG_FILE", path), ("A", "home")];
        let files = load(b"[default]\nk = v", b"", &variables).unwrap();
        assert_eq!(files.config.path, Path::new(path));
        assert_eq!(
            files.get("default", "k"),
            None,
            "{path}: there is no such file"
        );
    }
}

#[test]
fn a_path_below_a_file_is_absent() {
    let variables = [("AWS_CONFIG_FILE", "home/other file/config")];
    let files = load(b"[default]\nk = v", b"", &variables).unwrap();
    assert_eq!(files.get("default", "k"), None);
}

/// Sections as a file; the program itself writes none.
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

/// Lines as they stand in such files, and characters from everywhere.
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

/// A file that can be read, whatever is in it.
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
    fn no_text_is_too_odd(text in any_file()) {
        match parse(&text) {
            Ok(sections) => {
                for (key, value) in sections.iter().flat_map(|(_, section)| section) {
                    prop_assert!(!key.is_empty() && key.trim() == key, "{key:?}");
                    prop_assert_eq!(nested(value).is_some(), value.starts_with('\n'));
                }
                prop_assert_eq!(parse(&print(&sections)).unwrap(), sections.clone());
                ProfileFile::of_config(PathBuf::new(), sections);
            }
            Err(error) => {
                let lines = text.split(['\n', '\r']).count();
                prop_assert!((1..=lines).contains(&error.line));
            }
        }
    }

    #[test]
    fn what_it_prints_it_reads_back(text in readable_file()) {
        if let Ok(sections) = parse(&text) {
            prop_assert_eq!(parse(&print(&sections)).unwrap(), sections);
        }
    }

    #[test]
    fn what_the_cli_writes_is_read(
        region in "[a-z]{1,9}-[a-z]{1,9}-[0-9]",
        secret in "[A-Za-z0-9/+=]{1,40}",
    ) {
        let text = format!("[profile p]\nregion = {region}\naws_secret_access_key = {secret}\n");
        prop_assert_eq!(get(&text, "profile p", "region"), Some(region));
        prop_assert_eq!(get(&text, "profile p", "aws_secret_access_key"), Some(secret));
    }

    #[test]
    fn a_quoted_name_is_the_profile_of_that_name(name in r#"[a-z"'\\ #;.]{0,9}"#) {
        let quoted = name.replace('\\', r"\\").replace('"', "\\\"");
        let sections = parse(&format!("[profile \"{quoted}\"]\nk = v\n")).unwrap();
        let file = ProfileFile::of_config(PathBuf::new(), sections);
        prop_assert!(file.profile(&name).is_some(), "{file:?}");
    }
}
