//! Checks the specification line by line with the built binary on recorded accounts.
//!
//! `tests/replay/` has a fixture for each row of the error table. Tests that need a network are in
//! `tests/binary/`, those of the setup script in `tests/setup/`.

mod recordings;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use recordings::Case;

const NAME: &str = "aws_config_resource_count_123456789012_acme-production";
/// The resource types in most of the small recordings.
const TWO_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket";
const CHECKS: [&str; 8] = [
    "HTTPS client can be built",
    "Thread pool can be built",
    "AWS credentials configured",
    "IAM permission: sts:GetCallerIdentity",
    "IAM permission: iam:ListAccountAliases",
    "IAM permission: ec2:DescribeRegions",
    "IAM permission: config:ListDiscoveredResources",
    "AWS Config enabled in at least one region",
];

/// The output of a run.
struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
    directory: TempDir,
}

impl Outcome {
    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns the rows of the CSV without the header: region, resource type, total.
    fn rows(&self) -> Vec<(String, String, u64)> {
        let csv = self.file(&format!("{NAME}.csv"));
        let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
        csv.lines()
            .skip(1)
            .map(fields)
            .map(|f| (f[2].clone(), f[3].clone(), f[4].parse().unwrap()))
            .collect()
    }

    /// Returns the lines of stdout that begin with one of `starts`, in order.
    fn lines_with(&self, starts: &[&str]) -> Vec<&str> {
        let is_selected = |line: &&str| starts.iter().any(|s| line.starts_with(s));
        self.stdout.lines().filter(is_selected).collect()
    }
}

fn replay(case: &str, args: &[&str]) -> Outcome {
    replay_in(TempDir::new().unwrap(), case, args)
}

fn replay_in(directory: TempDir, case: &str, args: &[&str]) -> Outcome {
    replay_from(Case::named(case).recording().path(), directory, args)
}

fn replay_from(recording: &Path, directory: TempDir, args: &[&str]) -> Outcome {
    let run = Command::new(env!("CARGO_BIN_EXE_aws-config-resource-count"))
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .arg("--replay")
        .arg(recording)
        .arg("--output-dir")
        .arg(directory.path())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Outcome {
        code: run.status.code().unwrap(),
        stdout: String::from_utf8(run.stdout).unwrap(),
        stderr: String::from_utf8(run.stderr).unwrap(),
        directory,
    }
}

#[test]
fn eight_checks_are_printed_with_colored_marks() {
    let run = replay("demo", &["--color", "always"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "Verifying prerequisites...");
    for (line, check) in lines[1..9].iter().zip(CHECKS) {
        assert!(
            line.starts_with(&format!("\x1b[92m✓\x1b[0m {check}")),
            "{line}"
        );
    }
    let failing = replay("checks/access_key_invalid", &["--color", "always"]);
    for (line, check) in failing.stdout.lines().skip(4).zip(&CHECKS[3..]) {
        assert_eq!(line, format!("\x1b[91m✗\x1b[0m {check}"));
    }
    let plain = replay("checks/access_key_invalid", &[]);
    assert!(!plain.stdout.contains('\x1b'), "color without a terminal");
}

#[test]
fn failed_checks_are_listed_and_logged() {
    let run = replay("checks/no_credentials", &[]);
    assert_eq!(run.code, 1);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines.iter().filter(|l| l.starts_with(['✓', '✗'])).count(),
        8
    );
    assert!(lines[9].starts_with("-----"), "{}", lines[9]);
    assert_eq!(lines[10], "PREREQUISITE FAILURES:");
    let file = run.file("aws_config_resource_count_errors.txt");
    assert_eq!(run.stderr, file, "stderr and the error log");
    for (n, check) in CHECKS[2..].iter().enumerate() {
        assert!(
            lines[11 + n].starts_with(&format!("  - {check}: ")),
            "{}",
            lines[11 + n]
        );
        let logged = format!("] [PREREQUISITE] Message: {check}: ");
        assert!(file.lines().nth(n).unwrap().contains(&logged), "{file}");
    }
    assert!(
        lines[12].ends_with("skipped: check 3 failed"),
        "{}",
        lines[12]
    );
    assert_eq!(
        fs::read_dir(run.directory.path()).unwrap().count(),
        1,
        "no CSV"
    );
}

#[test]
fn error_log_of_earlier_run_is_deleted() {
    let directory = TempDir::new().unwrap();
    for name in [
        &format!("{NAME}_errors.txt"),
        "aws_config_resource_count_errors.txt",
    ] {
        fs::write(directory.path().join(name), "old\n").unwrap();
    }
    let run = replay_in(directory, "demo", &[]);
    assert!(!run.file(&format!("{NAME}_errors.txt")).contains("old"));
    assert!(!run.path("aws_config_resource_count_errors.txt").exists());
}

#[test]
fn default_resource_types_match_specification() {
    // Copied from the specification.
    let specified = "AWS::EC2::Instance, AWS::EC2::Volume, AWS::EC2::SecurityGroup, AWS::EC2::VPC, \
                     AWS::S3::Bucket, AWS::RDS::DBInstance, AWS::Lambda::Function, AWS::IAM::Role, \
                     AWS::IAM::User, AWS::DynamoDB::Table";
    let counted: BTreeSet<String> = replay("demo", &[])
        .rows()
        .into_iter()
        .map(|r| r.1)
        .collect();
    let specified: BTreeSet<String> = specified.split(", ").map(str::to_owned).collect();
    assert_eq!(counted, specified);
}

#[test]
fn csv_has_sorted_rows_above_zero() {
    let run = replay("demo", &[]);
    let csv = run.file(&format!("{NAME}.csv"));
    assert!(csv.starts_with("account,alias,region,resource_type,total\r\n"));
    for line in csv.lines().skip(1) {
        assert!(line.starts_with("123456789012,acme-production,"), "{line}");
    }
    let rows = run.rows();
    let mut sorted = rows.clone();
    sorted.sort();
    assert_eq!(rows, sorted);
    assert!(rows.iter().all(|(_, _, total)| *total > 0));
    let without = replay("scan/no_alias", &[TWO_TYPES]);
    let names = fs::read_dir(without.directory.path()).unwrap();
    let names: Vec<_> = names
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.contains(&"aws_config_resource_count_012345678901.csv".to_owned()),
        "{names:?}"
    );
}

#[test]
fn every_page_counts_despite_empty_pages() {
    // In the recording, one type has three pages with resources, the other an empty page between two.
    let rows = replay("demo", &[]).rows();
    let total = |name: &str| {
        let row = rows
            .iter()
            .find(|(region, t, _)| region == "us-east-1" && t == name);
        row.unwrap().2
    };
    let recorded = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures/demo/interactions/config.us-east-1.amazonaws.com.json"),
    )
    .unwrap();
    let recorded: serde_json::Value = serde_json::from_str(&recorded).unwrap();
    for name in ["AWS::EC2::Volume", "AWS::Lambda::Function"] {
        let pages: Vec<usize> = recorded["interactions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|i| i["request"]["body"]["resourceType"] == name)
            .filter_map(|i| i["response"]["body"]["resourceIdentifiers"].as_array())
            .map(Vec::len)
            .collect();
        assert_eq!(pages.len(), 3, "{name}");
        assert_eq!(total(name), pages.iter().sum::<usize>() as u64, "{name}");
    }
}

#[test]
fn progress_bar_is_fifty_wide() {
    let run = replay("demo", &[]);
    let bar = format!("Progress: [{}] 17/17\n", "█".repeat(50));
    let after = run.stderr.split_once(&bar).map(|(_, after)| after);
    let after = after.unwrap_or_else(|| panic!("{}", run.stderr));
    // Stale counts are known, and logged, only when all regions are finished.
    let is_stale =
        |line: &str| line.contains("] [CONFIG_DISABLED] Region: us-west-1, Message: stale");
    assert_eq!(
        after.lines().filter(|line| !is_stale(line)).count(),
        0,
        "{after}"
    );
    assert_eq!(after.lines().count(), 1, "{after}");
    assert_eq!(
        run.stderr.matches("Progress: ").count(),
        1,
        "only its final state"
    );
    let without = replay("demo", &["--no-progress"]);
    assert!(!without.stderr.contains("Progress"));
}

#[test]
fn console_output_follows_specified_order() {
    let run = replay("demo", &[]);
    let csv = run.path(&format!("{NAME}.csv")).display().to_string();
    let errors = run
        .path(&format!("{NAME}_errors.txt"))
        .display()
        .to_string();
    let flow = run.lines_with(&[
        "Verifying",
        "Scanning",
        "Found",
        "Results",
        "Errors logged",
        "Summary",
    ]);
    let expected = [
        "Verifying prerequisites...".to_owned(),
        "Scanning AWS account: 123456789012 (acme-production)".to_owned(),
        "Found 17 enabled regions".to_owned(),
        "Scanning 17 regions...".to_owned(),
        format!("Results written to {csv}"),
        format!("Errors logged to {errors}"),
        "Summary".to_owned(),
    ];
    assert_eq!(flow, expected);
}

#[test]
fn summary_has_four_figures_and_log_path() {
    let run = replay("demo", &[]);
    let rows = run.rows();
    let total: u64 = rows.iter().map(|r| r.2).sum();
    let types: BTreeSet<&String> = rows.iter().map(|r| &r.1).collect();
    let errors = run.file(&format!("{NAME}_errors.txt")).lines().count();
    let figure = |name: &str| {
        let line = run.lines_with(&[&format!("  {name}: ")])[0].to_owned();
        let figure = line.split(": ").nth(1).unwrap().to_owned();
        let number = figure.trim_start_matches("at least ");
        number.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(figure("Regions scanned"), 17);
    assert_eq!(figure("Resource types found"), types.len() as u64);
    assert_eq!(figure("Total resources"), 459, "IAM is counted once");
    let line = run.lines_with(&["  Total resources"])[0];
    let sum = format!("the CSV's rows add up to {total}: IAM is in 2 regions");
    assert!(line.contains(&sum), "{line}");
    assert_eq!(figure("Errors encountered"), errors as u64);
    let line = run.lines_with(&["  Errors encountered"])[0];
    assert!(line.contains(&format!("{NAME}_errors.txt")), "{line}");
    let coverage = run.lines_with(&["  Coverage: "]);
    let expected = "  Coverage: 134 of 170 counts known, 8 stale, 28 missing (17 regions × 10 types) · \
                    0.0 s, 198 requests, 2 throttled and retried";
    assert_eq!(coverage, [expected], "the summary shows missing counts");
}

#[test]
fn unwritable_error_log_leaves_errors_on_stderr() {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join(format!("{NAME}_errors.txt"))).unwrap();
    let run = replay_in(directory, "demo", &[]);
    assert_eq!(run.code, 0);
    assert_eq!(
        run.stderr
            .matches("] [PERMISSION] Region: sa-east-1")
            .count(),
        10
    );
    assert!(
        run.stderr.contains("errors are shown only here"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout.contains("Errors encountered: 13 (see above)"),
        "{}",
        run.stdout
    );
    assert_eq!(run.rows().len(), replay("demo", &[]).rows().len());
}

#[test]
fn missing_output_directory_is_created() {
    let directory = TempDir::new().unwrap();
    let missing = directory.path().join("missing");
    let run = Command::new(env!("CARGO_BIN_EXE_aws-config-resource-count"))
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .args(["--replay", "fixtures/demo", "--output-dir"])
        .arg(&missing)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0));
    assert!(
        missing
            .join("aws_config_resource_count_123456789012_acme-production.csv")
            .exists()
    );
}

#[test]
fn exit_code_matches_specification() {
    for (case, args, code) in [
        ("demo", &[][..], 0),
        ("demo", &["--strict"], 3),
        ("scan/empty_account", &["--strict", TWO_TYPES], 0),
        ("checks/access_key_invalid", &[], 1),
        ("demo", &["--no-such-option"], 2),
    ] {
        assert_eq!(replay(case, args).code, code, "{case} {args:?}");
    }
    let missing = Path::new("no-such-recording");
    let run = replay_from(missing, TempDir::new().unwrap(), &[]);
    assert_eq!(run.code, 2);
}

#[test]
fn quiet_prints_only_errors() {
    let run = replay("demo", &["--quiet"]);
    assert_eq!(run.stdout, "");
    assert_eq!(run.stderr, run.file(&format!("{NAME}_errors.txt")));
}

#[test]
fn readme_shows_output_of_demo() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let run = replay("demo", &[]);
    let directory = run.directory.path().display().to_string() + "/";
    for line in run.stdout.lines().filter(|l| !l.contains("replaying")) {
        let line = line.replace(&directory, "");
        assert!(readme.lines().any(|l| l == line), "{line}");
    }
}
