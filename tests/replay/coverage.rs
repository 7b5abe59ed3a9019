//! The coverage file against the CSV and the summary.

use std::collections::BTreeSet;
use std::sync::Mutex;

use aws_config_resource_count::coverage::Status;

use crate::harness::Threads;
use crate::outcome::Outcome;
use crate::recordings::CASES;
use crate::table;

/// A row of the coverage file.
struct CoverageRow {
    region: String,
    resource_type: String,
    status: String,
    class: String,
    total: Option<u64>,
    since: String,
    detail: String,
}

impl CoverageRow {
    /// Returns true if no region records and counts the global type.
    fn is_unrecorded_global(&self) -> bool {
        let is_recorder = ["not_recorded", "recorder_missing"].contains(&&*self.status);
        is_recorder && is_global(&self.resource_type)
    }

    /// Returns true if the count is missing because of the region.
    fn is_missing_in_region(&self) -> bool {
        self.class == "missing" && !self.is_unrecorded_global()
    }

    /// Returns true if the count is stale because of the region.
    fn is_stale_in_region(&self) -> bool {
        self.class == "stale" && !self.is_unrecorded_global()
    }
}

fn is_global(resource_type: &str) -> bool {
    resource_type.starts_with("AWS::IAM::") || resource_type == "AWS::RDS::GlobalCluster"
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
        let table = self.file("_coverage_").expect("no coverage file");
        let parse = |row: Vec<String>| {
            let [region, resource_type, status, class, total, since, detail] =
                row.try_into().unwrap();
            CoverageRow {
                total: (!total.is_empty()).then(|| total.parse().unwrap()),
                region,
                resource_type,
                status,
                class,
                since,
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

/// The statuses that no recording has yet.
const NOT_RECORDED_YET: [Status; 3] = [
    Status::RecorderPending,
    Status::ChangedWhileListed,
    Status::UnknownType,
];

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
    let mut statuses = statuses.into_inner().unwrap();
    statuses.retain(|s| !NOT_RECORDED_YET.iter().any(|other| other.to_string() == *s));
    if table::is_complete() {
        let expected = Status::ALL.into_iter();
        let expected = expected.filter(|status| !NOT_RECORDED_YET.contains(status));
        let expected: BTreeSet<String> = expected.map(|status| status.to_string()).collect();
        assert_eq!(statuses, expected);
    }
}

fn assert_cells_are_consistent(coverage: &[CoverageRow]) {
    let key = |k: &CoverageRow| (k.region.clone(), k.resource_type.clone());
    let keys: Vec<_> = coverage.iter().map(key).collect();
    let unique: BTreeSet<_> = keys.iter().cloned().collect();
    assert!(unique.iter().eq(&keys), "not sorted, or a cell twice");
    for k in coverage {
        let status = Status::ALL.into_iter().find(|s| s.to_string() == k.status);
        let class = status.unwrap().class(k.total.is_some()).to_string();
        assert_eq!(k.class, class, "{:?}", key(k));
        let total_fits = match &*k.status {
            "counted" => k.total > Some(0),
            "zero" => k.total == Some(0),
            _ => true,
        };
        assert!(total_fits, "{:?}", key(k));
        let plain = ["counted", "zero"].contains(&k.status.as_str());
        assert!(plain || !k.detail.is_empty(), "{:?}", key(k));
        let can_have_time = ["recorder_stopped", "recorder_failed", "recorder_pending"];
        let has_time = can_have_time.contains(&&*k.status);
        assert!(k.since.is_empty() || has_time, "{:?}", key(k));
    }
}

fn assert_csv_matches(coverage: &[CoverageRow], outcome: &Outcome) {
    let counted = coverage.iter().filter(|k| k.total > Some(0));
    let row = |k: &CoverageRow| {
        let total = k.total.unwrap_or_default().to_string();
        vec![k.region.clone(), k.resource_type.clone(), total]
    };
    let totals: Vec<_> = counted.map(row).collect();
    let Some(csv) = outcome.file("_count_") else {
        let is_missing = |k: &CoverageRow| k.class == "missing";
        assert!(coverage.iter().all(is_missing), "no CSV");
        return;
    };
    assert_eq!(rows(&csv), totals, "totals of the CSV and of the coverage");
}

fn assert_figures_match(coverage: &[CoverageRow], outcome: &Outcome) {
    let regions_with = |is_wanted: fn(&CoverageRow) -> bool| -> BTreeSet<&str> {
        let rows = coverage.iter().filter(|k| is_wanted(k));
        rows.map(|k| k.region.as_str()).collect()
    };
    let regions = regions_with(|_| true).len();
    let gaps = regions_with(CoverageRow::is_missing_in_region);
    let stale = regions_with(CoverageRow::is_stale_in_region);
    let stale = stale.difference(&gaps).count();
    let with_gaps = gaps.len();
    let complete = regions - with_gaps - stale;
    let stale = match stale {
        0 => String::new(),
        n => format!("{n} stale, "),
    };
    let expected = format!("{regions} ({complete} complete, {stale}{with_gaps} with gaps)");
    assert_eq!(outcome.figure("Regions scanned"), expected);
    let found = coverage.iter().filter(|k| k.total > Some(0));
    let types: BTreeSet<&str> = found.map(|k| k.resource_type.as_str()).collect();
    let expected = types.len().to_string();
    assert_eq!(outcome.figure("Resource types found"), expected);

    let sum: u64 = coverage.iter().filter_map(|k| k.total).sum();
    let number_of = |class: &str| coverage.iter().filter(|k| k.class == class).count();
    let partial = number_of("missing") > 0;
    let mut totals = coverage.iter().filter(|k| k.total.is_some());
    let figure = outcome.figure("Total resources");
    if totals.any(|k| is_global(&k.resource_type)) {
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
    let cells = number(coverage.len(), "count") + " (regions × types) known";
    let mut expected = match number_of("known") {
        n if n == coverage.len() => format!("all {cells}"),
        n => format!("{n} of {cells}"),
    };
    let others = ["stale", "unverified", "missing"].map(|class| (number_of(class), class));
    let others = others.into_iter().filter(|(n, _)| *n > 0);
    let others: Vec<String> = others.map(|(n, class)| format!("{n} {class}")).collect();
    if !others.is_empty() {
        expected.extend(["; ", &*others.join(", ")]);
        if partial {
            let global = coverage.iter().filter(|k| k.is_unrecorded_global());
            let global = global.filter(|k| k.class == "missing");
            let global: BTreeSet<&str> = global.map(|k| &*k.resource_type).collect();
            let places = [(with_gaps, "region"), (global.len(), "global type")];
            let places = places.into_iter().filter(|(n, _)| *n > 0);
            let places: Vec<String> = places.map(|(n, noun)| number(n, noun)).collect();
            expected.extend([" (", &*places.join(", "), ")"]);
        }
        expected += ":";
    }
    assert_eq!(outcome.figure("Coverage"), expected);
}

/// Asserts that each missing or stale cell is in exactly one line of the summary.
fn assert_reasons_match(coverage: &[CoverageRow], outcome: &Outcome) {
    let mut lines: Vec<(String, &str)> = Vec::new();
    for (matches, detail) in [
        (
            CoverageRow::is_missing_in_region as fn(&CoverageRow) -> bool,
            "",
        ),
        (CoverageRow::is_stale_in_region, ": stale"),
    ] {
        for status in Status::ALL {
            let is_counted = |k: &&CoverageRow| matches(k) && k.status == status.to_string();
            let cells = coverage.iter().filter(is_counted).count();
            let regions: BTreeSet<&str> = coverage
                .iter()
                .filter(is_counted)
                .map(|k| &*k.region)
                .collect();
            let named: Vec<&str> = regions.into_iter().take(3).collect();
            if cells > 0 {
                let status = status.to_string().replace('_', " ");
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
    let global = coverage.iter().filter(|k| k.is_unrecorded_global());
    let global: BTreeSet<&str> = global.map(|k| &*k.resource_type).collect();
    for resource_type in &global {
        let line = format!("    {resource_type} (global) recorded in no region: ");
        assert_eq!(outcome.stdout.matches(&line).count(), 1, "{resource_type}");
    }
}
