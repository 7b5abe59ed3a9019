//! Joins the recording in `fixtures/demo` to one file, which `src/recording/demo.rs` includes for `--demo`.
//!
//! It also names the commit and the target for `--version`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

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
    fs::write(Path::new(&directory).join("demo.bin"), text)
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
