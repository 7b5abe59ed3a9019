//! Replays every directory of `fixtures` through the library: command line, checks, scan, CSV and
//! error log. Only the network, the clock and the waits are replaced.
//!
//! A case is one row of [`CASES`]: a fixture directory, its arguments and its exit code. The directory
//! holds `env.json`, optionally `home/.aws/`, the recorded requests and responses in `interactions/`,
//! and the expected files: `expected.csv`, `expected_coverage.csv`, `expected_verify.csv`,
//! `expected_errors.txt` and `expected_stdout.txt`. If one of the first four is absent, the run must
//! not write that file. Stdout is compared only if its expected file exists.
//!
//! - One case: `CASE=no_alias cargo test --test replay`. An unknown name fails.
//! - Rewrite the expected files: `UPDATE_EXPECTED=1 cargo test --test replay expected_files`, also
//!   with `CASE`. Review the difference like code: users see these files.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::commands;
use aws_config_resource_count::console::{Bar, Console};
use aws_config_resource_count::coverage::Status;
use aws_config_resource_count::error_log::ErrorType;
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::model::{Region, ResourceType};
use aws_config_resource_count::recording::{RecordedEnv, ReplayClient, VirtualClock};
use aws_config_resource_count::runtime::Runtime;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

use table::Row;

/// The time at which every replay starts. Each backoff waits for half of its maximum.
const NOW: OffsetDateTime = datetime!(2026-11-24 12:00:00 UTC);

const TWO_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket";
const ONE_TYPE: &str = "--resource-types=AWS::EC2::VPC";
const THREE_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket,AWS::DynamoDB::Table";
const FOUR_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket,AWS::DynamoDB::Table,\
    AWS::Lambda::Function";
const ROLES: &str = "--resource-types=AWS::IAM::Role";
const ROLES_AND_USERS: &str = "--resource-types=AWS::IAM::Role,AWS::IAM::User";
const VPCS_AND_ROLES: &str = "--resource-types=AWS::EC2::VPC,AWS::IAM::Role";
const MANY_TYPES: &str = "--resource-types=@fixtures/counts_of_more_than_twenty_types/types.txt";
/// The checks list the first type.
const SIX_TYPES: &str = "--resource-types=AWS::Lambda::Function,AWS::EC2::VPC,AWS::S3::Bucket,\
    AWS::IAM::Role,AWS::IAM::User,AWS::DynamoDB::Table";
/// The ten default types; the checks list the first one.
const TEN_TYPES: &str = "--resource-types=AWS::DynamoDB::Table,AWS::EC2::Instance,\
    AWS::EC2::Volume,AWS::EC2::SecurityGroup,AWS::EC2::VPC,AWS::S3::Bucket,AWS::RDS::DBInstance,\
    AWS::Lambda::Function,AWS::IAM::Role,AWS::IAM::User";

/// A recorded run: the fixture directory, the command-line arguments and the exit code.
struct Case {
    directory: &'static str,
    args: &'static [&'static str],
    exit_code: u8,
}

impl Row for Case {
    fn name(&self) -> &str {
        self.directory
    }
}

const fn case(directory: &'static str, args: &'static [&'static str], exit_code: u8) -> Case {
    Case {
        directory,
        args,
        exit_code,
    }
}

const CASES: &[Case] = &[
    case("demo", &[], 0),
    // The account.
    case("no_alias", &[TWO_TYPES], 0),
    case("empty_account", &[TWO_TYPES, "--coverage"], 0),
    case(
        "third_party_type",
        &["--resource-types=Datadog::Monitors::Monitor", "--coverage"],
        0,
    ),
    // Responses in the scan.
    case("throttled_to_the_end", &[TWO_TYPES, "--coverage"], 0),
    case("throttled_and_then_answered", &[TWO_TYPES], 0),
    case("no_recorder_in_the_region", &[TWO_TYPES, "--coverage"], 0),
    case(
        "access_denied_type_by_type",
        &[TWO_TYPES, "--strict", "--coverage"],
        3,
    ),
    case("account_not_subscribed", &[TWO_TYPES], 0),
    case("region_not_opted_in", &[TWO_TYPES, "--coverage"], 0),
    case("session_token_of_the_global_endpoint", &[TWO_TYPES], 0),
    case(
        "type_never_discovered",
        &[TWO_TYPES, "--strict", "--coverage"],
        0,
    ),
    case("connection_lost", &[THREE_TYPES, "--coverage"], 0),
    case("no_answer_in_time", &[THREE_TYPES, "--coverage"], 0),
    case("host_not_found", &[THREE_TYPES, "--coverage"], 0),
    case("certificate_not_trusted", &[THREE_TYPES, "--coverage"], 0),
    case("answer_too_large", &[TWO_TYPES], 0),
    case(
        "credentials_expire_in_the_scan",
        &[TWO_TYPES, "--coverage"],
        1,
    ),
    case("clock_goes_wrong_in_the_scan", &[TWO_TYPES], 1),
    case("another_error_code", &[TWO_TYPES, "--coverage"], 0),
    case("answers_that_are_no_listing", &[SIX_TYPES, "--coverage"], 0),
    case("errors_of_every_shape", &[TEN_TYPES], 0),
    case("page_cut_on_its_way", &[TWO_TYPES, "--strict"], 0),
    case("page_cut_every_time", &[TWO_TYPES, "--strict"], 3),
    case("pages_with_and_without_resources", &[TWO_TYPES], 0),
    case(
        "listing_breaks_off_in_the_middle",
        &[TWO_TYPES, "--strict"],
        3,
    ),
    case("denied_in_the_middle_of_a_listing", &[TWO_TYPES], 0),
    case(
        "region_lost_in_the_middle_of_a_listing",
        &[TWO_TYPES, "--coverage"],
        0,
    ),
    case("same_page_token_twice", &[TWO_TYPES], 0),
    case("hostile_texts", &[TWO_TYPES, "--coverage"], 0),
    case("recording_with_a_gap", &[TWO_TYPES, "--coverage"], 0),
    // The checks.
    case("no_credentials", &[], 1),
    case("region_variable_is_no_region", &[], 1),
    case("profile_that_signs_in", &[], 1),
    case("identity_refused", &[], 1),
    case("alias_denied", &[], 1),
    case("regions_denied", &[], 1),
    case("listing_denied", &[], 1),
    case("config_enabled_nowhere", &[], 1),
    case("every_check_fails", &[], 1),
    case("wrong_secret", &[], 1),
    case("clock_wrong_from_the_start", &[], 1),
    case("captive_portal", &[], 1),
    case(
        "exactly_the_specified_permissions",
        &[TWO_TYPES, "--coverage"],
        0,
    ),
    case(
        "exactly_the_specified_permissions_and_no_recorder_at_home",
        &[TWO_TYPES],
        0,
    ),
    case("config_enabled_elsewhere", &[TWO_TYPES], 0),
    case("recorder_stopped", &[TWO_TYPES, "--coverage"], 0),
    // Partitions, profiles and regions.
    case("govcloud_account", &[TWO_TYPES], 0),
    case("china_account", &[TWO_TYPES], 0),
    case("profile_with_a_region", &[TWO_TYPES], 0),
    case(
        "profile_on_the_command_line",
        &[ONE_TYPE, "--profile=audit"],
        0,
    ),
    case("only_these_regions", &[TWO_TYPES, "--regions=eu-west-1"], 0),
    case(
        "all_regions_but_these",
        &[TWO_TYPES, "--exclude-regions=us-east-1,eu-central-1"],
        0,
    ),
    case(
        "asked_for_a_region_that_is_not_enabled",
        &[ONE_TYPE, "--regions=eu-west-1,ap-east-1", "--coverage"],
        0,
    ),
    case(
        "no_region_left",
        &[ONE_TYPE, "--exclude-regions=eu-west-1,us-east-1"],
        1,
    ),
    case("one_endpoint_for_all_services", &[TWO_TYPES], 0),
    // Endpoints.
    case("fips_in_govcloud", &[TWO_TYPES], 0),
    case("fips_and_dual_stack_of_a_profile", &[TWO_TYPES], 0),
    case("fips_with_an_endpoint_of_ones_own", &[], 1),
    case("services_section_of_a_profile", &[TWO_TYPES], 0),
    case("services_section_missing", &[], 1),
    // Statuses of regions and types.
    case(
        "every_status_at_once",
        &[FOUR_TYPES, "--coverage", "--max-attempts=3"],
        0,
    ),
    case(
        "recorder_half_known",
        &[THREE_TYPES, "--coverage", "--strict"],
        3,
    ),
    case(
        "types_not_recorded",
        &[THREE_TYPES, "--coverage", "--strict"],
        3,
    ),
    case(
        "global_resources_by_id",
        &[ROLES, "--coverage", "--strict"],
        0,
    ),
    case(
        "global_resources_by_the_largest_region",
        &[ROLES_AND_USERS, "--method=counts", "--coverage"],
        0,
    ),
    case(
        "global_resources_recorded_in_one_region",
        &[VPCS_AND_ROLES, "--coverage", "--strict"],
        0,
    ),
    // Methods of counting.
    case(
        "counts_in_one_call",
        &[THREE_TYPES, "--method=counts", "--coverage", "--strict"],
        0,
    ),
    case(
        "counts_of_all_types",
        &["--resource-types=all", "--method=counts", "--coverage"],
        0,
    ),
    case(
        "counts_that_do_not_add_up",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_with_the_recorder_stopped",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_without_a_recorder",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_with_recorder_unknown",
        &[THREE_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_denied_in_a_region",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_of_more_than_twenty_types",
        &[MANY_TYPES, "--method=counts", "--coverage"],
        0,
    ),
    case(
        "all_types_listed",
        &["--resource-types=all", "--coverage"],
        0,
    ),
    case(
        "all_types_nothing_reached",
        &[
            "--resource-types=all",
            "--exclude-regions=us-east-1",
            "--coverage",
            "--strict",
        ],
        3,
    ),
    case(
        "verify_without_a_difference",
        &[TWO_TYPES, "--method=verify", "--coverage", "--strict"],
        0,
    ),
    case(
        "verify_with_differences",
        &[THREE_TYPES, "--method=verify", "--coverage", "--strict"],
        3,
    ),
    case(
        "verify_where_the_counts_are_denied",
        &[TWO_TYPES, "--method=verify", "--coverage", "--strict"],
        3,
    ),
    case(
        "verify_of_all_types",
        &[
            "--resource-types=all",
            "--method=verify",
            "--coverage",
            "--strict",
        ],
        3,
    ),
    // Without the checks.
    case(
        "skip_checks",
        &[TWO_TYPES, "--skip-checks", "--coverage"],
        0,
    ),
    case("skip_checks_without_credentials", &["--skip-checks"], 1),
    case("skip_checks_alias_denied", &["--skip-checks"], 1),
];

/// A writer whose text the test reads.
#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl SharedBuffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The result of a replay.
struct Outcome {
    exit_code: u8,
    /// With the output directory replaced by `out`, as in `stderr`.
    stdout: String,
    stderr: String,
    /// The lines of `--debug`.
    trace: String,
    /// The files in the output directory, by name.
    files: BTreeMap<String, Vec<u8>>,
    left_over: Vec<String>,
}

/// The number of threads in a replay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// One thread, as with `--replay`.
    One,
    /// One thread per region, as against AWS.
    Many,
}

impl Case {
    fn named(directory: &str) -> &'static Self {
        CASES.iter().find(|c| c.directory == directory).unwrap()
    }

    /// Returns the fixture directory relative to the package root, as on a user's command line.
    fn path(&self) -> PathBuf {
        Path::new("fixtures").join(self.directory)
    }

    fn expected(&self, file: &str) -> Option<Vec<u8>> {
        let path = self.path().join(file);
        path.exists().then(|| fs::read(&path).unwrap())
    }

    fn replay(&self, threads: Threads) -> Outcome {
        self.replay_from(&self.path(), threads, None)
    }

    /// Replays the recording in `directory` with this case's arguments.
    fn replay_from(&self, directory: &Path, threads: Threads, record: Option<&Path>) -> Outcome {
        let temporary = tempfile::tempdir().unwrap();
        let out = temporary.path().join("out");
        fs::create_dir(&out).unwrap();
        let before = read_tree(directory);

        let mut args: Vec<OsString> = vec!["aws-config-resource-count".into()];
        args.extend(self.args.iter().map(OsString::from));
        args.extend(["--output-dir".into(), out.clone().into()]);
        if threads == Threads::One {
            args.extend(["--replay".into(), directory.into()]);
        } else {
            // After a failure the scan skips the remaining types; the recording has no responses for them.
            args.push("--region-concurrency=1".into());
        }
        if let Some(directory) = record {
            args.extend(["--record".into(), directory.into()]);
        }
        let Ok(Command::Run(config, _)) = cli::parse(args) else {
            panic!("{}: {:?} do not start a scan", self.directory, self.args)
        };
        let replay = Arc::new(ReplayClient::open(directory, NOW).unwrap());
        let sender = replay.clone();
        let runtime = Runtime {
            env: Arc::new(RecordedEnv::open(directory).unwrap()),
            clock: Arc::new(VirtualClock::new(NOW)),
            interrupt: Interrupt::default(),
            jitter: || 0.5,
            connect: Box::new(move |_, _| Ok(sender.clone())),
        };
        let (stdout, stderr, trace) = (
            SharedBuffer::default(),
            SharedBuffer::default(),
            SharedBuffer::default(),
        );
        let mut console = Console {
            out: Box::new(stdout.clone()),
            err: Box::new(stderr.clone()),
            color: false,
            bar: Bar::FinalOnly,
            quiet: false,
            shared_terminal: false,
            bar_on_screen: None,
        };
        let log = trace.clone();
        let write_line =
            move |line: &dyn std::fmt::Display| writeln!(log.clone(), "{line}").unwrap();
        let exit =
            commands::run_guarded(&config, &runtime, &mut console, Some(Arc::new(write_line)));

        assert_eq!(
            file_names(temporary.path()),
            ["out"],
            "files outside the output directory"
        );
        assert_eq!(read_tree(directory), before, "the recording changed");
        let text = |screen: &SharedBuffer| screen.text().replace(out.to_str().unwrap(), "out");
        Outcome {
            exit_code: exit.code(),
            stdout: text(&stdout),
            stderr: text(&stderr),
            trace: trace.text(),
            files: read_tree(&out),
            left_over: replay.left_over(),
        }
    }
}

/// Returns the sorted names in a directory.
fn file_names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Returns every file below a directory, by its relative path.
fn read_tree(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for name in file_names(directory) {
            let path = directory.join(name);
            if path.is_dir() {
                walk(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(directory, directory, &mut files);
    files
}

#[test]
fn replay_output_matches_expected_files() {
    table::check_rows(CASES, check_output);
}

/// Compares everything a user sees with the expected files; checks that nothing else happened.
fn check_output(case: &Case) {
    let outcome = case.replay(Threads::One);
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        case.write_expected(&outcome);
    }
    let errors = outcome.file("_errors.txt");
    for (suffix, expected) in FILES {
        let written = outcome.file(suffix);
        assert_same_text(expected, written.as_deref(), case.expected(expected));
    }
    if let Some(expected) = case.expected("expected_stdout.txt") {
        assert_same_text("stdout", Some(&outcome.stdout), Some(expected));
    }
    assert_eq!(outcome.exit_code, case.exit_code, "exit code");

    assert_eq!(
        outcome.printed_errors(),
        errors.unwrap_or_default(),
        "stderr and the error log have the same errors"
    );
    assert_eq!(
        outcome.left_over, [""; 0],
        "recorded responses without a request"
    );
    let unrecorded = outcome.unrecorded_requests();
    let is_incomplete = case.directory == INCOMPLETE_RECORDING;
    assert_eq!(
        !unrecorded.is_empty(),
        is_incomplete,
        "requests without a recorded response: {unrecorded:#?}"
    );
    for name in outcome.files.keys() {
        assert!(
            outcome.stdout.contains(&format!("out/{name}\n")),
            "stdout does not name {name}"
        );
    }
    let secrets = secrets(case);
    let files = outcome.files.values().map(|bytes| text(bytes));
    for shown in [&outcome.stdout, &outcome.stderr, &outcome.trace]
        .into_iter()
        .cloned()
        .chain(files)
    {
        for secret in &secrets {
            assert!(!shown.contains(secret), "a secret is shown: {shown}");
        }
    }
}

/// The suffix of each output file and the expected file to compare it with. The first suffix that
/// matches applies.
const FILES: [(&str, &str); 4] = [
    ("_errors.txt", "expected_errors.txt"),
    ("_coverage.csv", "expected_coverage.csv"),
    ("_verify.csv", "expected_verify.csv"),
    (".csv", "expected.csv"),
];

/// The only recording without a response to one of its requests.
const INCOMPLETE_RECORDING: &str = "recording_with_a_gap";

/// A part of the message about a request without a recorded response.
const NO_RESPONSE_LEFT: &str = "the recording has no response left for ";

/// Returns the suffix in [`FILES`] that `name` ends in.
fn suffix_of(name: &str) -> &'static str {
    let mut suffixes = FILES.iter().map(|(suffix, _)| *suffix);
    let own = suffixes.find(|suffix| name.ends_with(suffix));
    own.unwrap_or_else(|| panic!("{name} has no expected file"))
}

impl Outcome {
    /// Returns the only file with this suffix; `.csv` is only the file of the counts.
    fn file(&self, suffix: &str) -> Option<String> {
        assert_eq!(suffix_of(suffix), suffix);
        let mut found = self
            .files
            .iter()
            .filter(|(name, _)| suffix_of(name) == suffix);
        let file = found.next().map(|(_, bytes)| text(bytes));
        assert!(found.next().is_none(), "two files end in {suffix}");
        file
    }

    /// Returns the CSV, the coverage and the differences.
    fn tables(&self) -> [Option<String>; 3] {
        [".csv", "_coverage.csv", "_verify.csv"].map(|suffix| self.file(suffix))
    }

    /// Returns the lines that report a request without a recorded response.
    fn unrecorded_requests(&self) -> Vec<String> {
        let files = self.files.values().map(|bytes| text(bytes));
        let shown = [&self.stdout, &self.stderr, &self.trace].map(String::clone);
        let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut lines: Vec<String> = files.chain(shown).flat_map(lines).collect();
        lines.retain(|line| line.contains(NO_RESPONSE_LEFT));
        lines
    }

    /// Returns the errors on stderr: every line except the progress bar.
    fn printed_errors(&self) -> String {
        let lines = self.stderr.split_inclusive('\n');
        lines
            .filter(|line| !line.starts_with("Progress: ["))
            .collect()
    }

    /// Returns the sorted lines of the error log without their times.
    fn log_messages(&self) -> Vec<String> {
        let errors = self.file("_errors.txt").unwrap_or_default();
        let mut lines: Vec<String> = errors
            .lines()
            .map(|l| l[TIMESTAMP_LEN..].to_owned())
            .collect();
        lines.sort();
        lines
    }
}

impl Case {
    fn write_expected(&self, outcome: &Outcome) {
        let stdout = self
            .expected("expected_stdout.txt")
            .map(|_| outcome.stdout.clone());
        let files = FILES.map(|(suffix, expected)| (expected, outcome.file(suffix)));
        for (name, content) in files.into_iter().chain([("expected_stdout.txt", stdout)]) {
            let path = self.path().join(name);
            match content {
                Some(content) => fs::write(path, content).unwrap(),
                None if path.exists() => fs::remove_file(path).unwrap(),
                None => {}
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Fails with the first line that differs; `assert_eq!` on whole files would print both files.
fn assert_same_text(name: &str, got: Option<&str>, expected: Option<Vec<u8>>) {
    let expected = expected.map(|bytes| text(&bytes));
    if got == expected.as_deref() {
        return;
    }
    let (Some(got), Some(expected)) = (got, &expected) else {
        panic!("{name}\n     got: {got:?}\nexpected: {expected:?}");
    };
    let (mut got, mut expected) = (got.split('\n'), expected.split('\n'));
    for n in 1.. {
        let (got, expected) = (got.next(), expected.next());
        assert_eq!(
            got, expected,
            "{name}, line {n} (left: got, right: expected)"
        );
    }
}

/// Returns the access keys and tokens of a case.
fn secrets(case: &Case) -> Vec<String> {
    let env: BTreeMap<String, String> =
        serde_json::from_slice(&case.expected("env.json").unwrap()).unwrap();
    let mut secrets: Vec<String> = env
        .into_iter()
        .filter(|(name, _)| name.contains("ACCESS_KEY") || name.contains("TOKEN"))
        .map(|(_, value)| value)
        .collect();
    for file in ["home/.aws/config", "home/.aws/credentials"] {
        let text = case
            .expected(file)
            .map(|bytes| text(&bytes))
            .unwrap_or_default();
        let keys = text.lines().filter_map(|line| line.split_once(" = "));
        let keys = keys.filter(|(name, _)| name.contains("access_key"));
        secrets.extend(keys.map(|(_, value)| value.to_owned()));
    }
    secrets
}

/// `[2026-11-24T12:00:00.000Z]`
const TIMESTAMP_LEN: usize = 26;

/// Returns true if a line has the form `[time] [TYPE] Region: …, Resource: …, Message: …`. Region and
/// resource type are optional.
fn is_log_line(line: &str) -> bool {
    let parse = || {
        let (time, rest) = line.strip_prefix('[')?.split_once("] [")?;
        let utc = time.len() == 24 && time.ends_with('Z');
        OffsetDateTime::parse(time, &Rfc3339).ok().filter(|_| utc)?;
        let (kind, mut rest) = rest.split_once("] ")?;
        ErrorType::ALL.iter().find(|t| t.as_str() == kind)?;
        if let Some(after) = rest.strip_prefix("Region: ") {
            let (region, after) = after.split_once(", ")?;
            region.parse::<Region>().ok()?;
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("Resource: ") {
            let (resource_type, after) = after.split_once(", ")?;
            resource_type.parse::<ResourceType>().ok()?;
            rest = after;
        }
        let message = rest.strip_prefix("Message: ")?;
        (!message.is_empty() && !message.contains(char::is_control)).then_some(())
    };
    parse().is_some()
}

#[test]
fn fixture_directories_match_cases() {
    let mut cases: Vec<&str> = CASES.iter().map(|c| c.directory).collect();
    cases.sort_unstable();
    assert_eq!(file_names(Path::new("fixtures")), cases);
}

#[test]
fn expected_errors_have_specified_form() {
    let mut kinds = BTreeSet::new();
    for case in CASES {
        let errors = case
            .expected("expected_errors.txt")
            .map(|bytes| text(&bytes));
        let errors = errors.unwrap_or_default();
        assert!(
            errors.is_empty() || errors.ends_with('\n'),
            "{}",
            case.directory
        );
        for line in errors.lines() {
            assert!(is_log_line(line), "{}: {line}", case.directory);
            kinds.insert(line[TIMESTAMP_LEN..].split(']').next().unwrap().to_owned());
        }
    }
    assert_eq!(
        kinds.len(),
        ErrorType::ALL.len(),
        "expected all ten types: {kinds:?}"
    );
    for line in [
        "",
        "[2026-11-24T12:00:00.000Z] [OTHER] Message: m",
        "[2026-11-24 12:00:00] [FATAL] Message: m",
        "[2026-11-24T12:00:00.000Z] [FATAL] Resource: AWS::S3::Bucket, Region: x, Message: m",
        "[2026-11-24T12:00:00.000Z] [FATAL] Message: a\u{7}",
        "[2026-11-24T12:00:00.000Z] [FATAL] Message: ",
    ] {
        assert!(!is_log_line(line), "{line}");
    }
}

/// A row of the coverage file.
struct CoverageRow {
    region: String,
    resource_type: String,
    status: String,
    total: Option<u64>,
    detail: String,
}

impl CoverageRow {
    /// Returns true if the count is missing.
    fn is_missing(&self) -> bool {
        self.total.is_none() && !self.is_counted_elsewhere()
    }

    /// Returns true if another region counts the same resources.
    fn is_counted_elsewhere(&self) -> bool {
        self.total.is_none() && self.detail.contains("; counted in ")
    }

    /// Returns true if the total may differ from the actual number.
    fn is_stale(&self) -> bool {
        self.total.is_some() && !["counted", "zero"].contains(&self.status.as_str())
    }
}

/// Returns the rows of a CSV file without the header, account and alias.
fn rows(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .map(|r| r.iter().skip(2).map(str::to_owned).collect())
        .collect()
}

impl Outcome {
    fn coverage(&self) -> Vec<CoverageRow> {
        let table = self.file("_coverage.csv").expect("no coverage file");
        let parse = |row: Vec<String>| {
            let [region, resource_type, status, total, detail] = row.try_into().unwrap();
            CoverageRow {
                total: (!total.is_empty()).then(|| total.parse().unwrap()),
                region,
                resource_type,
                status,
                detail,
            }
        };
        rows(&table).into_iter().map(parse).collect()
    }

    /// Returns the text after `name: ` in the summary.
    fn figure(&self, name: &str) -> &str {
        let start = format!("  {name}: ");
        let mut found = self.stdout.lines().filter_map(|l| l.strip_prefix(&start));
        let figure = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(found.next(), None, "{name} is printed twice");
        figure
    }

    /// Returns the lines about cells below the figures of the summary: `4 denied in eu-west-1: …`.
    fn reasons(&self) -> Vec<&str> {
        let lines = self.stdout.lines().filter_map(|l| l.strip_prefix("    "));
        let lines = lines.filter(|l| l.starts_with(|c: char| c.is_ascii_digit()));
        lines
            .filter(|l| !l.contains(" skipped: ec2:DescribeRegions returned invalid region names"))
            .collect()
    }
}

#[test]
fn coverage_shows_all_eleven_statuses() {
    let coverage = Case::named("every_status_at_once")
        .replay(Threads::One)
        .coverage();
    let shown: BTreeSet<&str> = coverage.iter().map(|k| k.status.as_str()).collect();
    let all = BTreeSet::from(Status::ALL.map(Status::as_str));
    assert_eq!((shown, all.len()), (all.clone(), 11));
    let statuses = all
        .into_iter()
        .map(|s| coverage.iter().filter(|k| k.status == s).count());
    assert_eq!(statuses.sum::<usize>(), 20, "five regions times four types");
}

#[test]
fn csv_and_summary_match_coverage() {
    let statuses = Mutex::new(BTreeSet::new());
    table::check_rows(CASES, |case| {
        if !case.args.contains(&"--coverage") {
            return;
        }
        let outcome = case.replay(Threads::One);
        let coverage = outcome.coverage();
        let shown = coverage.iter().map(|row| row.status.clone());
        statuses.lock().unwrap().extend(shown);
        assert_cells_are_consistent(&coverage);
        assert_csv_matches(&coverage, &outcome);
        assert_figures_match(&coverage, &outcome);
        assert_reasons_match(&coverage, &outcome);
    });
    let statuses = statuses.into_inner().unwrap();
    if table::is_complete() {
        assert_eq!(statuses.len(), Status::ALL.len(), "not all: {statuses:?}");
    }
}

fn assert_cells_are_consistent(coverage: &[CoverageRow]) {
    let key = |k: &CoverageRow| (k.region.clone(), k.resource_type.clone());
    let keys: Vec<_> = coverage.iter().map(key).collect();
    let unique: BTreeSet<_> = keys.iter().cloned().collect();
    assert!(unique.iter().eq(&keys), "not sorted, or a cell twice");
    for k in coverage {
        let zero = k.total == Some(0) && !k.is_stale();
        assert_eq!(k.status == "zero", zero, "{:?}", key(k));
        let some = k.total > Some(0) || k.status != "counted";
        assert!(some, "{:?}", key(k));
        let plain = ["counted", "zero"].contains(&k.status.as_str());
        assert!(plain || !k.detail.is_empty(), "{:?}", key(k));
    }
}

fn assert_csv_matches(coverage: &[CoverageRow], outcome: &Outcome) {
    let counted = coverage.iter().filter(|k| k.total > Some(0));
    let row = |k: &CoverageRow| {
        let total = k.total.unwrap_or_default().to_string();
        vec![k.region.clone(), k.resource_type.clone(), total]
    };
    let totals: Vec<_> = counted.map(row).collect();
    let csv = outcome.file(".csv").expect("no CSV");
    assert_eq!(rows(&csv), totals, "totals of the CSV and of the coverage");
}

fn assert_figures_match(coverage: &[CoverageRow], outcome: &Outcome) {
    let missing: Vec<&CoverageRow> = coverage.iter().filter(|k| k.is_missing()).collect();
    let regions: BTreeSet<&str> = coverage.iter().map(|k| k.region.as_str()).collect();
    let gaps: BTreeSet<&str> = missing.iter().map(|k| k.region.as_str()).collect();
    let (n, with_gaps) = (regions.len(), gaps.len());
    let expected = format!("{n} ({} complete, {with_gaps} with gaps)", n - with_gaps);
    assert_eq!(outcome.figure("Regions scanned"), expected);
    let found = coverage.iter().filter(|k| k.total > Some(0));
    let types: BTreeSet<&str> = found.map(|k| k.resource_type.as_str()).collect();
    let expected = types.len().to_string();
    assert_eq!(outcome.figure("Resource types found"), expected);

    let sum: u64 = coverage.iter().filter_map(|k| k.total).sum();
    let partial = !missing.is_empty();
    let mut totals = coverage.iter().filter(|k| k.total.is_some());
    let figure = outcome.figure("Total resources");
    if totals.any(|k| k.resource_type.starts_with("AWS::IAM::")) {
        let start = format!("{sum} as recorded, ");
        assert!(figure.starts_with(&start), "{figure}");
        assert!(figure.contains(" with IAM counted once"), "{figure}");
        let both = figure.ends_with(" (both partial)");
        assert_eq!(both, partial, "{figure}");
    } else {
        let part = if partial { " (partial)" } else { "" };
        assert_eq!(figure, format!("{sum}{part}"));
    }
    let errors = outcome.file("_errors.txt").unwrap_or_default();
    let expected = outcome.figure("Errors encountered").split(' ').next();
    assert_eq!(expected, Some(&*errors.lines().count().to_string()));

    let number = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let with_total = coverage.iter().filter(|k| k.total.is_some()).count();
    let cells = number(coverage.len(), "count") + " (regions × types) known";
    let all = if with_total == coverage.len() {
        format!("all {cells}")
    } else {
        format!("{with_total} of {cells}")
    };
    let expected = match missing.len() {
        0 => all,
        n => format!("{all}; {n} missing ({}):", number(with_gaps, "region")),
    };
    assert_eq!(outcome.figure("Coverage"), expected);
}

/// Asserts that each missing, stale or elsewhere counted cell is in exactly one line of the summary.
fn assert_reasons_match(coverage: &[CoverageRow], outcome: &Outcome) {
    let mut lines: Vec<(String, &str)> = Vec::new();
    for (matches, detail) in [
        (CoverageRow::is_missing as fn(&CoverageRow) -> bool, ""),
        (
            CoverageRow::is_counted_elsewhere,
            "counted in another region",
        ),
        (CoverageRow::is_stale, "may be stale"),
    ] {
        for status in Status::ALL {
            let is_counted = |k: &&CoverageRow| matches(k) && k.status == status.as_str();
            let cells = coverage.iter().filter(is_counted).count();
            let regions: BTreeSet<&str> = coverage
                .iter()
                .filter(is_counted)
                .map(|k| &*k.region)
                .collect();
            let named: Vec<&str> = regions.into_iter().take(3).collect();
            if cells > 0 {
                let start = format!("{cells} {status} in {}", named.join(", "));
                lines.push((start, detail));
            }
        }
    }
    let reasons = outcome.reasons();
    assert_eq!(reasons.len(), lines.len(), "{reasons:#?}");
    for (line, (start, detail)) in reasons.iter().zip(&lines) {
        let is_expected = line.starts_with(start) && line.contains(detail);
        assert!(is_expected, "{line} is not: {start} … {detail}");
    }
}

#[test]
fn demo_replayed_twenty_times_is_identical() {
    let demo = Case::named("demo");
    let first = demo.replay(Threads::One);
    for _ in 0..20 {
        let again = demo.replay(Threads::One);
        assert_eq!(again.files, first.files);
        assert_eq!(
            (again.stdout, again.stderr),
            (first.stdout.clone(), first.stderr.clone())
        );
    }
}

#[test]
fn concurrent_replay_matches_sequential_replay() {
    table::check_rows(CASES, |case| {
        // If the run stops early, the counts before it depend on the order.
        if case.exit_code == 1 {
            return;
        }
        let one = case.replay(Threads::One);
        for _ in 0..3 {
            let many = case.replay(Threads::Many);
            assert_eq!(many.exit_code, one.exit_code);
            assert_eq!(many.tables(), one.tables());
            assert_eq!(many.log_messages(), one.log_messages());
            assert_eq!(many.left_over, [""; 0]);
        }
    });
}

/// Records a replay of the case.
fn record(case: &Case) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    case.replay_from(&case.path(), Threads::One, Some(directory.path()));
    directory
}

#[test]
fn demo_recorded_again_is_identical() {
    let demo = Case::named("demo");
    let mut before = read_tree(&demo.path());
    before.retain(|name, _| !name.starts_with("expected"));
    let again = read_tree(record(demo).path());
    assert!(again.keys().eq(before.keys()), "{:?}", again.keys());
    for (name, bytes) in again {
        assert_same_text(&name, Some(&text(&bytes)), before.remove(&name));
    }
}

#[test]
fn recorded_replay_matches_original() {
    table::check_rows(CASES, |case| {
        let first = case.replay(Threads::One);
        let is_service_request =
            |line: &str| line.contains(" attempt 1: ") && line.contains(" (request id ");
        if !first.trace.lines().any(is_service_request) {
            // A recording contains only requests to AWS services, so there is nothing to replay.
            return;
        }
        let recording = record(case);
        let again = case.replay_from(recording.path(), Threads::One, None);
        // The recorder redacts keys in responses differently. Times differ because the recording has
        // fewer attempts than the replay makes.
        let comparable = |o: &Outcome| {
            let messages = o.log_messages().join("\n").replace("REDACTED", "****MPLE");
            let tables = o
                .tables()
                .map(|t| t.map(|t| t.replace("REDACTED", "****MPLE")));
            (o.exit_code, tables, messages)
        };
        assert_eq!(comparable(&again), comparable(&first));
        assert_eq!(again.left_over, [""; 0]);
    });
}
