//! The recording that is built into the program for `--demo`: the files of `fixtures/demo`, which `build.rs` joins.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::LazyLock;

static JOINED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/demo.bin"));

/// The files of the demo, by their path in the recording.
pub(super) static FILES: LazyLock<BTreeMap<&Path, &[u8]>> = LazyLock::new(|| {
    let mut parts = JOINED.split(|byte| *byte == 0);
    let mut files = BTreeMap::new();
    while let (Some(name), Some(content)) = (parts.next(), parts.next()) {
        files.insert(Path::new(OsStr::from_bytes(name)), content);
    }
    files
});

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn demo_files_equal_fixture() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
        let mut recorded = vec![PathBuf::from("env.json")];
        for entry in fs::read_dir(root.join("interactions")).unwrap() {
            recorded.push(Path::new("interactions").join(entry.unwrap().file_name()));
        }
        recorded.sort();
        assert!(recorded.len() > 20, "{recorded:?}");
        assert!(FILES.keys().eq(&recorded), "{:?}", FILES.keys());
        for (name, content) in &*FILES {
            assert!(fs::read(root.join(name)).unwrap() == *content, "{name:?}");
        }
    }
}
