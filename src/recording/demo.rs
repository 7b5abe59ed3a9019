//! The recording that is built into the program for `--demo`: the files of `fixtures/demo`.
//! `build.rs` packs them and describes the format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/demo.bin"));

/// The files of the demo, by their path in the recording.
pub(super) static FILES: LazyLock<BTreeMap<PathBuf, Vec<u8>>> = LazyLock::new(|| {
    let text = unpack(PACKED);
    let mut parts = text.split(|byte| *byte == 0);
    let mut files = BTreeMap::new();
    while let (Some(name), Some(content)) = (parts.next(), parts.next()) {
        let name = String::from_utf8_lossy(name);
        files.insert(Path::new(&*name).to_owned(), content.to_owned());
    }
    files
});

fn unpack(mut packed: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    while !packed.is_empty() {
        let count = next_number(&mut packed);
        let (bytes, rest) = packed.split_at(count);
        text.extend(bytes);
        packed = rest;
        let length = next_number(&mut packed);
        let distance = next_number(&mut packed);
        // A repetition may overlap itself.
        for _ in 0..length {
            text.push(text[text.len() - distance]);
        }
    }
    text
}

/// Returns the number at the start of `packed` and removes it; 0 at the end.
fn next_number(packed: &mut &[u8]) -> usize {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let Some((byte, rest)) = packed.split_first() else {
            break;
        };
        *packed = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

#[cfg(test)]
mod tests {
    use std::fs;

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

    #[test]
    fn packed_demo_is_small() {
        assert!(PACKED.len() < 40_000, "{} bytes", PACKED.len());
    }

    #[test]
    fn unpack_copies_bytes_and_repetitions() {
        assert_eq!(unpack(b""), b"");
        assert_eq!(unpack(b"\x03abc"), b"abc");
        assert_eq!(unpack(b"\x03abc\x02\x03\x01x"), b"abcabx");
        assert_eq!(unpack(b"\x01a\x84\x01\x01"), b"a".repeat(133));
    }
}
