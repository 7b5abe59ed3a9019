//! Compares the output of a run with the expected result. Each check returns the difference as an error,
//! so that a test with many runs reports all of them.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};

use crate::expected::{Cells, Expected, LogLine, OtherCells};
use crate::fault_point::{FaultPoint, Purpose};
use crate::support::{Account, Outcome, Server};

/// A cell of the coverage file: status, total, detail.
type Cell = (String, String, String);

/// The cells by region and resource type.
type Coverage = BTreeMap<(String, String), Cell>;

/// Compares a run with the expected result.
pub fn assert_expected(
    expected: &Expected,
    point: &FaultPoint,
    account: &Account,
    server: &Server,
    run: &Outcome,
) -> Result<(), String> {
    assert_equal("exit code", &run.code, &Some(expected.exit_code))?;
    let requests = server.count(|call| (point.matches)(call));
    assert_equal("requests", &requests, &expected.requests)?;
    let redirected = server.count(|call| call.path != "/");
    assert_equal("requests that followed a redirect", &redirected, &0)?;
    let log = parse_log(run)?;
    let mut lines: Vec<_> = log.iter().map(|(line, _)| line.clone()).collect();
    let mut expected_lines = expected.log.clone();
    lines.sort();
    expected_lines.sort();
    assert_equal("lines of the log", &lines, &expected_lines)?;
    if let (Some((_, message)), Some(_)) = (log.first(), expected_lines.first()) {
        assert_contains("the log", message, &expected.message_parts)?;
    }
    if let Cells::NotWritten = expected.cells {
        let files: Vec<_> = run
            .files()
            .into_iter()
            .filter(|file| !is_error_log(file))
            .collect();
        return assert_equal("files", files.as_slice(), &[] as &[std::path::PathBuf; 0]);
    }
    let coverage = parse_coverage(run)?;
    assert_csv(account, &coverage, run)?;
    if point.verifies() {
        assert_verification(expected, point, &coverage, run)?;
    }
    for ((region, resource_type), cell) in &coverage {
        assert_cell(expected, account, &log, (region, resource_type), cell)
            .map_err(|error| format!("{region} {resource_type} {cell:?}: {error}"))?;
    }
    Ok(())
}

/// Returns true for the name of an error log.
pub fn is_error_log(file: &std::path::Path) -> bool {
    file.to_string_lossy().ends_with("_errors.txt")
}

/// Fails if `actual` is not `expected`.
pub fn assert_equal<A, B>(name: &str, actual: &A, expected: &B) -> Result<(), String>
where
    A: PartialEq<B> + Debug + ?Sized,
    B: Debug + ?Sized,
{
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{name}: {actual:?}, expected {expected:?}"))
    }
}

/// Fails if `text` lacks one of the `parts`.
pub fn assert_contains(name: &str, text: &str, parts: &[String]) -> Result<(), String> {
    match parts.iter().find(|part| !text.contains(part.as_str())) {
        Some(part) => Err(format!("{name} does not contain {part:?}: {text}")),
        None => Ok(()),
    }
}

/// Parses the error log into lines and messages.
pub fn parse_log(run: &Outcome) -> Result<Vec<(LogLine, String)>, String> {
    let part = |text: &str, name: &str| {
        let (_, rest) = text.split_once(name)?;
        Some(rest.split(", ").next().unwrap_or(rest).to_owned())
    };
    let line = |line: &str| {
        let (head, message) = line.split_once("Message: ")?;
        let error_type = head.split(['[', ']']).nth(3)?.to_owned();
        let (region, resource_type) = (part(head, "Region: "), part(head, "Resource: "));
        let line = LogLine {
            error_type,
            region,
            resource_type,
        };
        Some((line, message.to_owned()))
    };
    let errors = run.errors();
    let read = |text: &str| line(text).ok_or_else(|| format!("invalid line in the log: {text}"));
    errors.lines().map(read).collect()
}

fn parse_coverage(run: &Outcome) -> Result<Coverage, String> {
    let text = run.table("coverage").ok_or("no coverage file")?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let record = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|e| e.to_string())?;
        let field = |n: usize| record[n].to_owned();
        Ok(((field(2), field(3)), (field(4), field(6), field(8))))
    };
    reader.records().map(record).collect()
}

/// Fails unless the CSV has exactly the cells of the coverage file with a total above zero, each with
/// the actual number of resources.
fn assert_csv(account: &Account, coverage: &Coverage, run: &Outcome) -> Result<(), String> {
    let counted = coverage
        .iter()
        .filter(|(_, (_, total, _))| !total.is_empty() && total != "0");
    let alias = account.alias.as_deref().unwrap_or_default();
    let mut csv = "account,alias,region,resource_type,total\r\n".to_owned();
    for ((region, resource_type), (_, total, _)) in counted {
        let id = &account.id;
        let _ = write!(csv, "{id},{alias},{region},{resource_type},{total}\r\n");
        assert_equal(
            &format!("total of {resource_type} in {region}"),
            total,
            actual_count(account, region, resource_type)
                .to_string()
                .as_str(),
        )?;
    }
    let is_missing = coverage.iter().all(|(_, (_, total, _))| total.is_empty());
    let expected = (!is_missing).then_some(csv);
    assert_equal("the CSV", &run.table("resource_count"), &expected)
}

/// Fails unless exactly the cells with a listing and a count are compared, without a difference.
fn assert_verification(
    expected: &Expected,
    point: &FaultPoint,
    coverage: &Coverage,
    run: &Outcome,
) -> Result<(), String> {
    let is_without_counts = point.purpose == Purpose::Compare && !expected.log.is_empty();
    let is_compared = |((region, _), (_, total, _)): &(&(String, String), &Cell)| {
        let has_count = !is_without_counts || region != point.region;
        has_count && !total.is_empty()
    };
    let compared = coverage.iter().filter(is_compared).count();
    let counts = match compared {
        1 => "1 count".to_owned(),
        n => format!("{n} counts"),
    };
    let not_compared = match coverage.len() - compared {
        0 => String::new(),
        n => format!(", {n} could not be compared"),
    };
    let line = format!("\nVerified: {counts} compared, 0 differences{not_compared}\n");
    assert_contains("stdout", &run.stdout, &[line])?;
    let file = run.table("verify").unwrap_or_default();
    assert_equal("differences", &file.lines().count(), &1)
}

/// Returns the number of resources in the account.
fn actual_count(account: &Account, region: &str, resource_type: &str) -> usize {
    let region = account.regions.get(region);
    let resources = region.and_then(|region| region.resources.get(resource_type));
    resources.copied().unwrap_or_default()
}

/// Compares one cell with the expected one.
fn assert_cell(
    expected: &Expected,
    account: &Account,
    log: &[(LogLine, String)],
    (region, resource_type): (&str, &str),
    cell: &Cell,
) -> Result<(), String> {
    let (status, total, detail) = cell;
    let count = actual_count(account, region, resource_type);
    let assert_total = || assert_equal("total", total, count.to_string().as_str());
    let assert_counted = || {
        let counted = if count == 0 { "zero" } else { "counted" };
        assert_equal("status", status, counted)?;
        assert_total()
    };
    let assert_missing = |expected: &str| {
        assert_equal("status", status, expected)?;
        assert_equal("total", total, "")?;
        let is_logged = log.iter().any(|(line, _)| {
            let logged_type = line.resource_type.as_deref();
            line.region.as_deref() == Some(region) && logged_type.is_none_or(|t| t == resource_type)
        });
        assert_equal("a line of the log", &is_logged, &true)
    };
    match &expected.cells {
        Cells::NotWritten => Err("there is a coverage file".to_owned()),
        Cells::RecorderMissing { region: affected } if *affected == region => {
            assert_equal("status", status, "recorder_missing")?;
            assert_total()
        }
        Cells::RecorderUnknown { region: affected } if affected.is_none_or(|r| r == region) => {
            let counted = if count == 0 { "unverified" } else { "counted" };
            assert_equal("status", status, counted)?;
            assert_total()?;
            assert_contains(
                "the detail",
                detail,
                &["recorder status unknown: ".to_owned()],
            )?;
            assert_contains("the detail", detail, &expected.message_parts)
        }
        Cells::Counted | Cells::RecorderMissing { .. } | Cells::RecorderUnknown { .. } => {
            assert_counted()?;
            assert_equal("detail", detail, "")
        }
        Cells::Missing {
            region: affected,
            resource_type: affected_type,
            status: expected,
            other_cells,
        } => {
            let is_same_region = *affected == region;
            if is_same_region && affected_type.is_none_or(|t| t == resource_type) {
                return assert_missing(expected);
            }
            match other_cells {
                OtherCells::MissingInRegion(status) if is_same_region && total.is_empty() => {
                    assert_missing(status)
                }
                _ => assert_counted(),
            }
        }
    }
}

/// Fails if the output, a file or a file name has characters that control a terminal or hide text.
pub fn assert_printable(run: &Outcome) -> Result<(), String> {
    let mut texts = vec![
        ("stdout".to_owned(), run.stdout.clone()),
        ("stderr".to_owned(), run.stderr.clone()),
    ];
    for file in run.files() {
        let name = file.display().to_string();
        let bytes = std::fs::read(run.directory().join(&file)).unwrap();
        let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not valid UTF-8"))?;
        // Lines of a CSV file end in CRLF; no other carriage return is allowed.
        let text = if file.extension().is_some_and(|e| e == "csv") {
            text.replace("\r\n", "\n")
        } else {
            text
        };
        texts.push((format!("the name {name:?}"), name.replace('\n', "\r")));
        texts.push((name, text));
    }
    for (name, text) in texts {
        if let Some(at) = text.find(is_unprintable) {
            let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
            let line = text[from..].lines().next().unwrap_or_default();
            return Err(format!("{name} has a control character: {line:?}"));
        }
    }
    Ok(())
}

/// Returns true for control characters except the line feed, and for characters that reorder or hide
/// text.
fn is_unprintable(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
