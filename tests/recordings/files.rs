//! Files and directories of a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Returns the sorted names in a directory.
pub fn file_names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns every file below a directory, by its relative path.
pub fn read_tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for name in file_names(directory) {
            let path = directory.join(name);
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(directory, directory, &mut files);
    files
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Fails with the first line that differs; `assert_eq!` on whole files would print both files.
pub fn assert_same_text(name: &str, got: Option<&str>, expected: Option<Vec<u8>>) {
    let expected = expected.map(|bytes| text(&bytes));
    if got == expected.as_deref() {
        return;
    }
    let (Some(got), Some(expected)) = (got, &expected) else {
        panic!("{name}\n     got: {got:?}\nexpected: {expected:?}");
    };
    let (mut got, mut expected) = (got.split('\n'), expected.split('\n'));
    for n in 1.. {
        let (got, expected) = (got.next(), expected.next());
        assert_eq!(
            got, expected,
            "{name}, line {n} (left: got, right: expected)"
        );
    }
}
