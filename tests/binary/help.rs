//! Tests of `-h`, `--help`, `help` and the errors of an invalid usage.

use std::process::Command;

use crate::support::{Outcome, Program};

/// Runs the program at 80 columns.
fn run(args: &[&str]) -> Outcome {
    Program::without_server()
        .env("COLUMNS", "80")
        .args(args)
        .run()
}

fn help(args: &[&str]) -> String {
    let run = run(args);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(run.stderr, "", "{args:?}");
    run.stdout
}

/// `unknown` outside a checkout, or if git is not installed.
#[test]
fn version_has_commit_and_target() {
    let root = env!("CARGO_MANIFEST_DIR");
    let git_dir = format!("--git-dir={root}/.git");
    let git = ["rev-parse", "HEAD"];
    let hash = Command::new("git").arg(git_dir).args(git).output();
    let hash = hash.ok().filter(|output| output.status.success());
    let hash = hash.map(|output| String::from_utf8(output.stdout).unwrap());
    let commit = hash.as_deref().map_or("unknown", |hash| &hash[..12]);
    let version = concat!("aws-config-resource-count ", env!("CARGO_PKG_VERSION"));
    let expected = format!("{version} ({commit}, {}-", std::env::consts::ARCH);
    let text = help(&["--version"]);
    assert!(text.starts_with(&expected), "{text}\n{expected}");
    assert!(text.ends_with(")\n") && text.lines().count() == 1, "{text}");
    assert_eq!(help(&["-V"]), format!("{version}\n"));
}

#[test]
fn short_help_fits_screen() {
    for command in [
        &[][..],
        &["accounts"],
        &["iam-policy"],
        &["completions"],
        &["man"],
    ] {
        let help = help(&[command, &["-h"]].concat());
        assert!(help.lines().count() <= 24, "{help}");
        let wide = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{help}");
    }
    let help = help(&["-h"]);
    for part in ["--help", "completions", "man ", "help ", "--demo"] {
        assert!(help.contains(part), "{part}: {help}");
    }
    // One line each.
    let options = help.split_once("Options:\n").unwrap().1;
    assert!(options.lines().all(|line| line.contains("  -")), "{help}");
}

#[test]
fn long_help_has_all_sections() {
    let text = help(&["--help"]);
    for title in [
        "Commands:",
        "Options:",
        "Scan:",
        "Output:",
        "Network:",
        "Recordings:",
        "Environment:",
        "Files:",
        "Exit codes:",
        "Examples:",
    ] {
        assert!(text.lines().any(|line| line == title), "{title}: {text}");
    }
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    assert_eq!(help(&["help"]), text);
}

#[test]
fn help_command_describes_commands() {
    for command in ["accounts", "iam-policy", "completions", "man"] {
        let text = help(&["help", command]);
        assert_eq!(text, help(&[command, "--help"]));
        let usage = format!("Usage: aws-config-resource-count {command}");
        assert!(text.contains(&usage), "{text}");
        assert_eq!(text.lines().find(|line| line.chars().count() > 80), None);
    }
    let completions = help(&["completions", "--help"]);
    for part in [
        "completions bash > ",
        "completions zsh > ",
        "completions fish > ",
        "eval \"$(aws-config-resource-count completions bash)\"",
        "Bash 3.2",
    ] {
        assert!(completions.contains(part), "{part}: {completions}");
    }
    assert!(help(&["man", "--help"]).contains("aws-config-resource-count man > "));
    let run = run(&["help", "iam-polcy"]);
    assert_eq!(run.code, Some(2), "{}", run.describe());
    assert!(
        run.stderr.contains("unrecognized subcommand"),
        "{}",
        run.stderr
    );
}

#[test]
fn help_and_usage_errors_follow_color_settings() {
    for (args, env, expected) in [
        (&[][..], &[][..], false),
        (&["--color=always"], &[], true),
        (
            &["--color", "always"],
            &[("NO_COLOR", "1"), ("TERM", "dumb")],
            true,
        ),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color=never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color=pink"], &[("CLICOLOR_FORCE", "1")], true),
    ] {
        for wrong in [
            "--help",
            "-h",
            "--regoin=x",
            "--method=guess",
            "--resource-types=EC2",
        ] {
            let mut program = Program::without_server().args(args).arg(wrong);
            for (name, value) in env {
                program = program.env(name, value);
            }
            let run = program.run();
            let is_colored = format!("{}{}", run.stdout, run.stderr).contains('\x1b');
            assert_eq!(is_colored, expected, "{args:?} {env:?} {wrong}");
        }
    }
}

/// Returns what a formatter prints on stderr and, if it prints nothing there, the page; `None` if it is not installed.
fn formatted(formatter: &str, args: &[&str], page: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("page.1");
    std::fs::write(&path, page).unwrap();
    let output = Command::new(formatter).args(args).arg(path).output().ok()?;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "", "{formatter}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn man_page_has_all_sections() {
    let page = help(&["man"]);
    let sections: Vec<_> = page
        .lines()
        .filter_map(|l| l.strip_prefix(".SH "))
        .collect();
    let expected = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "COMMANDS",
        "ENVIRONMENT",
        "FILES",
        "\"EXIT STATUS\"",
        "EXAMPLES",
        "\"SEE ALSO\"",
    ];
    assert_eq!(sections, expected);
    // Every option of --help, with its help.
    let long = help(&["--help"]);
    let plain = page.replace("\\-", "-");
    for line in long.lines().filter(|l| l.starts_with("      --")) {
        let option = line.trim().split([' ', '[']).next().unwrap();
        let entry = plain.split(&format!("\\fB{option}\\fR")).nth(1).unwrap();
        let help = entry.lines().nth(1).unwrap();
        assert!(
            !help.starts_with('.') && help.len() > 10,
            "{option}: {entry}"
        );
    }
    // No page that does not exist: only the URLs of other pages.
    let pages: Vec<_> = page.lines().filter(|l| l.contains("(1)")).collect();
    assert_eq!(pages, [""; 0]);
}

#[test]
fn man_page_has_no_format_warnings() {
    let page = help(&["man"]);
    assert!(
        page.starts_with(".TH AWS-CONFIG-RESOURCE-COUNT 1 \"\" "),
        "{page}"
    );
    for (formatter, args) in [
        ("groff", &["-ww", "-man", "-Tascii"][..]),
        ("mandoc", &["-T", "ascii", "-W", "error"]),
    ] {
        let text = formatted(formatter, args, &page);
        assert!(text.is_none_or(|text| text.contains("Try the program on a made-up account")));
    }
}
