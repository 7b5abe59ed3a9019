//! Every folder of `fixtures` replayed through the whole library: the command line, the checks, the
//! scan, the CSV and the log, with nothing left out but the network and the waiting.
//!
//! A case is a folder and one line of the table below. The folder holds `env.json`, perhaps
//! `home/.aws/`, the exchanges in `interactions/`, and what has to come of them: `expected.csv`,
//! `expected_coverage.csv`, `expected_verify.csv`, `expected_errors.txt` and `expected_stdout.txt`.
//! Where one of the first four is absent, that file must not be written; the last one is compared
//! where it stands.
//!
//! `FIXTURES_WRITE=1 cargo test --test replay case::` writes these files anew. Read the difference as
//! you would read code: it is what the user gets to see.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_config_resource_count::app;
use aws_config_resource_count::cli::{self, Command};
use aws_config_resource_count::clock::VirtualClock;
use aws_config_resource_count::console::{Bar, Console};
use aws_config_resource_count::coverage::Status;
use aws_config_resource_count::env::FolderEnv;
use aws_config_resource_count::error_log::ErrorType;
use aws_config_resource_count::http::replay::Replay;
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::model::{Region, ResourceType};
use aws_config_resource_count::world::World;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

/// When every replay begins. Each backoff waits for half of its longest time.
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
/// The first one is the one that the checks ask for.
const SIX_TYPES: &str = "--resource-types=AWS::Lambda::Function,AWS::EC2::VPC,AWS::S3::Bucket,\
    AWS::IAM::Role,AWS::IAM::User,AWS::DynamoDB::Table";
/// All common types, and first the one that the checks are to get an answer for.
const TEN_TYPES: &str = "--resource-types=AWS::DynamoDB::Table,AWS::EC2::Instance,\
    AWS::EC2::Volume,AWS::EC2::SecurityGroup,AWS::EC2::VPC,AWS::S3::Bucket,AWS::RDS::DBInstance,\
    AWS::Lambda::Function,AWS::IAM::Role,AWS::IAM::User";

/// A folder, what stands on the command line, and the exit code.
struct Case {
    folder: &'static str,
    args: &'static [&'static str],
    exit: u8,
}

/// A test for each line, named like the folder.
macro_rules! cases {
    ($($folder:ident [$($arg:expr),*] => $exit:literal)*) => {
        const CASES: &[Case] = &[
            $(Case { folder: stringify!($folder), args: &[$($arg),*], exit: $exit }),*
        ];
        mod case {
            $(#[test] fn $folder() { super::check(stringify!($folder)); })*
        }
    };
}

cases! {
    demo [] => 0

    // The account.
    no_alias [TWO_TYPES] => 0
    empty_account [TWO_TYPES, "--coverage"] => 0
    third_party_type ["--resource-types=Datadog::Monitors::Monitor", "--coverage"] => 0

    // What an answer means.
    throttled_to_the_end [TWO_TYPES, "--coverage"] => 0
    throttled_and_then_answered [TWO_TYPES] => 0
    no_recorder_in_the_region [TWO_TYPES, "--coverage"] => 0
    access_denied_type_by_type [TWO_TYPES, "--strict", "--coverage"] => 3
    account_not_subscribed [TWO_TYPES] => 0
    region_not_opted_in [TWO_TYPES, "--coverage"] => 0
    session_token_of_the_global_endpoint [TWO_TYPES] => 0
    type_never_discovered [TWO_TYPES, "--strict", "--coverage"] => 0
    connection_lost [THREE_TYPES, "--coverage"] => 0
    no_answer_in_time [THREE_TYPES, "--coverage"] => 0
    host_not_found [THREE_TYPES, "--coverage"] => 0
    certificate_not_trusted [THREE_TYPES, "--coverage"] => 0
    answer_too_large [TWO_TYPES] => 0
    credentials_expire_in_the_scan [TWO_TYPES, "--coverage"] => 1
    clock_goes_wrong_in_the_scan [TWO_TYPES] => 1
    another_error_code [TWO_TYPES, "--coverage"] => 0
    answers_that_are_no_listing [SIX_TYPES, "--coverage"] => 0
    errors_of_every_shape [TEN_TYPES] => 0
    page_cut_on_its_way [TWO_TYPES, "--strict"] => 0
    page_cut_every_time [TWO_TYPES, "--strict"] => 3
    pages_with_and_without_resources [TWO_TYPES] => 0
    listing_breaks_off_in_the_middle [TWO_TYPES, "--strict"] => 3
    denied_in_the_middle_of_a_listing [TWO_TYPES] => 0
    region_lost_in_the_middle_of_a_listing [TWO_TYPES, "--coverage"] => 0
    same_page_token_twice [TWO_TYPES] => 0
    hostile_texts [TWO_TYPES, "--coverage"] => 0
    recording_with_a_gap [TWO_TYPES, "--coverage"] => 0

    // The checks.
    no_credentials [] => 1
    region_variable_is_no_region [] => 1
    profile_that_signs_in [] => 1
    identity_refused [] => 1
    alias_denied [] => 1
    regions_denied [] => 1
    listing_denied [] => 1
    config_enabled_nowhere [] => 1
    every_check_fails [] => 1
    wrong_secret [] => 1
    clock_wrong_from_the_start [] => 1
    captive_portal [] => 1
    exactly_the_specified_permissions [TWO_TYPES, "--coverage"] => 0
    exactly_the_specified_permissions_and_no_recorder_at_home [TWO_TYPES] => 0
    config_enabled_elsewhere [TWO_TYPES] => 0
    recorder_stopped [TWO_TYPES, "--coverage"] => 0

    // Whose account, and which regions.
    govcloud_account [TWO_TYPES] => 0
    china_account [TWO_TYPES] => 0
    profile_with_a_region [TWO_TYPES] => 0
    profile_on_the_command_line [ONE_TYPE, "--profile=audit"] => 0
    only_these_regions [TWO_TYPES, "--regions=eu-west-1"] => 0
    all_regions_but_these [TWO_TYPES, "--exclude-regions=us-east-1,eu-central-1"] => 0
    asked_for_a_region_that_is_not_enabled [ONE_TYPE, "--regions=eu-west-1,ap-east-1", "--coverage"] => 0
    no_region_left [ONE_TYPE, "--exclude-regions=eu-west-1,us-east-1"] => 1
    one_endpoint_for_all_services [TWO_TYPES] => 0

    // Which endpoints.
    fips_in_govcloud [TWO_TYPES] => 0
    fips_and_dual_stack_of_a_profile [TWO_TYPES] => 0
    fips_with_an_endpoint_of_ones_own [] => 1
    services_section_of_a_profile [TWO_TYPES] => 0
    services_section_that_is_not_there [] => 1

    // What is known of every region and type.
    every_status_at_once [FOUR_TYPES, "--coverage", "--max-attempts=3"] => 0
    recorder_half_known [THREE_TYPES, "--coverage", "--strict"] => 3
    types_not_recorded [THREE_TYPES, "--coverage", "--strict"] => 3
    global_resources_by_id [ROLES, "--coverage", "--strict"] => 0
    global_resources_by_the_largest_region [ROLES_AND_USERS, "--method=counts", "--coverage"] => 0
    global_resources_recorded_in_one_region [VPCS_AND_ROLES, "--coverage", "--strict"] => 0

    // How to count.
    counts_in_one_call [THREE_TYPES, "--method=counts", "--coverage", "--strict"] => 0
    counts_of_all_types ["--resource-types=all", "--method=counts", "--coverage"] => 0
    counts_that_do_not_add_up [TWO_TYPES, "--method=counts", "--coverage", "--strict"] => 3
    counts_with_the_recorder_stopped [TWO_TYPES, "--method=counts", "--coverage", "--strict"] => 3
    counts_without_a_recorder [TWO_TYPES, "--method=counts", "--coverage", "--strict"] => 3
    counts_with_recorder_unknown [THREE_TYPES, "--method=counts", "--coverage", "--strict"] => 3
    counts_denied_in_a_region [TWO_TYPES, "--method=counts", "--coverage", "--strict"] => 3
    counts_of_more_than_twenty_types [MANY_TYPES, "--method=counts", "--coverage"] => 0
    all_types_listed ["--resource-types=all", "--coverage"] => 0
    all_types_nothing_reached
        ["--resource-types=all", "--exclude-regions=us-east-1", "--coverage", "--strict"] => 3
    verify_without_a_difference [TWO_TYPES, "--method=verify", "--coverage", "--strict"] => 0
    verify_with_differences [THREE_TYPES, "--method=verify", "--coverage", "--strict"] => 3
    verify_where_the_counts_are_denied [TWO_TYPES, "--method=verify", "--coverage", "--strict"] => 3
    verify_of_all_types
        ["--resource-types=all", "--method=verify", "--coverage", "--strict"] => 3

    // Without the checks.
    skip_checks [TWO_TYPES, "--skip-checks", "--coverage"] => 0
    skip_checks_without_credentials ["--skip-checks"] => 1
    skip_checks_alias_denied ["--skip-checks"] => 1
}

/// A stream whose text can be looked at.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<Vec<u8>>>);

impl Screen {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What came of a replay.
struct Outcome {
    exit: u8,
    /// With `out` for the output folder, as in `stderr`.
    stdout: String,
    stderr: String,
    /// What `--debug` tells.
    trace: String,
    /// The output folder's files, by their names.
    files: BTreeMap<String, Vec<u8>>,
    left_over: Vec<String>,
}

/// How a case is replayed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Threads {
    /// As `--replay` does it.
    One,
    /// As against AWS: one for every region.
    Many,
}

impl Case {
    fn named(folder: &str) -> &'static Self {
        CASES.iter().find(|c| c.folder == folder).unwrap()
    }

    /// From here on, as on a user's command line.
    fn path(&self) -> PathBuf {
        Path::new("fixtures").join(self.folder)
    }

    fn expected(&self, file: &str) -> Option<Vec<u8>> {
        let path = self.path().join(file);
        path.exists().then(|| fs::read(&path).unwrap())
    }

    fn replay(&self, threads: Threads) -> Outcome {
        self.replay_of(&self.path(), threads, None)
    }

    /// Replays the recording in `folder` with this case's arguments.
    fn replay_of(&self, folder: &Path, threads: Threads, record: Option<&Path>) -> Outcome {
        let around = tempfile::tempdir().unwrap();
        let out = around.path().join("out");
        fs::create_dir(&out).unwrap();
        let before = tree(folder);

        let mut args: Vec<OsString> = vec!["aws-config-resource-count".into()];
        args.extend(self.args.iter().map(OsString::from));
        args.extend(["--output-dir".into(), out.clone().into()]);
        if threads == Threads::One {
            args.extend(["--replay".into(), folder.into()]);
        } else {
            // What a failure spares the types after it, a recording has not.
            args.push("--region-concurrency=1".into());
        }
        if let Some(folder) = record {
            args.extend(["--record".into(), folder.into()]);
        }
        let Ok(Command::Run(config, _)) = cli::parse(args) else {
            panic!("{}: {:?} is no run", self.folder, self.args)
        };
        let replay = Arc::new(Replay::open(folder, NOW).unwrap());
        let sender = replay.clone();
        let world = World {
            env: Arc::new(FolderEnv::open(folder).unwrap()),
            clock: Arc::new(VirtualClock::new(NOW)),
            interrupt: Interrupt::default(),
            chance: || 0.5,
            connect: Box::new(move |_, _| Ok(sender.clone())),
        };
        let (stdout, stderr, trace) = (Screen::default(), Screen::default(), Screen::default());
        let mut console = Console {
            out: Box::new(stdout.clone()),
            err: Box::new(stderr.clone()),
            color: false,
            bar: Bar::Last,
            quiet: false,
            one_screen: false,
            drawn: None,
        };
        let traced = trace.clone();
        let tell = move |line: &dyn std::fmt::Display| writeln!(traced.clone(), "{line}").unwrap();
        let exit = app::run_guarded(&config, &world, &mut console, Some(Arc::new(tell)));

        assert_eq!(
            names(around.path()),
            ["out"],
            "written outside the output folder"
        );
        assert_eq!(tree(folder), before, "the recording is not written to");
        let text = |screen: &Screen| screen.text().replace(out.to_str().unwrap(), "out");
        Outcome {
            exit: exit.code(),
            stdout: text(&stdout),
            stderr: text(&stderr),
            trace: trace.text(),
            files: tree(&out),
            left_over: replay.left_over(),
        }
    }
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every file below a folder, by its path from there on.
fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for name in names(folder) {
            let path = folder.join(name);
            if path.is_dir() {
                walk(root, &path, into);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                into.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(folder, folder, &mut files);
    files
}

/// One case: what the user gets to see, and that nothing else happened.
fn check(folder: &str) {
    let case = Case::named(folder);
    let outcome = case.replay(Threads::One);
    if std::env::var_os("FIXTURES_WRITE").is_some() {
        case.write(&outcome);
        return;
    }
    let errors = outcome.file("_errors.txt");
    for (suffix, expected) in FILES {
        let written = outcome.file(suffix);
        same(expected, written.as_deref(), case.expected(expected));
    }
    if let Some(expected) = case.expected("expected_stdout.txt") {
        same("stdout", Some(&outcome.stdout), Some(expected));
    }
    assert_eq!(outcome.exit, case.exit, "the exit code");

    assert_eq!(
        outcome.told(),
        errors.unwrap_or_default(),
        "both destinations get every error"
    );
    assert_eq!(outcome.left_over, [""; 0], "recorded and never asked for");
    if case.folder != WITH_A_GAP {
        assert_eq!(outcome.gaps(), [""; 0], "asked for and never recorded");
    }
    for name in outcome.files.keys() {
        assert!(
            outcome.stdout.contains(&format!("out/{name}\n")),
            "{name} is named on stdout"
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

/// How the names of a run's files end, and what each is compared with. A name ends in the first of
/// these that fits.
const FILES: [(&str, &str); 4] = [
    ("_errors.txt", "expected_errors.txt"),
    ("_coverage.csv", "expected_coverage.csv"),
    ("_verify.csv", "expected_verify.csv"),
    (".csv", "expected.csv"),
];

/// The one recording that lacks an answer, which is what its case is about.
const WITH_A_GAP: &str = "recording_with_a_gap";

/// Which of [`FILES`] a file is.
fn suffix_of(name: &str) -> &'static str {
    let mut suffixes = FILES.iter().map(|(suffix, _)| *suffix);
    let own = suffixes.find(|suffix| name.ends_with(suffix));
    own.unwrap_or_else(|| panic!("{name} is no file that a case compares"))
}

impl Outcome {
    /// The one file of that kind: `.csv` is the counts alone.
    fn file(&self, suffix: &str) -> Option<String> {
        assert_eq!(suffix_of(suffix), suffix);
        let mut found = self
            .files
            .iter()
            .filter(|(name, _)| suffix_of(name) == suffix);
        let file = found.next().map(|(_, bytes)| text(bytes));
        assert!(found.next().is_none(), "two files …{suffix}");
        file
    }

    /// All tables.
    fn tables(&self) -> [Option<String>; 3] {
        [".csv", "_coverage.csv", "_verify.csv"].map(|suffix| self.file(suffix))
    }

    /// Wherever it shows that the recording had no answer to a request.
    fn gaps(&self) -> Vec<String> {
        let files = self.files.values().map(|bytes| text(bytes));
        let shown = [&self.stdout, &self.stderr, &self.trace].map(String::clone);
        let lines = |text: String| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut lines: Vec<String> = files.chain(shown).flat_map(lines).collect();
        lines.retain(|line| line.contains("the recording has no answer left to "));
        lines
    }

    /// The errors on stderr: all lines but the bar's.
    fn told(&self) -> String {
        let lines = self.stderr.split_inclusive('\n');
        lines
            .filter(|line| !line.starts_with("Progress: ["))
            .collect()
    }

    /// The lines of the error file without their times, in no order.
    fn incidents(&self) -> Vec<String> {
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
    fn write(&self, outcome: &Outcome) {
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

/// Shows the first line that differs, which `assert_eq!` on a whole file would not.
fn same(what: &str, got: Option<&str>, expected: Option<Vec<u8>>) {
    let expected = expected.map(|bytes| text(&bytes));
    if got == expected.as_deref() {
        return;
    }
    let (Some(got), Some(expected)) = (got, &expected) else {
        panic!("{what}\n     got: {got:?}\nexpected: {expected:?}");
    };
    let (mut got, mut expected) = (got.split('\n'), expected.split('\n'));
    for n in 1.. {
        let (got, expected) = (got.next(), expected.next());
        assert_eq!(
            got, expected,
            "{what}, line {n} (left: got, right: expected)"
        );
    }
}

/// The keys that a case's environment holds.
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

/// Whether a line has the form `[time] [TYPE] Region: …, Resource: …, Message: …`, the region and
/// the type where it is about one.
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
fn every_folder_is_a_case() {
    let mut cases: Vec<&str> = CASES.iter().map(|c| c.folder).collect();
    cases.sort_unstable();
    assert_eq!(names(Path::new("fixtures")), cases);
}

#[test]
fn every_error_is_a_line_of_the_specified_form() {
    let mut kinds = BTreeSet::new();
    for case in CASES {
        let errors = case
            .expected("expected_errors.txt")
            .map(|bytes| text(&bytes));
        let errors = errors.unwrap_or_default();
        assert!(
            errors.is_empty() || errors.ends_with('\n'),
            "{}",
            case.folder
        );
        for line in errors.lines() {
            assert!(is_log_line(line), "{}: {line}", case.folder);
            kinds.insert(line[TIMESTAMP_LEN..].split(']').next().unwrap().to_owned());
        }
    }
    assert_eq!(
        kinds.len(),
        ErrorType::ALL.len(),
        "all ten types occur: {kinds:?}"
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

/// A row of the coverage.
struct Known {
    region: String,
    resource_type: String,
    status: String,
    total: Option<u64>,
    detail: String,
}

impl Known {
    /// Whether nobody knows how many there are.
    fn is_missing(&self) -> bool {
        self.total.is_none() && !self.is_elsewhere()
    }

    /// Whether another region counts the same resources.
    fn is_elsewhere(&self) -> bool {
        self.total.is_none() && self.detail.ends_with(" counts the same resources")
    }

    /// Whether its total stands for something else than what there is.
    fn is_noted(&self) -> bool {
        self.total.is_some() && !["counted", "zero"].contains(&self.status.as_str())
    }
}

/// The rows of a table below its header, without account and alias.
fn rows(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .map(|r| r.iter().skip(2).map(str::to_owned).collect())
        .collect()
}

impl Outcome {
    fn coverage(&self) -> Vec<Known> {
        let table = self.file("_coverage.csv").expect("a coverage");
        let known = |row: Vec<String>| {
            let [region, resource_type, status, total, detail] = row.try_into().unwrap();
            Known {
                total: (!total.is_empty()).then(|| total.parse().unwrap()),
                region,
                resource_type,
                status,
                detail,
            }
        };
        rows(&table).into_iter().map(known).collect()
    }

    /// What stands in the summary after `name: `.
    fn figure(&self, name: &str) -> &str {
        let start = format!("  {name}: ");
        let mut found = self.stdout.lines().filter_map(|l| l.strip_prefix(&start));
        let figure = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(found.next(), None, "{name} twice");
        figure
    }

    /// The lines below the summary's figures that tell of cells: `4 denied in eu-west-1: …`.
    fn reasons(&self) -> Vec<&str> {
        let lines = self.stdout.lines().filter_map(|l| l.strip_prefix("    "));
        let lines = lines.filter(|l| l.starts_with(|c: char| c.is_ascii_digit()));
        lines
            .filter(|l| !l.contains(" not asked: what ec2:DescribeRegions gave"))
            .collect()
    }
}

#[test]
fn one_run_shows_all_eleven_statuses() {
    let coverage = Case::named("every_status_at_once")
        .replay(Threads::One)
        .coverage();
    let shown: BTreeSet<&str> = coverage.iter().map(|k| k.status.as_str()).collect();
    let all = BTreeSet::from(Status::ALL.map(Status::as_str));
    assert_eq!((shown, all.len()), (all.clone(), 11));
    let statuses = all
        .into_iter()
        .map(|s| coverage.iter().filter(|k| k.status == s).count());
    assert_eq!(statuses.sum::<usize>(), 20, "five regions of four types");
}

#[test]
fn the_csv_and_the_summary_say_what_the_coverage_says() {
    let with_coverage = |c: &&Case| c.args.contains(&"--coverage");
    let mut statuses = BTreeSet::new();
    for case in CASES.iter().filter(with_coverage) {
        let outcome = case.replay(Threads::One);
        let coverage = outcome.coverage();
        statuses.extend(coverage.iter().map(|k| k.status.clone()));
        each_cell_is_sound(case.folder, &coverage);
        the_csv_has_its_totals(case.folder, &coverage, &outcome);
        the_figures_are_its_sums(case.folder, &coverage, &outcome);
        the_reasons_are_those_of_its_cells(case.folder, &coverage, &outcome);
    }
    assert_eq!(statuses.len(), Status::ALL.len(), "all: {statuses:?}");
}

fn each_cell_is_sound(name: &str, coverage: &[Known]) {
    let place = |k: &Known| (k.region.clone(), k.resource_type.clone());
    let places: Vec<_> = coverage.iter().map(place).collect();
    let once: BTreeSet<_> = places.iter().cloned().collect();
    assert!(once.iter().eq(&places), "{name}: sorted, each cell once");
    for k in coverage {
        let zero = k.total == Some(0) && !k.is_noted();
        assert_eq!(k.status == "zero", zero, "{name}: {:?}", place(k));
        let some = k.total > Some(0) || k.status != "counted";
        assert!(some, "{name}: {:?}", place(k));
        let plain = ["counted", "zero"].contains(&k.status.as_str());
        assert!(plain || !k.detail.is_empty(), "{name}: {:?}", place(k));
    }
}

fn the_csv_has_its_totals(name: &str, coverage: &[Known], outcome: &Outcome) {
    let counted = coverage.iter().filter(|k| k.total > Some(0));
    let row = |k: &Known| {
        let total = k.total.unwrap_or_default().to_string();
        vec![k.region.clone(), k.resource_type.clone(), total]
    };
    let totals: Vec<_> = counted.map(row).collect();
    let csv = outcome.file(".csv").expect("a CSV");
    assert_eq!(rows(&csv), totals, "{name}: no total more, and none less");
}

fn the_figures_are_its_sums(name: &str, coverage: &[Known], outcome: &Outcome) {
    let missing: Vec<&Known> = coverage.iter().filter(|k| k.is_missing()).collect();
    let regions: BTreeSet<&str> = coverage.iter().map(|k| k.region.as_str()).collect();
    let gaps: BTreeSet<&str> = missing.iter().map(|k| k.region.as_str()).collect();
    let (n, with_gaps) = (regions.len(), gaps.len());
    let told = format!("{n} ({} complete, {with_gaps} with gaps)", n - with_gaps);
    assert_eq!(outcome.figure("Regions scanned"), told, "{name}");
    let found = coverage.iter().filter(|k| k.total > Some(0));
    let types: BTreeSet<&str> = found.map(|k| k.resource_type.as_str()).collect();
    let told = types.len().to_string();
    assert_eq!(outcome.figure("Resource types found"), told, "{name}");

    let sum: u64 = coverage.iter().filter_map(|k| k.total).sum();
    let partial = !missing.is_empty();
    let mut totals = coverage.iter().filter(|k| k.total.is_some());
    let figure = outcome.figure("Total resources");
    if totals.any(|k| k.resource_type.starts_with("AWS::IAM::")) {
        let start = format!("{sum} as recorded, ");
        assert!(figure.starts_with(&start), "{name}: {figure}");
        assert!(figure.contains(" with IAM counted once"), "{name}");
        let both = figure.ends_with(" (both partial)");
        assert_eq!(both, partial, "{name}: {figure}");
    } else {
        let part = if partial { " (partial)" } else { "" };
        assert_eq!(figure, format!("{sum}{part}"), "{name}");
    }
    let errors = outcome.file("_errors.txt").unwrap_or_default();
    let told = outcome.figure("Errors encountered").split(' ').next();
    assert_eq!(told, Some(&*errors.lines().count().to_string()), "{name}");

    let number = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let with_total = coverage.iter().filter(|k| k.total.is_some()).count();
    let cells = number(coverage.len(), "cell") + " (regions × types) counted";
    let all = if with_total == coverage.len() {
        format!("all {cells}")
    } else {
        format!("{with_total} of {cells}")
    };
    let told = match missing.len() {
        0 => all,
        n => format!("{all}; {n} missing in {}:", number(with_gaps, "region")),
    };
    assert_eq!(outcome.figure("Coverage"), told, "{name}");
}

/// Each cell that is missing, or not what it seems, is in one line, and no line has others.
fn the_reasons_are_those_of_its_cells(name: &str, coverage: &[Known], outcome: &Outcome) {
    let mut expected: Vec<(String, &str)> = Vec::new();
    for (is_of, told) in [
        (Known::is_missing as fn(&Known) -> bool, ""),
        (Known::is_elsewhere, "another region counts the same"),
        (Known::is_noted, "counted, perhaps stale"),
    ] {
        for status in Status::ALL {
            let of = |k: &&Known| is_of(k) && k.status == status.as_str();
            let cells = coverage.iter().filter(of).count();
            let at: BTreeSet<&str> = coverage.iter().filter(of).map(|k| &*k.region).collect();
            let named: Vec<&str> = at.into_iter().take(3).collect();
            if cells > 0 {
                let start = format!("{cells} {status} in {}", named.join(", "));
                expected.push((start, told));
            }
        }
    }
    let reasons = outcome.reasons();
    assert_eq!(reasons.len(), expected.len(), "{name}: {reasons:#?}");
    for (line, (start, told)) in reasons.iter().zip(&expected) {
        let whole = line.starts_with(start) && line.contains(told);
        assert!(whole, "{name}: {line} is not: {start} … {told}");
    }
}

#[test]
fn the_demo_replays_alike_every_time() {
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
fn one_thread_for_every_region_gives_the_same_csv_and_the_same_errors() {
    // Where the run stops, it depends on the order what was counted before.
    for case in CASES.iter().filter(|c| c.exit != 1) {
        let one = case.replay(Threads::One);
        for _ in 0..3 {
            let many = case.replay(Threads::Many);
            assert_eq!(many.exit, one.exit, "{}", case.folder);
            assert_eq!(many.tables(), one.tables(), "{}", case.folder);
            assert_eq!(many.incidents(), one.incidents(), "{}", case.folder);
            assert_eq!(many.left_over, [""; 0], "{}", case.folder);
        }
    }
}

/// Records a replay of the case.
fn record(case: &Case) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    case.replay_of(&case.path(), Threads::One, Some(folder.path()));
    folder
}

#[test]
fn the_demo_recorded_again_is_the_same_byte_for_byte() {
    let demo = Case::named("demo");
    let mut before = tree(&demo.path());
    before.retain(|name, _| !name.starts_with("expected"));
    let again = tree(record(demo).path());
    assert!(again.keys().eq(before.keys()), "{:?}", again.keys());
    for (name, bytes) in again {
        same(&name, Some(&text(&bytes)), before.remove(&name));
    }
}

#[test]
fn a_recording_replays_like_what_it_recorded() {
    let mut differ = Vec::new();
    for case in CASES {
        let first = case.replay(Threads::One);
        if !first.trace.contains(" attempt ") {
            // Nothing was sent: there is nothing to replay.
            continue;
        }
        let recording = record(case);
        let again = case.replay_of(recording.path(), Threads::One, None);
        // Where a key stood in an answer, the recorder says so in its own way. Times differ where
        // fewer attempts were recorded than the replay would make.
        let seen = |o: &Outcome| {
            let incidents = o.incidents().join("\n").replace("REDACTED", "****MPLE");
            let tables = o
                .tables()
                .map(|t| t.map(|t| t.replace("REDACTED", "****MPLE")));
            (o.exit, tables, incidents)
        };
        if seen(&again) != seen(&first) || !again.left_over.is_empty() {
            differ.push((case.folder, seen(&again), again.left_over));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}
