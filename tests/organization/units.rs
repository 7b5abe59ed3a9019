//! Tests of the names of organizational units: they replace the IDs if AWS Organizations returns them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{Call, Latch, ORGANIZATION, Organization, Outcome, Program, Reply, Server};
use crate::{VPC, file, organization, run};

const ROOT: &str = "r-ab12";

/// The units, each with its parent and its name.
const UNITS: [(&str, &str, &str); 4] = [
    ("ou-ab12-11111111", ROOT, "Workloads"),
    ("ou-ab12-22222222", "ou-ab12-11111111", "Prod, EU"),
    ("ou-ab12-33333333", ROOT, "=cmd\u{1b}[2J\u{202e}\n\"x\""),
    ("ou-ab12-44444444", "ou-ab12-33333333", "a/b"),
];

/// The paths of the accounts, by their numbers, with IDs and with names.
const PATHS: [(&str, &str); 5] = [
    ("/r-ab12", "/"),
    ("/r-ab12/ou-ab12-11111111", "/Workloads"),
    (
        "/r-ab12/ou-ab12-11111111/ou-ab12-22222222",
        "/Workloads/Prod, EU",
    ),
    ("/r-ab12/ou-ab12-33333333", "/=cmd\\u{1b}[2J\\u{202e} \"x\""),
    (
        "/r-ab12/ou-ab12-33333333/ou-ab12-44444444",
        "/=cmd\\u{1b}[2J\\u{202e} \"x\"/ou-ab12-44444444",
    ),
];

/// Returns an organization with an account at each of the paths.
fn with_units() -> Organization {
    let mut organization = organization(PATHS.len());
    for (n, (ids, _)) in PATHS.iter().enumerate() {
        let ids = ids[1..].split('/').map(str::to_owned).collect();
        organization.member(n + 1).units = Some(ids);
    }
    organization
}

/// Returns the reply to a call about the tree: one unit per page, and an empty page before the last one.
fn tree(call: &Call) -> Option<Reply> {
    if call.operation == "ListRoots" {
        return Some(Reply::json(
            &json!({"Roots": [{"Id": ROOT, "Name": "Root"}]}),
        ));
    }
    let parent = (call.operation == "ListOrganizationalUnitsForParent")
        .then(|| call.field("ParentId"))??;
    let children = UNITS.iter().filter(|(_, of, _)| *of == parent);
    let children: Vec<Value> = children
        .map(|(id, _, name)| json!({"Id": id, "Name": name}))
        .collect();
    let page: usize = call
        .field("NextToken")
        .map_or(0, |token| token.parse().unwrap());
    let is_empty = page == 1;
    let at = page - usize::from(page > 1);
    let units: Vec<&Value> = children
        .iter()
        .skip(at)
        .take(usize::from(!is_empty))
        .collect();
    let mut body = json!({ "OrganizationalUnits": units });
    if is_empty || at + 1 < children.len() {
        body["NextToken"] = (page + 1).to_string().into();
    }
    Some(Reply::json(&body))
}

fn serve() -> Server {
    with_units().serve_with(|_, call| tree(call))
}

/// Returns the values of the column `ou_path` of a CSV.
fn paths(csv: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let at = reader
        .headers()
        .unwrap()
        .iter()
        .position(|n| n == "ou_path");
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| row[at.unwrap()].to_owned()).collect()
}

fn accounts_file(run: &Outcome) -> String {
    let name = format!("aws_config_combined_accounts_{ORGANIZATION}.csv");
    file(run, &name).unwrap_or_else(|| panic!("{}", run.describe()))
}

fn names() -> Vec<String> {
    PATHS.map(|(_, names)| names.to_owned()).into()
}

fn ids() -> Vec<String> {
    PATHS.map(|(ids, _)| ids.to_owned()).into()
}

fn lists_units(call: &Call) -> bool {
    call.operation == "ListOrganizationalUnitsForParent"
}

#[test]
fn paths_have_names_in_every_output() {
    let server = serve();
    let run = run(&server, &["--organization", "--report", "report.json"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let table = accounts_file(&run);
    assert_eq!(paths(&table), names());
    assert!(table.contains(",\"/Workloads/Prod, EU\","), "{table}");
    let report: Value = serde_json::from_str(&file(&run, "report.json").unwrap()).unwrap();
    let accounts = report["accounts"].as_array().unwrap().iter();
    let in_report: Vec<_> = accounts.map(|a| a["ou_path"].as_str().unwrap()).collect();
    assert_eq!(in_report, names());
    for (number, path) in (1..).zip(names()) {
        let line = format!("  {}  {path} (1 account)\n", 2 * number + 2);
        assert!(run.stdout.contains(&line), "{line:?}: {}", run.stdout);
    }
    for output in [&table, &run.stdout] {
        let is_bad = |c: char| (c.is_control() && !"\r\n".contains(c)) || c == '\u{202e}';
        assert!(!output.contains(is_bad), "{output:?}");
    }
    // The root: two units and an empty page; the two units with units: one page each.
    assert_eq!(server.count(lists_units), 5);
    assert_eq!(server.count(|call| call.operation == "ListRoots"), 0);
}

#[test]
fn list_has_paths_that_select_the_unit() {
    let server = serve();
    let list = |args: &[&str]| {
        let program = Program::subcommand("accounts", &server);
        program.args(["--format", "csv"]).args(args).run()
    };
    let all = list(&["--organization"]);
    assert_eq!(paths(&all.stdout), names(), "{}", all.describe());
    for path in ["/", "/Workloads"] {
        let before = server.count(lists_units);
        let run = list(&["--ou", path]);
        let expected = names().into_iter().filter(|name| name.starts_with(path));
        assert_eq!(
            paths(&run.stdout),
            expected.collect::<Vec<_>>(),
            "{}",
            run.describe()
        );
        assert!(server.count(lists_units) - before <= 5, "each unit once");
    }
}

#[test]
fn ids_stay_if_a_call_fails() {
    let expected = run(&with_units().serve(), &["--organization"]);
    assert_eq!(paths(&accounts_file(&expected)), ids());
    for (parent, reply) in [
        (ROOT, "AccessDeniedException"),
        ("ou-ab12-33333333", "AccessDeniedException"),
        ("ou-ab12-11111111", "unreadable"),
    ] {
        let server = with_units().serve_with(move |_, call| {
            if !lists_units(call) || call.field("ParentId") != Some(parent) {
                return tree(call);
            }
            Some(match reply {
                "unreadable" => Reply::json(&json!({"Other": []})),
                code => Reply::error(call, 400, code, "no"),
            })
        });
        let run = run(&server, &["--organization", "--strict"]);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert_eq!(accounts_file(&run), accounts_file(&expected), "{parent}");
        assert_eq!(
            (run.errors(), &run.stdout.contains("Errors encountered: 0")),
            (String::new(), &true)
        );
    }
}

#[test]
fn names_do_not_delay_the_scan() {
    let (latch, scanned) = (
        Arc::new(Latch::default()),
        Arc::<Mutex<BTreeSet<String>>>::default(),
    );
    let server = with_units().serve_with(move |account, call| {
        if call.lists(VPC, "us-east-1") {
            let mut scanned = scanned.lock().unwrap();
            scanned.insert(account.to_owned());
            if scanned.len() == PATHS.len() {
                latch.open();
            }
        }
        if lists_units(call) {
            latch.wait();
        }
        tree(call)
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    assert_eq!(paths(&accounts_file(&run)), names());
}

#[test]
fn resumed_run_has_the_same_paths() {
    let program = |server: &Server, args: &[&str]| {
        let program = Program::new(server).args(["--resource-types", VPC, "--organization"]);
        program.args(args)
    };
    let unbroken = program(&serve(), &[]).run();
    let server = with_units().serve_with(|_, call| {
        let is_throttled = call.field("RoleArn")?.contains(&Organization::id(3));
        is_throttled.then(|| Reply::error(call, 400, "ValidationError", "no"))
    });
    let broken = program(&server, &[]).run();
    assert_eq!(paths(&accounts_file(&broken)), ids());
    let file = broken
        .directory()
        .join(format!("out/aws_config_combined_run_{ORGANIZATION}.jsonl"));
    let resume = format!("--resume={}", file.display());
    let resumed = program(&serve(), &[&resume]).run();
    assert_eq!(resumed.code, Some(0), "{}", resumed.describe());
    assert!(
        resumed
            .stdout
            .contains("4 complete accounts will not be counted again")
    );
    assert_eq!(accounts_file(&resumed), accounts_file(&unbroken));
}

#[test]
fn many_units_keep_their_ids() {
    let mut organization = organization(61);
    for number in 1..=61 {
        let ids = [
            ROOT.to_owned(),
            format!("ou-ab12-{number:08}"),
            "ou-ab12-99999999".to_owned(),
        ];
        organization.member(number).units = Some(ids.into());
    }
    let server = organization.serve();
    let run = Program::subcommand("accounts", &server)
        .args(["--organization", "--format", "csv"])
        .run();
    assert_eq!(
        paths(&run.stdout)[60],
        "/r-ab12/ou-ab12-00000061/ou-ab12-99999999"
    );
    assert_eq!(server.count(lists_units), 0);
}

#[test]
fn recorded_names_of_units_are_replaced() {
    let server = serve();
    let program = Program::new(&server).args(["--resource-types", VPC, "--organization"]);
    let recording = program.directory().join("recording");
    let live = program
        .args(["--record-account-id", "123456789012", "--record"])
        .arg(&recording)
        .run();
    assert_eq!(live.code, Some(0), "{}", live.describe());
    let replayed = Program::without_server()
        .args(["--resource-types", VPC, "--organization", "--replay"])
        .arg(&recording)
        .run();
    assert_eq!(replayed.code, Some(0), "{}", replayed.describe());
    let paths = paths(&accounts_file(&replayed));
    // By account ID: the caller, the first account, has the last one.
    let expected = ["/ou-3", "/ou-3/ou-1", "/ou-4", "/ou-4/ou-2", "/"];
    assert_eq!(paths, expected, "{}", replayed.describe());
}
