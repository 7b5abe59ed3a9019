//! Packs the recording in `fixtures/demo` into one file, which the library includes for `--demo`.
//!
//! The packed text is a sequence of blocks, each with new bytes and a repetition of earlier bytes:
//! `count, bytes, length, distance`. `src/recording/demo.rs` unpacks it. Numbers have seven bits in
//! each byte, the lowest first; the highest bit is set if another byte follows.
//!
//! It also names the commit and the target for `--version`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The minimum length of a repetition.
const MIN_LENGTH: usize = 8;

fn main() -> io::Result<()> {
    let root = Path::new("fixtures/demo");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build.rs");
    let commit = commit().unwrap_or("unknown".to_owned());
    println!("cargo::rustc-env=BUILD_COMMIT={commit}");
    let target = env::var("TARGET").expect("Cargo sets TARGET");
    println!("cargo::rustc-env=BUILD_TARGET={target}");
    let mut names = vec![PathBuf::from("env.json")];
    for entry in fs::read_dir(root.join("interactions"))? {
        names.push(Path::new("interactions").join(entry?.file_name()));
    }
    names.sort();
    // Names and contents are text, so a zero byte ends each of them.
    let mut text = Vec::new();
    for name in names {
        text.extend(name.as_os_str().as_encoded_bytes());
        text.push(0);
        text.extend(fs::read(root.join(name))?);
        text.push(0);
    }
    let directory = env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR");
    fs::write(Path::new(&directory).join("demo.bin"), pack(&text))
}

/// Returns the first 12 digits of the commit; `None` outside a checkout or without git.
fn commit() -> Option<String> {
    // These files change with each commit. Cargo would run this script every time if one did not exist.
    for name in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    // `cargo package` builds the package in the target directory of the checkout, and the next build there
    // must run this script again.
    if Path::new(".cargo_vcs_info.json").exists() {
        println!("cargo::rerun-if-changed=no-such-file");
    }
    let mut hash = git(&["rev-parse", "--verify", "HEAD"])?;
    hash.truncate(12);
    Some(hash)
}

/// Returns the output of git for the repository of this directory. Another repository around the directory is not used.
fn git(arguments: &[&str]) -> Option<String> {
    let root = env::current_dir().ok()?;
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(root.join(".git"));
    let output = command.args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn pack(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut latest: HashMap<&[u8], usize> = HashMap::new();
    let (mut start, mut at) = (0, 0);
    while let Some(key) = text.get(at..at + MIN_LENGTH) {
        let Some(earlier) = latest.insert(key, at) else {
            at += 1;
            continue;
        };
        let pairs = text[at..].iter().zip(&text[earlier..]);
        let length = pairs.take_while(|(a, b)| a == b).count();
        push_bytes(&mut packed, &text[start..at]);
        push_number(&mut packed, length);
        push_number(&mut packed, at - earlier);
        for (n, key) in text[at..].windows(MIN_LENGTH).enumerate().take(length) {
            latest.insert(key, at + n);
        }
        at += length;
        start = at;
    }
    push_bytes(&mut packed, &text[start..]);
    packed
}

fn push_bytes(packed: &mut Vec<u8>, bytes: &[u8]) {
    push_number(packed, bytes.len());
    packed.extend(bytes);
}

fn push_number(packed: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        packed.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    packed.push(number.to_le_bytes()[0]);
}
