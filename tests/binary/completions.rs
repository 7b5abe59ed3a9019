//! Tests of the completion scripts in the shells of this machine: Bash always, Bash 3.2 if `BASH32` names one, zsh and
//! fish if they are installed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::Program;

/// Command lines, and the beginning of the candidates for the last word: without the characters that Bash keeps.
const CASES: [(&str, &[&str]); 13] = [
    ("--regions us-e", &["us-east-1", "us-east-2"]),
    ("--exclude-regions eu-isoe", &["eu-isoe-west-1"]),
    ("--region cn-northw", &["cn-northwest-1"]),
    (
        "--regions eu-west-1,us-west-",
        &["eu-west-1,us-west-1", "eu-west-1,us-west-2"],
    ),
    ("--resource-types AWS::S3::Buck", &["AWS::S3::Bucket"]),
    (
        "iam-policy --quiet --resource-types AWS::S3::Bucket,AWS::DynamoDB::T",
        &["AWS::S3::Bucket,AWS::DynamoDB::Table"],
    ),
    ("--resource-types al", &["all"]),
    ("--method v", &["verify"]),
    ("--strict --no-p", &["--no-progress"]),
    ("compl", &["completions"]),
    ("completions f", &["fish"]),
    ("iam-policy --exclude-r", &["--exclude-regions"]),
    ("--regions nowhere", &[]),
];

fn script(shell: &str) -> String {
    let run = Program::without_server().args(["completions", shell]).run();
    assert_eq!(run.code, Some(0), "{}", run.describe());
    run.stdout
}

/// Runs `shell` with `script` on its stdin and returns its output; `None` if it is not installed.
fn output(shell: &str, args: &[&str], script: &str) -> Option<String> {
    let mut child = Command::new(shell)
        .args(args)
        .env("HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "", "{shell}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Returns the candidates of each case as Bash gets them.
fn bash_candidates(shell: &str) -> Vec<Vec<String>> {
    let mut text = script("bash");
    text += "COMP_WORDBREAKS=$' \\t\\n\"\\'><=;|&(:'\ncompopt() { :; }\n";
    for (line, _) in CASES {
        let (_, word) = line.rsplit_once([' ', ':']).unwrap_or(("", line));
        let _ = write!(
            text,
            "COMP_LINE='aws-config-resource-count {line}'; COMP_POINT=${{#COMP_LINE}}; COMPREPLY=()\n\
             __aws_config_resource_count aws-config-resource-count '{word}' x\n\
             echo \"${{COMPREPLY[*]}}\"\n"
        );
    }
    let output = output(shell, &["--norc", "--noprofile"], &text).expect("a Bash");
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    output.lines().map(words).collect()
}

#[test]
fn bash_completes_regions_types_and_options() {
    let shells = [Some("bash".to_owned()), std::env::var("BASH32").ok()];
    for shell in shells.into_iter().flatten() {
        let candidates = bash_candidates(&shell);
        assert_eq!(candidates.len(), CASES.len(), "{shell}");
        for ((line, expected), found) in CASES.into_iter().zip(candidates) {
            // Readline keeps everything up to the last colon.
            let word = line.rsplit(' ').next().unwrap();
            let kept = word.rfind(':').map_or("", |at| &word[..=at]);
            let found: Vec<String> = found.iter().map(|w| format!("{kept}{w}")).collect();
            assert_eq!(found, expected, "{shell}: {line}");
        }
    }
}

/// In Bash 3.2, `source <(…)` reads nothing; `eval` works.
#[test]
fn bash_script_can_be_evaluated() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("completions");
    std::fs::write(&path, script("bash")).unwrap();
    let text = format!(
        "eval \"$(cat '{}')\"\ncomplete -p aws-config-resource-count\n",
        path.display()
    );
    let shells = [Some("bash".to_owned()), std::env::var("BASH32").ok()];
    for shell in shells.into_iter().flatten() {
        let output = output(&shell, &["--norc", "--noprofile"], &text).expect("a Bash");
        assert!(
            output.contains("-F __aws_config_resource_count aws-config-resource-count"),
            "{shell}: {output}"
        );
    }
}

#[test]
fn fish_completes_regions_types_and_options() {
    let mut text = script("fish");
    assert!(text.contains("us-east-1"), "{text}");
    for (line, _) in CASES {
        let _ = writeln!(
            text,
            "complete -C 'aws-config-resource-count {line}' | string split -f 1 \\t | string join ' '; echo end"
        );
    }
    let Some(output) = output("fish", &["--no-config"], &text) else {
        return;
    };
    let found: Vec<&str> = output.split("end\n").map(str::trim).collect();
    assert_eq!(found.len(), CASES.len() + 1, "{output}");
    for ((line, expected), found) in CASES.into_iter().zip(found) {
        assert_eq!(found, expected.join(" "), "{line}");
    }
}

#[test]
fn zsh_script_has_all_regions_and_types() {
    let text = script("zsh");
    for (action, value) in [
        (
            "'*--regions=[Scan only these regions \\[default\\: all\\]]:REGION,...:__aws_config_resource_count_regions' \\",
            "us-gov-west-1",
        ),
        (
            ":TYPE,...:__aws_config_resource_count_types' \\",
            "AWS::EC2::Instance",
        ),
        (":NAME:' \\", "eusc-de-east-1"),
    ] {
        assert!(text.contains(action), "{action}");
        assert!(text.contains(value), "{value}");
    }
    // The syntax check prints nothing.
    let checked = output("zsh", &["-f", "-n"], &text);
    assert!(checked.is_none_or(|output| output.is_empty()));
}
