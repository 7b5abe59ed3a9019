//! Checks the words of the repository: comments, strings, documentation, file names and identifiers.
//!
//! - Forbidden words, with what to say instead: `tests/wording/words.txt`.
//! - Allowed uses, each with its reason: `tests/wording/exceptions.txt`.
//! - A doc comment begins with a verb or a noun phrase, not with a question word.
//! - No two types at module level in `src` have the same name.
//! - The name of a test function has at most eight words, and begins with its subject.
//!
//! `WORDING_ONLY=src/aws cargo test --test wording` lists only the findings in paths that begin with `src/aws`, and
//! all of them; without it the list ends after 400 lines. Unused exceptions are reported only without it.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

#[path = "wording/items.rs"]
mod items;
#[path = "wording/lexer.rs"]
mod lexer;
#[path = "wording/rules.rs"]
mod rules;
#[path = "wording/text.rs"]
mod text;

use items::{Item, Items};
use rules::{Exception, Rules};
use text::Segment;

/// Lines of the list of findings.
const MAX_LINES: usize = 400;
/// Words in the name of a test function.
const MAX_TEST_WORDS: usize = 8;
/// Names of other files to check.
const EXTRA: [&str; 4] = [
    "report.schema.json",
    "cases.json",
    ".gitattributes",
    "Containerfile",
];
/// Words that do not begin a doc comment.
const DOC_STARTS: [&str; 6] = ["what", "whether", "how", "where", "who", "those"];
/// Words that do not begin the name of a test function.
const TEST_STARTS: [&str; 8] = ["a", "an", "the", "what", "who", "where", "whether", "those"];

/// A rule broken, with its place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    line: usize,
    found: String,
    advice: String,
}

/// The check of one or more files, with its findings.
struct Check<'a> {
    rules: &'a Rules,
    exceptions: &'a [Exception],
    findings: Vec<Finding>,
    /// The types at module level in `src`, with their files.
    types: Vec<(String, Item)>,
    /// Files and folders whose names are checked.
    paths: BTreeSet<String>,
    /// Files that only tests compile.
    test_files: BTreeSet<String>,
}

#[test]
fn repository_follows_the_wording_rules() {
    let root = root();
    let rules = Rules::parse(&read(&root.join("tests/wording/words.txt"))).unwrap();
    let exceptions = Exception::parse(&read(&root.join("tests/wording/exceptions.txt"))).unwrap();
    let mut check = Check::new(&rules, &exceptions);
    let files = files(&root);
    for file in &files {
        let source = read(&root.join(file));
        check.file(file, &source);
    }
    let only = env::var("WORDING_ONLY").unwrap_or_default();
    let mut findings = check.finish();
    findings.retain(|f| f.file.starts_with(&only));
    let unused = exceptions
        .iter()
        .filter(|e| only.is_empty() && !e.is_used.get());
    let unused: Vec<_> = unused.map(Exception::describe).collect();
    let limit = if only.is_empty() {
        MAX_LINES
    } else {
        usize::MAX
    };
    assert!(
        files.len() > 100,
        "only {} files found in {}",
        files.len(),
        root.display()
    );
    assert!(
        findings.is_empty() && unused.is_empty(),
        "{}",
        report(&findings, &unused, limit)
    );
}

/// The repository's root: the package of the test, or the current directory when cargo does not run it.
fn root() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env::current_dir().unwrap(), PathBuf::from)
}

fn read(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Lists the repository's files, without build output and the fuzzers' inputs.
fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, files: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let last = path.file_name().unwrap().to_str().unwrap();
            let is_hidden = last.starts_with('.') && ![".ci", ".github"].contains(&last);
            let is_output = last.starts_with("target") || last == "__pycache__";
            let is_fuzz_input =
                ["fuzz/corpus", "fuzz/artifacts", "fuzz/coverage"].contains(&name.as_str());
            if !path.is_dir() {
                files.push(name);
            } else if !(is_hidden || is_output || is_fuzz_input) {
                walk(root, &path, files);
            }
        }
    }
    let mut files = Vec::new();
    walk(root, root, &mut files);
    files.sort();
    files
}

fn report(findings: &[Finding], unused: &[String], limit: usize) -> String {
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        *words
            .entry(finding.advice.split(": ").next().unwrap_or_default())
            .or_default() += 1;
    }
    let words: Vec<_> = words
        .iter()
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let list = findings
        .iter()
        .map(|f| format!("{}:{}: {} ({})", f.file, f.line, f.advice, f.found));
    let list: Vec<_> = unused.iter().cloned().chain(list).take(limit).collect();
    let total = findings.len() + unused.len();
    format!(
        "{total} findings, {} shown (tests/wording/words.txt; WORDING_ONLY=path shows all of a path):\n{}\n{total} findings: {}\n",
        list.len(),
        list.join("\n"),
        words.join(", ")
    )
}

impl<'a> Check<'a> {
    fn new(rules: &'a Rules, exceptions: &'a [Exception]) -> Check<'a> {
        Check {
            rules,
            exceptions,
            findings: Vec::new(),
            types: Vec::new(),
            paths: BTreeSet::new(),
            test_files: BTreeSet::new(),
        }
    }

    /// Checks the path and the text of one file, by its type.
    fn file(&mut self, path: &str, source: &str) {
        let name = path.rsplit('/').next().unwrap_or_default();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let shebang = source
            .lines()
            .next()
            .filter(|l| l.starts_with("#!"))
            .unwrap_or_default();
        self.path(path);
        let is_text = match extension {
            // The table of old and new message texts.
            "tsv" if path.starts_with("tests/expected_texts/") => false,
            "md" | "toml" | "tsv" | "sh" | "pl" | "yml" | "yaml" | "gitignore" => true,
            _ => name.starts_with("expected") || EXTRA.contains(&name) || !shebang.is_empty(),
        };
        if extension == "rs" {
            self.rust(path, source);
        } else if extension == "py" || shebang.contains("python") {
            self.segments(path, &text::segments(&lexer::python(source)));
        } else if is_text {
            self.segments(path, &[text::whole(source)]);
        }
    }

    /// Checks the file name of a path, and the names of its folders when they are new.
    fn path(&mut self, path: &str) {
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            if self.paths.insert(path[..end].to_owned()) {
                let name = path[..end].rsplit('/').next().unwrap_or_default();
                self.words(path, &Segment::new("path", [(1, name)]));
            }
        }
    }

    fn rust(&mut self, path: &str, source: &str) {
        let tokens = lexer::rust(source);
        let segments = text::segments(&tokens);
        self.segments(path, &segments);
        for segment in segments.iter().filter(|s| s.kind == "doc comment") {
            self.doc_start(path, segment);
        }
        let Items {
            types,
            tests,
            test_modules,
        } = items::items(&tokens);
        for test in &tests {
            self.test_name(path, test);
        }
        let folder = path
            .trim_end_matches("/mod.rs")
            .trim_end_matches("/lib.rs")
            .trim_end_matches(".rs");
        for module in test_modules {
            self.test_files
                .extend(["", "/mod"].map(|end| format!("{folder}/{module}{end}.rs")));
        }
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        if path.starts_with("src/") && !is_test {
            self.types
                .extend(types.into_iter().map(|item| (path.to_owned(), item)));
        }
    }

    /// Checks the words of each segment; an identifier is reported once per file.
    fn segments(&mut self, path: &str, segments: &[Segment]) {
        let mut seen = BTreeSet::new();
        for segment in segments {
            if segment.kind != "identifier" || seen.insert(&segment.text) {
                self.words(path, segment);
            }
        }
    }

    fn words(&mut self, path: &str, segment: &Segment) {
        let rules = self.rules;
        for found in rules.find(segment) {
            let (start, end) = (
                segment.words[found.first].start,
                segment.words[found.last].end,
            );
            let advice = format!(
                "\"{}\": say {}",
                found.rule.phrase.join(" "),
                found.rule.say
            );
            self.add(path, segment, start, end, advice);
        }
    }

    fn doc_start(&mut self, path: &str, segment: &Segment) {
        let Some(first) = segment.words.first() else {
            return;
        };
        if DOC_STARTS.contains(&first.lower.as_str()) && first.whole {
            let advice = format!(
                "doc comment begins with \"{}\": begin with a verb or a noun phrase",
                &segment.text[first.start..first.end]
            );
            self.add(path, segment, first.start, first.end, advice);
        }
    }

    fn test_name(&mut self, path: &str, test: &Item) {
        let words: Vec<_> = test.name.split('_').collect();
        let segment = Segment::new("test", [(test.line, test.name.as_str())]);
        if words.len() > MAX_TEST_WORDS {
            let advice = format!(
                "test name too long: {} words, at most {MAX_TEST_WORDS}",
                words.len()
            );
            self.add(path, &segment, 0, test.name.len(), advice);
        }
        if TEST_STARTS.contains(&words[0]) {
            let advice = format!(
                "test name begins with \"{}\": begin with the subject",
                words[0]
            );
            self.add(path, &segment, 0, words[0].len(), advice);
        }
    }

    /// Compares the types of all files, once the files that only tests compile are known.
    fn finish(mut self) -> Vec<Finding> {
        let mut first: BTreeMap<String, String> = BTreeMap::new();
        for (path, item) in std::mem::take(&mut self.types) {
            if self.test_files.contains(&path) {
                continue;
            }
            if let Some(other) = first.get(&item.name) {
                let advice = format!("type name used twice: rename one, the other is at {other}");
                let segment = Segment::new("type", [(item.line, item.name.as_str())]);
                self.add(&path, &segment, 0, item.name.len(), advice);
            } else {
                first.insert(item.name, format!("{path}:{}", item.line));
            }
        }
        self.findings.sort();
        self.findings
    }

    /// Adds a finding, if no exception allows it.
    fn add(&mut self, path: &str, segment: &Segment, start: usize, end: usize, advice: String) {
        let allowed = self
            .exceptions
            .iter()
            .filter(|e| e.allows(path, segment, start, end))
            .count();
        if allowed == 0 {
            let found = format!("{}: {}", segment.kind, excerpt(&segment.text, start, end));
            let line = segment.line(start);
            self.findings.push(Finding {
                file: path.to_owned(),
                line,
                found,
                advice,
            });
        }
    }
}

/// The text from 30 characters before `start` to 30 after `end`.
fn excerpt(text: &str, start: usize, end: usize) -> &str {
    let from = text[..start]
        .char_indices()
        .rev()
        .take(30)
        .last()
        .map_or(start, |(i, _)| i);
    let to = text[end..]
        .char_indices()
        .nth(30)
        .map_or(text.len(), |(i, _)| end + i);
    &text[from..to]
}

mod own_tests {
    use super::{Check, Exception, Rules};
    use crate::{items, lexer, rules, text};

    const LIST: &str = "zorp, zorps | plain | everywhere |\n\
                        is zilch | empty | text | it is zilch today\n\
                        at the zenith | at most | everywhere |";

    /// Checks one file with the rules of [`LIST`]; lists line and advice of each finding.
    fn check(path: &str, source: &str) -> Vec<String> {
        check_with(LIST, "", path, source)
    }

    fn check_with(list: &str, exceptions: &str, path: &str, source: &str) -> Vec<String> {
        let rules = Rules::parse(list).unwrap();
        let exceptions = Exception::parse(exceptions).unwrap();
        let mut check = Check::new(&rules, &exceptions);
        check.file(path, source);
        check
            .finish()
            .iter()
            .map(|f| format!("{} {}", f.line, f.advice))
            .collect()
    }

    fn kinds(tokens: &[lexer::Token]) -> Vec<(lexer::Kind, &str)> {
        tokens.iter().map(|t| (t.kind, t.text.as_str())).collect()
    }

    #[test]
    fn rust_strings_and_comments_are_separated() {
        use lexer::Kind::{Comment, Doc, Ident, Punct, Str};
        let source = r##"/// d
            /* a /* b */ c */ "x\"\n\u{41}y" r#"raw "q" \n"# b"bytes" c"c" //! inner"##;
        let expected = [
            (Doc, " d"),
            (Comment, "a /* b  c "),
            (Str, "x\"  y"),
            (Str, "raw \"q\" \\n"),
            (Str, "bytes"),
            (Str, "c"),
            (Doc, " inner"),
        ];
        assert_eq!(kinds(&lexer::rust(source)), expected);
        let source =
            "fn f<'a>(c: &'a str) { ('\"', '\\'', b'x', 1_u8, r#type, '\\u{1F600}') } //// no doc";
        let tokens = lexer::rust(source);
        let names: Vec<_> = kinds(&tokens)
            .into_iter()
            .filter(|(k, _)| *k != Punct)
            .collect();
        let expected = [
            (Ident, "fn"),
            (Ident, "f"),
            (Ident, "c"),
            (Ident, "str"),
            (Ident, "type"),
            (Comment, " no doc"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn unfinished_rust_does_not_panic() {
        for source in [
            "\"", "r#\"a", "'", "'\\", "/*", "/* /*", "b'", "\"\\", "\"\\u{", "r#", "#[", "é'é",
        ] {
            items::items(&lexer::rust(source));
            text::segments(&lexer::rust(source));
            lexer::python(source);
        }
    }

    #[test]
    fn python_strings_and_comments_are_separated() {
        use lexer::Kind::{Comment, Ident, Str};
        let source = "x = f'a\\'b' # c\ny = \"\"\"d\n\"e\" \"\"\" rb'\\n'";
        let tokens = lexer::python(source);
        let found: Vec<_> = kinds(&tokens)
            .into_iter()
            .filter(|(_, t)| *t != "=")
            .collect();
        let expected = [
            (Ident, "x"),
            (Str, "a'b"),
            (Comment, " c"),
            (Ident, "y"),
            (Str, "d\n\"e\" "),
            (Str, "\\n"),
        ];
        assert_eq!(found, expected);
        assert_eq!(tokens.last().unwrap().line, 3);
    }

    #[test]
    fn identifiers_are_split_into_words() {
        let split = |name| -> Vec<_> {
            text::identifier_parts(name)
                .into_iter()
                .map(|(_, p)| p)
                .collect()
        };
        assert_eq!(split("HTTPCase_two__x"), ["HTTP", "Case", "two", "x"]);
        assert_eq!(split("_MAX_NUMBER2"), ["MAX", "NUMBER2"]);
        assert_eq!(split("GetAccountID"), ["Get", "Account", "ID"]);
        assert!(split("__").is_empty());
    }

    #[test]
    fn planted_word_of_each_kind_is_found() {
        let zorp = "\"zorp\": say plain";
        let cases = [
            ("src/a.rs", "\n// A Zorp.", 2),
            ("src/a.rs", "\n/// A zorp.\nfn f() {}", 2),
            ("src/a.rs", "//! A\n//! zorp.", 2),
            ("src/a.rs", "/* a\n * zorp */", 2),
            ("src/a.rs", "f(\"a\nzorp\");", 2),
            ("src/a.rs", "f(r#\"a zorp\"#, '\"');", 1),
            ("src/a.rs", "fn read_zorp() {}", 1),
            ("src/a.rs", "struct ZorpReader;", 1),
            ("src/a.rs", "// `read_zorp`", 1),
            ("tests/a.py", "x = 1\n# zorp", 2),
            ("tests/a.py", "read_zorp('x')", 1),
            ("tests/a.py", "f('''x\n zorp''')", 2),
            ("tests/run", "#!/bin/sh\nprintf 'x\\nzorp'", 2),
            ("a.sh", "# zorp", 1),
            ("README.md", "# A\n\n```\nzorp\n```", 4),
            ("Cargo.toml", "# zorp", 1),
            ("fixtures/x/expected.json", "{\"a\":\"b\\nzorp\"}", 1),
            ("fixtures/a_zorp/env.json", "", 1),
        ];
        for (path, source, line) in cases {
            assert_eq!(
                check(path, source),
                [format!("{line} {zorp}")],
                "{path}: {source}"
            );
        }
    }

    #[test]
    fn allowed_words_are_not_found() {
        let cases = [
            (
                "src/a.rs",
                "// zorpy, azorp, is_zilch, `is` zilch, is, zilch",
            ),
            ("src/a.rs", "fn is_zilch(z: &'zorp str) {}"),
            ("src/a.rs", "// it is\n// zilch today"),
            ("fixtures/x/env.json", "zorp"),
            ("tests/wording/words.txt", "zorp"),
        ];
        for (path, source) in cases {
            assert!(check(path, source).is_empty(), "{path}: {source}");
        }
    }

    #[test]
    fn phrases_match_across_lines() {
        let is_zilch = "\"is zilch\": say empty";
        assert_eq!(
            check("a.rs", "// One\n// is\n//   Zilch."),
            [format!("2 {is_zilch}")]
        );
        assert_eq!(
            check("a.rs", "/// One is\n///\n/// zilch."),
            [format!("1 {is_zilch}")]
        );
        assert_eq!(
            check("a.md", "One *is*\n> zilch."),
            [format!("1 {is_zilch}")]
        );
        assert_eq!(
            check("a.py", "# One is\n# zilch."),
            [format!("1 {is_zilch}")]
        );
        assert_eq!(
            check("a.rs", "f(\"One is \\\n  zilch.\");"),
            [format!("1 {is_zilch}")]
        );
        assert_eq!(check("a.rs", "fn at_the_zenith() {}").len(), 1);
        assert!(check("a.rs", "// One is\nf();\n// zilch.").is_empty());
    }

    #[test]
    fn each_word_of_the_list_is_found() {
        let list = super::read(&super::root().join("tests/wording/words.txt"));
        let rules = Rules::parse(&list).unwrap();
        for rule in rules.iter() {
            let (phrase, name) = (rule.phrase.join(" "), rule.phrase.join("_"));
            let planted = [format!("// So {phrase}."), format!("f(\"so {phrase}.\");")];
            let named = Some(format!("fn x_{name}_y() {{}}")).filter(|_| rule.is_everywhere());
            for source in planted.into_iter().chain(named) {
                assert!(
                    !check_with(&list, "", "src/a.rs", &source).is_empty(),
                    "{source}"
                );
            }
        }
    }

    #[test]
    fn question_words_do_not_begin_docs() {
        for word in super::DOC_STARTS {
            assert_eq!(
                check("a.rs", &format!("x\n/// {word} it is.\n/// More.")).len(),
                1
            );
            assert_eq!(
                check("a.rs", &format!("//! {} it is.", word.to_uppercase())).len(),
                1
            );
            assert!(check("a.rs", &format!("/// Says\n/// {word} it is.\n// {word}")).is_empty());
        }
    }

    #[test]
    fn test_names_are_short_subjects() {
        let name = |name: &str| check("a.rs", &format!("#[test]\nfn {name}() {{}}"));
        assert_eq!(
            name("a_page"),
            ["2 test name begins with \"a\": begin with the subject"]
        );
        assert_eq!(
            name("one_two_three_four_five_six_seven_eight_nine").len(),
            1
        );
        assert!(name("one_two_three_four_five_six_seven_eight").is_empty());
        assert!(check("a.rs", "fn a_page() {}").is_empty());
    }

    #[test]
    fn repeated_type_names_are_found() {
        let types = |source: &str| check("src/a.rs", source).len();
        assert_eq!(types("struct A; pub(crate) enum A {}"), 1);
        assert_eq!(types("mod a { type A = u8; } mod b { trait A {} }"), 1);
        assert_eq!(
            types("#[derive(Debug)] struct A { b: u8 } union A { b: u8 }"),
            1
        );
        assert_eq!(types("struct A; fn f() { struct A; }"), 0);
        assert_eq!(
            types("struct A; #[cfg(test)] mod tests { struct A; mod b { struct A; } }"),
            0
        );
        assert_eq!(
            types("trait T { type A; } impl T for B { type A = u8; } struct A;"),
            0
        );
        assert_eq!(types("struct A; const X: [u8; 1] = [{ struct A; 1 }];"), 0);
        assert_eq!(
            types("struct A; fn f(x: impl Into<A>) -> impl Into<A> { enum A {} }"),
            0
        );
        assert_eq!(types("#[cfg(test)] struct A; struct A;"), 0);
    }

    #[test]
    fn module_for_tests_may_repeat_type_names() {
        let rules = Rules::parse(LIST).unwrap();
        let mut check = Check::new(&rules, &[]);
        for path in ["src/a/fake.rs", "src/b/tests.rs", "tests/c.rs"] {
            check.file(path, "struct A;");
        }
        check.file("src/a/mod.rs", "#[cfg(test)] mod fake; struct A;");
        check.file("src/b/other.rs", "\nstruct A;");
        let findings = check.finish();
        let advice = "type name used twice: rename one, the other is at src/a/mod.rs:1";
        assert_eq!(findings[0].advice, advice);
        assert_eq!((findings[0].line, findings.len()), (2, 1));
    }

    #[test]
    fn exceptions_allow_only_their_text() {
        let count =
            |exceptions: &str, source: &str| check_with(LIST, exceptions, "src/a.rs", source).len();
        let two = "// a zorp of one\n// kind and a zorp of another";
        assert_eq!(count("src/*.rs | a zorp of one kind | quoted", two), 1);
        assert_eq!(count("tests/* | a zorp of one kind | quoted", two), 2);
        let name = "fn zorp() {} // zorp, `zorp`, `zorp_two`";
        assert_eq!(count("src/a.rs | zorp | the name of a field", name), 2);
        assert_eq!(
            count("src/a.rs | Who goes | a quote", "/// Who goes there"),
            0
        );
        assert_eq!(
            count("src/a.rs | A | a name of AWS", "struct A; struct A;"),
            0
        );
    }

    #[test]
    fn exception_without_use_or_reason_is_refused() {
        assert!(Exception::parse("src/a.rs | zorp | ").is_err());
        assert!(Exception::parse("src/a.rs | zorp").is_err());
        let exceptions = Exception::parse("# comment\n\nsrc/a.rs | zorp | a reason").unwrap();
        let rules = Rules::parse(LIST).unwrap();
        let mut check = Check::new(&rules, &exceptions);
        check.file("src/b.rs", "fn zorp() {}");
        assert!(!exceptions[0].is_used.get());
        assert!(
            exceptions[0]
                .describe()
                .starts_with("exceptions.txt:3: matches nothing")
        );
        check.file("src/a.rs", "fn zorp() {}");
        assert!(exceptions[0].is_used.get());
    }

    #[test]
    fn file_patterns_match_whole_paths() {
        assert!(rules::is_match(
            "fixtures/*/expected*",
            "fixtures/a/expected.csv"
        ));
        assert!(rules::is_match("*.md", "README.md"));
        assert!(!rules::is_match("src/a", "src/a.rs"));
        assert!(!rules::is_match("*.md", "README.md.txt"));
    }

    #[test]
    fn report_names_place_word_and_replacement() {
        let rules = Rules::parse(LIST).unwrap();
        let mut check = Check::new(&rules, &[]);
        check.file("README.md", "One\nzorp here.\nTwo zorps.");
        let report = super::report(&check.finish(), &["unused".to_owned()], 2);
        assert!(
            report.contains("README.md:2: \"zorp\": say plain (text: One zorp here. Two zorps.)")
        );
        assert!(report.contains("3 findings, 2 shown"), "{report}");
        assert!(!report.contains("README.md:3"));
    }
}
