//! The house rules of `src/lib.rs`, held by reading the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The floors: a module imports from its own floor or from a lower one.
const FLOORS: [(&str, u8); 20] = [
    ("main", 4),
    ("cli", 4),
    ("app", 3),
    ("preflight", 3),
    ("config", 3),
    ("world", 3),
    ("console", 3),
    ("report", 3),
    ("iam_policy", 3),
    ("scan", 2),
    ("coverage", 2),
    ("count", 2),
    ("error_log", 2),
    ("export", 2),
    ("aws", 1),
    ("http", 0),
    ("clock", 0),
    ("env", 0),
    ("interrupt", 0),
    ("model", 0),
];

/// The one file that names a crate for input or output.
const CRATES: [(&str, &str); 9] = [
    ("ureq", "http/agent.rs"),
    ("rayon", "scan/pool.rs"),
    ("aws_sigv4", "aws/sign.rs"),
    ("quick_xml", "aws/protocol/query.rs"),
    ("tempfile", "export/atomic.rs"),
    ("csv", "export/csv.rs"),
    ("clap", "cli.rs"),
    ("signal_hook", "interrupt.rs"),
    ("fastrand", "world.rs"),
];

fn source_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file, by its path below `src`, without its tests and comments.
fn sources() -> BTreeMap<String, String> {
    fn walk(folder: &Path, into: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let name = path.strip_prefix(source_folder()).unwrap();
                into.insert(name.to_str().unwrap().to_owned(), code(&path));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&source_folder(), &mut found);
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

/// The module that a file belongs to: `aws/client.rs` belongs to `aws`.
fn module(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap()
}

/// The modules of the crate that `code` names, whether in a `use` line or in a path.
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
                "a `use crate::{{…}}` list hides its modules: {rest:.40}"
            );
            found.insert(name);
        }
    }
    found
}

fn floor(module: &str) -> u8 {
    let found = FLOORS.iter().find(|(name, _)| *name == module);
    found.unwrap_or_else(|| panic!("`{module}` has no floor")).1
}

#[test]
fn imports_point_downwards() {
    let sources = sources();
    assert!(sources.len() > 30, "the sources were found");
    for (file, code) in &sources {
        if file == "lib.rs" {
            continue;
        }
        for import in imports(code) {
            let own = module(file);
            assert!(
                import == own || floor(&import) <= floor(own),
                "{file} (floor {}) imports {import} (floor {})",
                floor(own),
                floor(&import)
            );
        }
    }
}

#[test]
fn there_are_no_circles() {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in sources().iter().filter(|(file, _)| *file != "lib.rs") {
        let own = module(file).to_owned();
        let others = imports(code).into_iter().filter(|import| *import != own);
        graph.entry(own.clone()).or_default().extend(others);
    }
    // Takes away what imports nothing that is left, until nothing is.
    while !graph.is_empty() {
        let free: Vec<String> = graph
            .iter()
            .filter(|(_, imports)| imports.iter().all(|i| !graph.contains_key(i)))
            .map(|(module, _)| module.clone())
            .collect();
        assert!(!free.is_empty(), "a circle among {:?}", graph.keys());
        for module in free {
            graph.remove(&module);
        }
    }
}

#[test]
fn aws_knows_nothing_of_the_scan_and_http_nothing_of_aws() {
    for (file, code) in sources() {
        let imports = imports(&code);
        let never: &[&str] = match module(&file) {
            "aws" => &["scan", "error_log", "console"],
            "http" => &["aws"],
            _ => &[],
        };
        for name in never {
            assert!(!imports.contains(*name), "{file} names {name}");
        }
    }
}

#[test]
fn each_crate_for_input_and_output_is_named_in_one_file() {
    let named = |code: &str, name: &str| {
        code.match_indices(name).any(|(at, _)| {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            let after = &code[at + name.len()..];
            !before.is_alphanumeric() && before != '_' && after.starts_with("::")
        })
    };
    let sources = sources();
    for (name, home) in CRATES {
        let files: Vec<&String> = sources
            .iter()
            .filter(|(_, code)| named(code, name))
            // `csv::render` in export/mod.rs is the module of that name.
            .filter(|(file, _)| !(name == "csv" && *file == "export/mod.rs"))
            .map(|(file, _)| file)
            .collect();
        assert_eq!(files, [home], "{name}");
    }
}

#[test]
fn the_front_page_shows_every_module_on_its_floor() {
    let front = fs::read_to_string(source_folder().join("lib.rs")).unwrap();
    for (name, floor) in FLOORS {
        let row = front.lines().find(|line| {
            line.starts_with(&format!("//! | {floor} |"))
                && (line.contains(&format!("[`{name}`]")) || line.contains(&format!("`{name}.rs`")))
        });
        assert!(row.is_some(), "{name} on floor {floor}");
    }
}

/// Every source file is on one floor alone.
#[test]
fn every_file_has_a_floor() {
    for file in sources().keys().filter(|file| *file != "lib.rs") {
        floor(module(file));
    }
}
