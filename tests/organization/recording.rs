//! Tests of recordings of many accounts, and of their replays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Organization, Outcome, Program, Reply, Server, assumed_role};
use crate::{BUCKET, organization};

const TYPES: [&str; 2] = ["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];

/// The ID that replaces the caller's.
pub const CALLER: &str = "123456789012";

/// Returns an organization whose accounts differ only in their numbers and are of every kind.
fn mixed() -> Organization {
    let mut organization = organization(6);
    for number in 1..=6 {
        let member = organization.member(number);
        member.account.alias = None;
        member.name = format!("secret-team-{number}");
        member.account.id = format!("{:012}", 777_000_000_000 + number);
    }
    organization.member(2).has_role = false;
    "SUSPENDED".clone_into(&mut organization.member(3).state);
    "=HYPERLINK(\"x\")\n\u{202e}".clone_into(&mut organization.member(6).name);
    organization
}

/// Serves the organization: account 5 denies a listing, and the session of account 4 is of another account.
fn serve(organization: &Organization) -> Server {
    organization.serve_with(|account, call| {
        let arn = call.field("RoleArn").unwrap_or_default();
        if arn.contains(":777000000004:") {
            return Some(assumed_role("777000000005"));
        }
        let is_denied = account == "777000000005" && call.lists(BUCKET, "eu-west-1");
        is_denied.then(|| Reply::error(call, 400, "AccessDeniedException", "no"))
    })
}

/// Records a run; returns it and the directory of the recording.
fn record(server: &Server, args: &[&str]) -> (Outcome, PathBuf) {
    record_program(Program::new(server).args(TYPES), args)
}

/// Records a run of a program.
pub fn record_program(program: Program, args: &[&str]) -> (Outcome, PathBuf) {
    let program = program.args(args);
    let recording = program.directory().join("recording");
    let live = program.arg("--record").arg(&recording).run();
    (live, recording)
}

pub fn replay(recording: &Path, args: &[&str]) -> Outcome {
    let program = Program::without_server().args(TYPES).args(args);
    let program = program.arg("--replay").arg(recording);
    program.args(["--output-dir", "../out"]).run()
}

/// Returns the files of the output directory by name, without the run file, with `mapping` applied to names and content.
pub fn outputs(run: &Outcome, mapping: &[(String, String)]) -> BTreeMap<String, String> {
    let out = run.directory().join("out");
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(out).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.contains("_combined_run_") {
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap();
        // Times differ.
        let lines = text
            .split_inclusive('\n')
            .map(|line| match line.strip_prefix("[20") {
                Some(rest) => rest.split_once(']').unwrap().1,
                None => line,
            });
        files.insert(
            replaced(&name, mapping),
            replaced(&lines.collect::<String>(), mapping),
        );
    }
    files
}

/// Replaces all texts at once.
fn replaced(text: &str, mapping: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (n, (from, _)) in mapping.iter().enumerate() {
        text = text.replace(from, &format!("\u{1}{n}\u{2}"));
    }
    for (n, (_, to)) in mapping.iter().enumerate() {
        text = text.replace(&format!("\u{1}{n}\u{2}"), to);
    }
    text
}

/// Returns the names and the content of all files of a recording.
pub fn everything(recording: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(recording).unwrap() {
        let path = entry.unwrap().path();
        text.extend([path.to_str().unwrap(), "\n"]);
        if path.is_dir() {
            text += &everything(&path);
        } else {
            text += &String::from_utf8_lossy(&std::fs::read(path).unwrap());
        }
    }
    text
}

pub fn mapping_of(recording: &Path) -> Value {
    let path = format!("{}.mapping.json", recording.display());
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Returns what was replaced, as it appears in output files.
pub fn pairs(mapping: &Value) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for kind in ["accounts", "names", "roles", "emails"] {
        for (from, to) in mapping[kind].as_object().unwrap() {
            // The role of the server's sessions is a letter that other texts have.
            if from.len() > 1 {
                pairs.push((from.clone(), to.as_str().unwrap().to_owned()));
            }
        }
    }
    pairs
}

/// Asserts that the files are the same but for the order of their lines, which is that of the account IDs.
pub fn assert_same_lines(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    for (name, text) in expected {
        assert_eq!(sorted(&found[name]), sorted(text), "{name}");
    }
}

#[test]
fn replay_of_many_accounts_gives_the_same_files() {
    let organization = mixed();
    let server = serve(&organization);
    let options = [
        "--organization",
        "--coverage",
        "--external-id",
        "ext-s3cret",
    ];
    let args = [&options[..], &["--record-account-id", CALLER]].concat();
    let (live, recording) = record(&server, &args);
    assert_eq!(live.code, Some(0), "{}", live.describe());
    let all = everything(&recording);
    for private in [
        "777000000",
        "secret-team",
        "HYPERLINK",
        "@example.com\n",
        "role-secret-of",
        "role-token-of",
        "ext-s3cret",
        "ASIA",
        "OrganizationAccountAccessRole",
    ] {
        assert!(!all.contains(private), "{private}: {all}");
    }
    let mapping = mapping_of(&recording);
    assert_eq!(mapping["accounts"]["777000000001"], CALLER);
    assert_eq!(mapping["accounts"]["777000000002"], "100000000001");
    assert_eq!(mapping["accounts"]["777000000006"], "100000000005");
    assert_eq!(mapping["names"]["secret-team-1"], "account-1");
    assert_eq!(
        mapping["emails"]["777000000002@example.com"],
        "account-2@example.com"
    );
    assert_eq!(mapping["roles"]["OrganizationAccountAccessRole"], "role-1");

    let role = ["--role-name", "role-1"];
    let again = replay(&recording, &[&options[..], &role].concat());
    assert_eq!(again.code, Some(0), "{}", again.describe());
    let mut pairs = pairs(&mapping);
    // The name as a cell.
    pairs.push((
        "\"'=HYPERLINK(\"\"x\"\") \\u{202e}\"".to_owned(),
        "account-6".to_owned(),
    ));
    let (expected, found) = (outputs(&live, &pairs), outputs(&again, &[]));
    assert!(expected.len() >= 8, "{:?}", expected.keys());
    assert_same_lines(&found, &expected);
    let again_default = replay(&recording, &options);
    assert_eq!(again_default.code, Some(0), "{}", again_default.describe());
}

#[test]
fn recording_without_account_id_replays_byte_for_byte() {
    let organization = mixed();
    let server = serve(&organization);
    let args = ["--organization", "--coverage"];
    let (live, recording) = record(&server, &args);
    assert_eq!(live.code, Some(0), "{}", live.describe());
    let all = everything(&recording);
    for secret in ["role-secret-of", "role-token-of", "ASIA"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    assert!(!recording.with_file_name("recording.mapping.json").exists());
    for _ in 0..3 {
        let again = replay(&recording, &args);
        assert_eq!(again.code, Some(0), "{}", again.describe());
        assert_eq!(outputs(&again, &[]), outputs(&live, &[]));
    }
}

#[test]
fn same_requests_of_accounts_get_their_own_responses() {
    // All accounts have the same region, types and alias requests; only the credentials differ.
    let server = organization(12).serve();
    let (live, recording) = record(&server, &["--organization"]);
    assert_eq!(live.code, Some(0), "{}", live.describe());
    let again = replay(&recording, &["--organization"]);
    assert_eq!(outputs(&again, &[]), outputs(&live, &[]));
    let only = replay(
        &recording,
        &["--organization", "--accounts", "100000000007"],
    );
    assert_eq!(only.code, Some(0), "{}", only.describe());
    let counts = crate::file(&only, "aws_config_combined_count_o-abcdefghij.csv").unwrap();
    assert_eq!(
        counts,
        organization(12).csv(&[7]),
        "the order of the accounts does not matter"
    );
}

#[test]
fn names_of_units_are_replaced() {
    let mut organization = organization(2);
    for number in 1..=2 {
        organization.member(number).units = None;
    }
    let server = organization.serve_with(|_, call| {
        let parent = call.field("ParentId").unwrap_or_default();
        Some(match (call.operation.as_str(), parent) {
            ("ListRoots", _) => Reply::json(&json!({"Roots": [{"Id": "r-ab12"}]})),
            ("ListOrganizationalUnitsForParent", "r-ab12") => Reply::json(&json!({
                "OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Name": "Secret Unit"}]
            })),
            ("ListOrganizationalUnitsForParent", _) => {
                Reply::json(&json!({"OrganizationalUnits": []}))
            }
            ("ListAccountsForParent", "ou-ab12-11111111") => {
                Reply::json(&json!({"Accounts": [{"Id": Organization::id(2), "Name": "x-team"}]}))
            }
            ("ListAccountsForParent", _) => Reply::json(&json!({"Accounts": []})),
            _ => return None,
        })
    });
    let id = ["--record-account-id", CALLER];
    let (live, recording) = record(&server, &[&["--ou", "/Secret Unit"], &id[..]].concat());
    assert_eq!(live.code, Some(0), "{}", live.describe());
    let all = everything(&recording);
    assert!(
        !all.contains("Secret Unit") && !all.contains("x-team"),
        "{all}"
    );
    assert_eq!(
        mapping_of(&recording)["units"],
        json!({"Secret Unit": "ou-1"})
    );
    let again = replay(&recording, &["--ou", "/ou-1"]);
    assert_eq!(again.code, Some(0), "{}", again.describe());
}

#[test]
fn recording_of_one_account_has_no_mapping() {
    let server = organization(1).serve();
    let (live, recording) = record(&server, &["--record-account-id", CALLER]);
    assert_eq!(live.code, Some(0), "{}", live.describe());
    assert!(!everything(&recording).contains("\"account\""));
    assert!(!recording.with_file_name("recording.mapping.json").exists());
}
