//! Tests of the config file and the credentials file: whatever is at their paths, and the home directory.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::Program;
use crate::support::make_fifo;
use crate::{TYPES, account};

/// Creates something at a path that is not a readable file.
type Prepare = fn(&Path);

const UNUSABLE: [(&str, Prepare); 5] = [
    ("is a directory", |path| fs::create_dir(path).unwrap()),
    ("not a regular file", make_fifo),
    ("not a regular file", |path| {
        symlink("/dev/zero", path).unwrap();
    }),
    ("symbolic link to a missing file", |path| {
        symlink("nothing", path).unwrap();
    }),
    ("larger than 16 MiB", |path| {
        fs::File::create(path).unwrap().set_len(1 << 30).unwrap();
    }),
];

#[test]
fn unusable_shared_file_is_absent() {
    for (reason, prepare) in UNUSABLE {
        for name in ["config", "credentials"] {
            let server = account().serve();
            let program = Program::new(&server).args(TYPES).arg("--debug");
            let directory = program.directory().join("home/.aws");
            fs::create_dir(&directory).unwrap();
            prepare(&directory.join(name));
            let run = program.run();
            assert_eq!(run.code, Some(0), "{name} {reason}: {}", run.stderr);
            let line = format!("/.aws/{name} (ignored: {reason})\n");
            assert!(run.stderr.contains(&line), "{line}: {}", run.stderr);
        }
    }
}

#[test]
fn missing_profile_error_names_unusable_file() {
    for (reason, prepare) in UNUSABLE {
        for args in [&["--profile", "audit"][..], &[]] {
            let server = account().serve();
            let program = Program::new(&server).args(TYPES).args(args);
            let program = program
                .env("AWS_ACCESS_KEY_ID", "")
                .env("AWS_SECRET_ACCESS_KEY", "");
            let directory = program.directory().join("home/.aws");
            fs::create_dir(&directory).unwrap();
            prepare(&directory.join("credentials"));
            let run = program.run();
            assert_eq!(run.code, Some(1), "{}", run.stderr);
            let text = format!("/.aws/credentials (ignored: {reason})");
            assert!(run.stderr.contains(&text), "{text}: {}", run.stderr);
        }
    }
}

/// The other file is read.
#[test]
fn directory_at_credentials_path_leaves_config_file() {
    let server = account().serve();
    let program = Program::new(&server)
        .args(TYPES)
        .args(["--profile", "audit"]);
    let directory = program.directory().join("home/.aws");
    fs::create_dir_all(directory.join("credentials")).unwrap();
    let keys =
        "[profile audit]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = s\n";
    fs::write(directory.join("config"), keys).unwrap();
    let run = program.run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.csv(), account().csv());
}

/// Compares with Python, whose `expanduser` the AWS CLI uses.
#[test]
fn home_without_variable_is_passwd_entry() {
    let python = "import os; print(os.path.expanduser('~/.aws/config'))";
    for unset in [
        "unset HOME",
        "unset HOME; USERPROFILE=/nowhere; export USERPROFILE",
        "HOME=",
    ] {
        let script = format!("{unset}; export HOME 2>/dev/null; python3 -c \"{python}\"");
        let script = script.replace(
            "; export HOME",
            if unset == "HOME=" {
                "; export HOME"
            } else {
                "; true"
            },
        );
        let python = Command::new("/bin/sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        let config = String::from_utf8(python.stdout).unwrap().trim().to_owned();
        let server = account().serve();
        let program = Program::in_shell(&format!(r#"{unset}; exec "$@""#), &server);
        let run = program.args(["--profile", "no-such-profile"]).run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let text = format!("not found in {config} or ");
        assert!(run.stderr.contains(&text), "{text}: {}", run.describe());
    }
}
