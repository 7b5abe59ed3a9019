//! Checks the structure that `src/lib.rs` documents, by reading the sources.
//!
//! - A module imports only from lower layers, or from files of its own.
//! - No file imports, directly or through others, a file that imports it: also not a directory's `mod.rs` and its
//!   files. `mod.rs` and `lib.rs` only declare and re-export.
//! - Each third-party crate for input or output is named in one file, or in the listed ones.
//! - No function has more than 60 lines of code except tables, no file more than 300.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of the modules.
const LAYERS: [(&str, u8); 32] = [
    ("main", 14),
    ("cli", 13),
    ("commands", 12),
    ("preflight", 11),
    ("scan", 11),
    ("console", 11),
    ("output", 11),
    ("accounts", 8),
    ("session", 10),
    ("advice", 9),
    ("runtime", 9),
    ("options", 7),
    ("coverage", 7),
    ("inventory", 6),
    ("aws", 5),
    ("recording", 4),
    ("http", 3),
    ("error_file", 4),
    ("error_log", 3),
    ("atomic_file", 2),
    ("run_lock", 2),
    ("clock", 2),
    ("env", 2),
    ("interrupt", 1),
    ("model", 2),
    ("redact", 1),
    ("untrusted", 2),
    ("process_tree", 0),
    ("secret", 0),
    ("sync", 0),
    ("text", 0),
    ("workers", 0),
];

/// The files that may name a crate for input or output.
const CRATES: [(&str, &[&str]); 12] = [
    (
        "ureq",
        &[
            "http/connections.rs",
            "http/proxy_connector.rs",
            "http/resolver.rs",
            "http/settings.rs",
            "http/tcp.rs",
            "http/time_left.rs",
            "http/tls.rs",
            "http/transport_error.rs",
            "http/ureq_client.rs",
        ],
    ),
    (
        "rustls",
        &[
            "http/ca_bundle.rs",
            "http/signatures.rs",
            "http/tls.rs",
            "http/tls_error.rs",
            "http/verifier.rs",
        ],
    ),
    ("rayon", &["workers.rs"]),
    ("aws_sigv4", &["aws/sign.rs"]),
    (
        "quick_xml",
        &["aws/protocol/query.rs", "recording/credentials.rs"],
    ),
    ("tempfile", &["atomic_file.rs"]),
    ("csv", &["cli/account_list.rs", "output/csv.rs"]),
    (
        "clap",
        &[
            "cli/account_args.rs",
            "cli/accounts.rs",
            "cli/command.rs",
            "cli/completions.rs",
            "cli/format.rs",
            "cli/iam_policy.rs",
            "cli/man.rs",
            "cli/path.rs",
            "cli/scan_args.rs",
        ],
    ),
    ("signal_hook", &["interrupt.rs"]),
    (
        "rustix",
        &[
            "atomic_file/destination.rs",
            "env/command.rs",
            "env/read.rs",
            "http/race.rs",
            "process_tree.rs",
            "run_lock.rs",
        ],
    ),
    ("fastrand", &["runtime.rs"]),
    ("terminal_size", &["main.rs"]),
];

fn source_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Returns the source files by their path below `src`, without tests and comments.
fn sources() -> BTreeMap<String, String> {
    fn walk(dir: &Path, into: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(source_dir()).unwrap();
                into.insert(name.to_str().unwrap().to_owned(), code(&path));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&source_dir(), &mut found);
    for file in test_files(&found) {
        found.remove(&file);
    }
    for code in found.values_mut() {
        let end = code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len());
        code.truncate(end);
    }
    assert!(found.len() > 100, "the sources are found");
    found
}

/// Returns the code of a file without blank lines and comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Returns the files of modules that are declared under `#[cfg(test)]`.
fn test_files(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut files = Vec::new();
    for (file, code) in sources {
        let mut lines = code.lines();
        while let Some(line) = lines.next() {
            let declared = (line == "#[cfg(test)]").then(|| lines.next()).flatten();
            let name = declared.and_then(|l| l.strip_suffix(';')?.split("mod ").nth(1));
            files.extend(name.map(|name| format!("{}{name}.rs", children_dir(file))));
        }
    }
    files
}

/// Returns the directory of a file's submodules, with a slash at the end.
fn children_dir(file: &str) -> String {
    let stem = file.strip_suffix(".rs").unwrap();
    match stem.rsplit_once('/') {
        _ if stem == "lib" || stem == "main" => String::new(),
        Some((dir, "mod")) => format!("{dir}/"),
        _ => format!("{stem}/"),
    }
}

/// Returns the module of a file: `aws` for `aws/client.rs`.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

fn layer(module: &str) -> Option<u8> {
    LAYERS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, layer)| *layer)
}

/// Returns the paths that `code` names, from the crate's root: in `use` declarations and elsewhere.
fn paths(file: &str, code: &str) -> BTreeSet<Vec<String>> {
    let own: Vec<String> = children_dir(file)
        .split_terminator('/')
        .map(str::to_owned)
        .collect();
    let parent = &own[..own.len().saturating_sub(1)];
    let mut found = BTreeSet::new();
    for (start, root) in [
        ("crate::", &[][..]),
        ("aws_config_resource_count::", &[]),
        ("super::super::", &parent[..parent.len().saturating_sub(1)]),
        ("super::", parent),
        ("self::", &own[..]),
    ] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            let is_path = !before.is_alphanumeric() && before != '_' && before != ':';
            if is_path && !(start == "super::" && code[at..].starts_with("super::super::")) {
                let rest = &code[at + start.len()..];
                expand(rest, root, &mut found);
            }
        }
    }
    // `mod.rs` re-exports its files by `pub use file::Item`.
    for line in code.lines().filter_map(|l| l.strip_prefix("pub use ")) {
        expand(line, &own, &mut found);
    }
    found
}

/// Adds the path at the start of `text`, each element of a list on its own.
fn expand(text: &str, root: &[String], into: &mut BTreeSet<Vec<String>>) {
    let mut path = root.to_vec();
    let mut rest = text;
    loop {
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if length > 0 {
            path.push(rest[..length].to_owned());
        }
        rest = &rest[length..];
        match rest.strip_prefix("::") {
            Some(next) => rest = next,
            None => break,
        }
    }
    let Some(list) = rest.strip_prefix('{') else {
        into.insert(path);
        return;
    };
    let mut depth = 0;
    let mut start = 0;
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                expand(list[start..at].trim(), &path, into);
                start = at + 1;
                if c == '}' {
                    return;
                }
            }
            _ => {}
        }
    }
}

/// Returns the file that a path is in: the longest part of it that is one.
fn file_of(path: &[String], sources: &BTreeMap<String, String>) -> Option<String> {
    (1..=path.len()).rev().find_map(|length| {
        let stem = path[..length].join("/");
        [format!("{stem}.rs"), format!("{stem}/mod.rs")]
            .into_iter()
            .find(|file| sources.contains_key(file))
    })
}

/// Returns the imported files of every file except the crate's root.
fn graph(sources: &BTreeMap<String, String>) -> BTreeMap<&str, BTreeSet<String>> {
    let files = sources.iter().filter(|(file, _)| *file != "lib.rs");
    files
        .map(|(file, code)| {
            let imported = paths(file, code).into_iter();
            let imported = imported.filter_map(|path| file_of(&path, sources));
            let others = imported.filter(|other| other != file && other != "lib.rs");
            (file.as_str(), others.collect())
        })
        .collect()
}

#[test]
fn modules_import_only_from_lower_layers() {
    let sources = sources();
    let mut wrong = Vec::new();
    for (file, imports) in graph(&sources) {
        let own = module(file);
        for import in imports.iter().map(|import| module(import)) {
            if import != own && layer(import) >= layer(own) {
                wrong.push(format!("{file} imports {import}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other() {
    let sources = sources();
    let mut graph = graph(&sources);
    // Removes the files that import no remaining file, until none is left.
    while !graph.is_empty() {
        let has_none =
            |imports: &BTreeSet<String>| !imports.iter().any(|i| graph.contains_key(i.as_str()));
        let free: Vec<&str> = graph
            .iter()
            .filter(|(_, i)| has_none(i))
            .map(|(file, _)| *file)
            .collect();
        if free.is_empty() {
            let circle: Vec<String> = graph
                .iter()
                .map(|(file, imports)| {
                    let left = imports.iter().filter(|i| graph.contains_key(i.as_str()));
                    format!("{file} -> {:?}", left.collect::<Vec<_>>())
                })
                .collect();
            panic!("import circles: {circle:#?}");
        }
        for file in free {
            graph.remove(file);
        }
    }
}

#[test]
fn mod_files_only_declare_and_reexport() {
    for (file, code) in sources() {
        if file == "lib.rs" || file.ends_with("/mod.rs") {
            for line in code.lines().filter(|l| !l.starts_with([' ', '}', '#'])) {
                let line = line
                    .strip_prefix("pub(crate) ")
                    .or(line.strip_prefix("pub "))
                    .unwrap_or(line);
                assert!(
                    line.starts_with("mod ") || line.starts_with("use "),
                    "{file}: {line}"
                );
            }
        }
    }
}

#[test]
fn each_io_crate_is_named_in_its_files() {
    let sources = sources();
    for (name, expected) in CRATES {
        let files: Vec<&str> = sources
            .iter()
            .filter(|(file, code)| names_crate(code, name) && !is_own_module(file, name))
            .map(|(file, _)| file.as_str())
            .collect();
        assert_eq!(files, expected, "{name}");
    }
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back().unwrap_or(' ');
        let after = &code[at + name.len()..];
        !before.is_alphanumeric() && before != '_' && after.starts_with("::")
    })
}

/// `output/mod.rs` names the module `csv`, not the crate.
fn is_own_module(file: &str, name: &str) -> bool {
    (file, name) == ("output/mod.rs", "csv")
}

#[test]
fn functions_and_files_are_short() {
    for (file, code) in sources() {
        assert!(
            code.lines().count() <= 300,
            "{file} has more than 300 lines of code"
        );
        let lines: Vec<&str> = code.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_function = line.contains("fn ") && line.contains('(') && !line.contains('"');
            if is_function {
                let end = format!("{indent}}}");
                let length = lines[start..].iter().position(|l| **l == end).unwrap_or(0);
                assert!(length < 60, "{file}: {} has {length} lines", line.trim());
            }
        }
    }
}

#[test]
fn front_page_lists_modules_in_their_layer() {
    let front_page = fs::read_to_string(source_dir().join("lib.rs")).unwrap();
    for (name, layer) in LAYERS {
        let row = front_page.lines().find(|line| {
            let is_named = [format!("[`{name}`]"), format!("`{name}.rs`")];
            line.starts_with(&format!("//! | {layer} |"))
                && is_named.iter().any(|n| line.contains(n.as_str()))
        });
        assert!(row.is_some(), "{name} in layer {layer}");
    }
}

#[test]
fn every_module_has_a_layer() {
    for file in sources().keys().filter(|file| *file != "lib.rs") {
        let module = module(file);
        assert!(layer(module).is_some(), "{module} has no layer");
    }
}
