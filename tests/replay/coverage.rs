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

    /// Returns the lines of the summary that start with `start`, without it.
    fn lines_with(&self, start: &str) -> Vec<&str> {
        let lines = self.stdout.lines();
        lines.filter_map(|l| l.strip_prefix(start)).collect()
    }

    /// Returns the block of the summary about missing counts; empty without it.
    fn incomplete(&self) -> &str {
        let block = self.stdout.split_once("\nIncomplete: ");
        let block = block.map_or("", |(_, block)| block);
        block.split_once("\n\n").map_or(block, |(block, _)| block)
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
    let unverified = regions_with(|k| k.class == "unverified");
    let unverified = unverified.iter().filter(|r| !gaps.contains(*r));
    let unverified = unverified.filter(|r| !stale.contains(*r)).count();
    let stale = stale.difference(&gaps).count();
    let complete = regions - gaps.len() - stale - unverified;
    let figure = outcome.figure("Regions scanned");
    let (all, parts) = figure.split_once(" (").unwrap();
    assert_eq!(all, regions.to_string());
    for (n, name) in [
        (complete, "complete"),
        (stale, "stale"),
        (unverified, "unverified"),
        (gaps.len(), "incomplete"),
    ] {
        let (of_all, only) = (format!("all {name})"), format!("{name})"));
        let is_shown = match n {
            0 => continue,
            1 if regions == 1 => parts == only,
            n if n == regions && name == "complete" => parts == of_all,
            n => parts.contains(&format!("{n} {name}")),
        };
        assert!(is_shown, "{n} {name}: {figure}");
    }
    let found = coverage.iter().filter(|k| k.total > Some(0));
    let types: BTreeSet<&str> = found.map(|k| k.resource_type.as_str()).collect();
    let expected = types.len().to_string();
    assert_eq!(outcome.figure("Resource types found"), expected);

    let sum: u64 = coverage.iter().filter_map(|k| k.total).sum();
    let number_of = |class: &str| coverage.iter().filter(|k| k.class == class).count();
    let missing = number_of("missing");
    let figure = outcome.figure("Total resources");
    if missing == coverage.len() {
        assert_eq!(figure, "unknown");
    } else {
        let number = figure.trim_start_matches("at least ");
        assert_eq!(figure.starts_with("at least "), missing > 0, "{figure}");
        let number = number.split(' ').next().unwrap().replace(',', "");
        let number: u64 = number.parse().unwrap();
        let is_sum_shown = figure.contains("the CSV's rows add up to ");
        assert_eq!(number != sum, is_sum_shown, "{figure}");
        let has_global = coverage.iter().any(|k| is_global(&k.resource_type));
        assert!(number == sum || has_global && number < sum, "{figure}");
    }
    let errors = outcome.file("_errors.txt").unwrap_or_default();
    let expected = outcome.figure("Errors encountered").split(' ').next();
    assert_eq!(expected, Some(&*errors.lines().count().to_string()));

    let number = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let cells = number(coverage.len(), "count");
    let mut expected = match number_of("known") {
        1 if coverage.len() == 1 => format!("{cells} known"),
        n if n == coverage.len() => format!("all {cells} known"),
        n => format!("{n} of {cells} known"),
    };
    for class in ["stale", "unverified", "missing"] {
        let n = number_of(class);
        if n > 0 {
            expected.extend([", ", &n.to_string(), " ", class]);
        }
    }
    let types = number(coverage.len() / regions, "type");
    let regions = number(regions, "region");
    expected.extend([" (", &regions, " × ", &types, ") · "]);
    let figure = outcome.figure("Coverage");
    assert!(figure.starts_with(&expected), "{figure} is not {expected}");
}

/// Asserts that the summary has the number of the missing, the stale and the unverified counts, and names their regions.
fn assert_reasons_match(coverage: &[CoverageRow], outcome: &Outcome) {
    let of_class = |class: &str| coverage.iter().filter(|k| k.class == class).count();
    let block = outcome.incomplete();
    let missing = block.split(' ').find_map(|word| word.parse().ok());
    assert_eq!(missing.unwrap_or(0), of_class("missing"), "{block}");
    let names_all = block.contains(" regions ");
    for row in coverage.iter().filter(|k| k.class == "missing") {
        let is_named = names_all || block.contains(&row.region);
        assert!(is_named, "{} is not in: {block}", row.region);
        let has_type = block.contains("all types") || block.contains(&row.resource_type);
        assert!(has_type, "{} is not in: {block}", row.resource_type);
    }
    for (class, start) in [("stale", "Stale: "), ("unverified", "Unverified: ")] {
        let lines = outcome.lines_with(start);
        let numbers = lines.iter().map(|l| l.split(' ').next().unwrap());
        let sum: usize = numbers.map(|n| n.parse::<usize>().unwrap()).sum();
        assert_eq!(sum, of_class(class), "{lines:#?}");
        let regions = coverage.iter().filter(|k| k.class == class);
        for region in regions.map(|k| &k.region) {
            let is_named = |l: &&str| l.contains(region.as_str()) || l.contains(" regions");
            assert!(lines.iter().any(is_named), "{region}: {lines:#?}");
        }
    }
}
