//! The coverage file against the CSV and the summary.

use std::collections::BTreeSet;
use std::sync::Mutex;

use aws_config_resource_count::coverage::Status;

use crate::harness::Threads;
use crate::outcome::Outcome;
use crate::recordings::{CASES, Case};
use crate::table;

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
    let coverage = Case::named("coverage/all_statuses")
        .replay(Threads::One)
        .coverage();
    let shown: BTreeSet<&str> = coverage.iter().map(|k| k.status.as_str()).collect();
    let all = Status::ALL.map(|status| status.to_string());
    let all: BTreeSet<&str> = all.iter().map(String::as_str).collect();
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
}
