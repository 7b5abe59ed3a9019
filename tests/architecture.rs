//! Checks the module structure that `src/lib.rs` documents, by reading the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers: a module imports only from its own layer or a lower one.
const LAYERS: [(&str, u8); 24] = [
    ("main", 4),
    ("cli", 4),
    ("app", 3),
    ("preflight", 3),
    ("options", 3),
    ("runtime", 3),
    ("console", 3),
    ("output", 3),
    ("iam_policy", 3),
    ("scan", 2),
    ("advice", 2),
    ("coverage", 2),
    ("inventory", 2),
    ("error_log", 2),
    ("aws", 1),
    ("http", 0),
    ("clock", 0),
    ("env", 0),
    ("interrupt", 0),
    ("atomic_file", 0),
    ("model", 0),
    ("sync", 0),
    ("text", 0),
    ("untrusted", 0),
];

/// The only file that uses each of these crates.
const CRATES: [(&str, &str); 9] = [
    ("ureq", "http/agent.rs"),
    ("rayon", "scan/pool.rs"),
    ("aws_sigv4", "aws/sign.rs"),
    ("quick_xml", "aws/protocol/query.rs"),
    ("tempfile", "atomic_file.rs"),
    ("csv", "output/csv.rs"),
    ("clap", "cli.rs"),
    ("signal_hook", "interrupt.rs"),
    ("fastrand", "runtime.rs"),
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
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let name = path.strip_prefix(source_dir()).unwrap();
                into.insert(name.to_str().unwrap().to_owned(), code(&path));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&source_dir(), &mut found);
    found
}

fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the top-level module of a file: `aws` for `aws/client.rs`.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// Returns the modules of the crate that `code` uses, in `use` lines and in paths.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for start in ["crate::", "aws_config_resource_count::"] {
        for (at, _) in code.match_indices(start) {
            let rest = &code[at + start.len()..];
            let name: String = rest
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            assert!(
                !name.is_empty(),
                "use one `use crate::` line per module, not a list: {rest:.40}"
            );
            found.insert(name);
        }
    }
    found
}

fn layer(module: &str) -> u8 {
    let found = LAYERS.iter().find(|(name, _)| *name == module);
    found.unwrap_or_else(|| panic!("`{module}` has no layer")).1
}

#[test]
fn modules_import_from_same_or_lower_layer() {
    let sources = sources();
    assert!(sources.len() > 30, "too few source files found");
    for (file, code) in &sources {
        if file == "lib.rs" {
            continue;
        }
        for import in imports(code) {
            let own = module(file);
            assert!(
                import == own || layer(&import) <= layer(own),
                "{file} (layer {}) imports {import} (layer {})",
                layer(own),
                layer(&import)
            );
        }
    }
}

#[test]
fn modules_have_no_circular_imports() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in sources().iter().filter(|(file, _)| *file != "lib.rs") {
        let own = module(file).to_owned();
        let others = imports(code).into_iter().filter(|import| *import != own);
        graph.entry(own.clone()).or_default().extend(others);
    }
    // Repeatedly removes the modules that import no remaining module.
    while !graph.is_empty() {
        let free: Vec<String> = graph
            .iter()
            .filter(|(_, imports)| imports.iter().all(|i| !graph.contains_key(i)))
            .map(|(module, _)| module.clone())
            .collect();
        assert!(
            !free.is_empty(),
            "circular imports among {:?}",
            graph.keys()
        );
        for module in free {
            graph.remove(&module);
        }
    }
}

#[test]
fn aws_and_http_have_no_forbidden_imports() {
    for (file, code) in sources() {
        let imports = imports(&code);
        let forbidden: &[&str] = match module(&file) {
            "aws" => &["scan", "error_log", "console"],
            "http" => &["aws"],
            _ => &[],
        };
        for name in forbidden {
            assert!(!imports.contains(*name), "{file} imports {name}");
        }
    }
}

#[test]
fn restricted_crates_are_used_in_one_file() {
    let uses = |code: &str, name: &str| {
        code.match_indices(name).any(|(at, _)| {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            let after = &code[at + name.len()..];
            !before.is_alphanumeric() && before != '_' && after.starts_with("::")
        })
    };
    let sources = sources();
    for (name, only_file) in CRATES {
        let files: Vec<&String> = sources
            .iter()
            .filter(|(_, code)| uses(code, name))
            // In output/mod.rs, `csv::write_csv` is a function of the module `output::csv`.
            .filter(|(file, _)| !(name == "csv" && *file == "output/mod.rs"))
            .map(|(file, _)| file)
            .collect();
        assert_eq!(files, [only_file], "{name}");
    }
}

#[test]
fn front_page_lists_modules_in_their_layer() {
    let front = fs::read_to_string(source_dir().join("lib.rs")).unwrap();
    for (name, layer) in LAYERS {
        let row = front.lines().find(|line| {
            line.starts_with(&format!("//! | {layer} |"))
                && (line.contains(&format!("[`{name}`]")) || line.contains(&format!("`{name}.rs`")))
        });
        assert!(row.is_some(), "{name} is not listed in layer {layer}");
    }
}

#[test]
fn every_source_file_has_a_layer() {
    for file in sources().keys().filter(|file| *file != "lib.rs") {
        layer(module(file));
    }
}
