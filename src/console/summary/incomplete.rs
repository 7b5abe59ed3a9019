//! The missing counts, with the reason and what to do about it.

use std::collections::BTreeSet;

use super::gaps::{MissingCounts, MissingRow, Reasons};
use super::input::SummaryInput;
use super::layout::{TableRow, command, lay_out};
use crate::advice;
use crate::coverage::Status;
use crate::model::Region;
use crate::text::{number_of, thousands};

/// Returns the lines about missing counts; none if no count is missing.
pub fn incomplete(missing: &MissingCounts<'_>, input: &SummaryInput<'_>) -> Vec<String> {
    if missing.cells == 0 {
        return Vec::new();
    }
    let rows: Vec<&MissingRow<'_>> = missing.rows().collect();
    let table = lay_out(&cells(&rows, missing, input), input.columns);
    let (whole, others) = table.split_at(missing.whole_regions.len());
    let mut lines = vec![header(missing, input)];
    lines.extend(whole.concat());
    let excluded = excludable(missing);
    if !excluded.is_empty() {
        let option = advice::exclude_regions(input.options, &excluded);
        let label = match excluded.len() {
            1 => "or leave it out:",
            _ => "or leave them out:",
        };
        lines.extend(command(label, &option, input.columns));
    }
    lines.extend(others.concat());
    if rows.iter().any(|row| row.is_rest) {
        lines.extend(command("all of them: see", input.error_file, input.columns));
    }
    if needs_policy(missing) {
        lines.extend(policy(input));
    }
    lines
}

/// Returns true if the advice for missing counts is to grant the IAM policy.
pub fn needs_policy(missing: &MissingCounts<'_>) -> bool {
    missing
        .rows()
        .any(|row| row.reasons.contains(&Status::AccessDenied))
}

/// Returns the command that prints the IAM policy.
pub fn policy(input: &SummaryInput<'_>) -> Vec<String> {
    let policy = advice::iam_policy_command(input.options);
    command("IAM policy:", &policy, input.columns)
}

fn header(missing: &MissingCounts<'_>, input: &SummaryInput<'_>) -> String {
    let all = if missing.cells > 1 && missing.cells == input.coverage.size() {
        "all "
    } else {
        ""
    };
    let verb = if missing.cells == 1 { "is" } else { "are" };
    let counts = number_of(missing.cells, "count");
    format!("Incomplete: {all}{counts} {verb} missing")
}

/// Returns the cells of the table. An action is not repeated in rows with the same reasons that follow each other.
fn cells(
    rows: &[&MissingRow<'_>],
    missing: &MissingCounts<'_>,
    input: &SummaryInput<'_>,
) -> Vec<TableRow> {
    let mut cells: Vec<TableRow> = Vec::new();
    let mut last: Option<(&Reasons, bool)> = None;
    for (n, row) in rows.iter().enumerate() {
        let is_first = n == 0 || n == missing.whole_regions.len();
        let is_same = !is_first && last == Some((&row.reasons, row.is_global));
        last = Some((&row.reasons, row.is_global));
        let action = if is_same {
            String::new()
        } else {
            action(row, input)
        };
        let is_whole = n < missing.whole_regions.len();
        let [regions, types] = place(row, is_whole, missing, input);
        cells.push([regions, types, reason(row), action]);
    }
    cells
}

/// Formats the regions and the types of a row.
fn place(
    row: &MissingRow<'_>,
    is_whole: bool,
    missing: &MissingCounts<'_>,
    input: &SummaryInput<'_>,
) -> [String; 2] {
    if row.is_rest {
        let (cells, types) = (thousands(row.cells), number_of(row.types.len(), "type"));
        return [
            format!("and {cells} more"),
            format!("{types} in {}", number_of(row.regions.len(), "region")),
        ];
    }
    let types = if is_whole && row.types.len() > 1 {
        "all types".to_owned()
    } else {
        missing.type_names(&row.types, input.columns)
    };
    let regions = if row.is_global {
        missing.region_count(&row.regions)
    } else {
        missing.region_names(&row.regions, input.columns)
    };
    [regions, types]
}

fn reason(row: &MissingRow<'_>) -> String {
    if row.is_global {
        let place = if row.recorders.is_empty() {
            "recorded in no region"
        } else {
            "not recorded here"
        };
        return format!("global, {place}");
    }
    join_reasons(&row.reasons)
}

/// Formats reasons: `access denied, recorder status unknown`.
pub fn join_reasons(reasons: &Reasons) -> String {
    let reasons = reasons.iter().map(|status| advice::reason(*status));
    reasons.collect::<Vec<_>>().join(", ")
}

fn action(row: &MissingRow<'_>, input: &SummaryInput<'_>) -> String {
    if row.is_global {
        return advice::action_for_global_types(row.types.len(), &row.recorders);
    }
    let is_unknown = row.reasons.first() == Some(&Status::UnknownType);
    if let Some(name) = row
        .types
        .first()
        .filter(|_| is_unknown && row.types.len() == 1)
    {
        return advice::action_for_unknown_type(name);
    }
    let mut actions: Vec<&str> = Vec::new();
    // A recorder is unknown because of another reason of the row.
    let is_cause = |status: &&Status| **status != Status::Unverified || row.reasons.len() == 1;
    for status in row.reasons.iter().filter(is_cause) {
        let action = advice::action(*status, input.options, input.was_stopped);
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    actions.join("; ")
}

/// Returns the regions without any count that can be left out of a run: not all, and not those that may be counted the
/// next time.
fn excludable<'a>(missing: &MissingCounts<'a>) -> BTreeSet<&'a Region> {
    let is_lasting = |status: &Status| !matches!(status, Status::Throttled | Status::NotTried);
    let rows = missing.whole_regions.iter();
    let rows = rows.filter(|row| row.reasons.iter().any(is_lasting));
    let regions: BTreeSet<&Region> = rows.flat_map(|row| row.regions.iter().copied()).collect();
    if regions == missing.all_regions {
        return BTreeSet::new();
    }
    regions
}
