//! What a run left, against what has to follow.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};

use crate::expected::{Beside, Cells, Expected, Line, other};
use crate::site::{Role, Site};
use crate::support::{Account, Outcome, Server};

/// What `--coverage` says of a cell: status, total, detail.
type Cell = (String, String, String);

/// By region and type.
type Coverage = BTreeMap<(String, String), Cell>;

/// Holds a run to what has to follow; says what differs.
pub fn compare(
    expected: &Expected,
    site: &Site,
    account: &Account,
    server: &Server,
    run: &Outcome,
) -> Result<(), String> {
    equal("exit code", &run.code, &Some(expected.code))?;
    let requests = server.count(|call| (site.picks)(call));
    equal("requests", &requests, &expected.requests)?;
    let astray = server.count(|call| call.path != "/");
    equal("requests that followed a redirect", &astray, &0)?;
    let log = log(run)?;
    let mut lines: Vec<_> = log.iter().map(|(line, _)| line.clone()).collect();
    // Where the scan stops, each region says so that had something left.
    if let Cells::Lost {
        beside: Beside::AllMay(_),
        region,
        ..
    } = &expected.cells
    {
        lines.retain(|l| {
            l.error_type != "SCAN_FAILED" || l.region.as_deref() != Some(other(region))
        });
    }
    let mut wanted = expected.lines.clone();
    lines.sort();
    wanted.sort();
    equal("lines of the log", &lines, &wanted)?;
    if let (Some((_, message)), Some(_)) = (log.first(), wanted.first()) {
        tells("the log", message, &expected.says)?;
    }
    if let Cells::None = expected.cells {
        let left: Vec<_> = run.files().into_iter().filter(|f| !is_log(f)).collect();
        return equal("files", left.as_slice(), &[] as &[std::path::PathBuf; 0]);
    }
    let coverage = coverage(run)?;
    rows(account, &coverage, run)?;
    if site.verifies() {
        compared(expected, site, &coverage, run)?;
    }
    for ((region, resource), cell) in &coverage {
        hold(expected, account, &log, (region, resource), cell)
            .map_err(|why| format!("{region} {resource} {cell:?}: {why}"))?;
    }
    Ok(())
}

/// Whether it is an error log.
pub fn is_log(file: &std::path::Path) -> bool {
    file.to_string_lossy().ends_with("_errors.txt")
}

/// Whether one is the other; says what differs.
pub fn equal<A, B>(what: &str, is: &A, wanted: &B) -> Result<(), String>
where
    A: PartialEq<B> + Debug + ?Sized,
    B: Debug + ?Sized,
{
    let told = || format!("{what}: {is:?} where it should be {wanted:?}");
    if is == wanted { Ok(()) } else { Err(told()) }
}

/// Whether `text` has all these `parts`.
pub fn tells(what: &str, text: &str, parts: &[String]) -> Result<(), String> {
    match parts.iter().find(|part| !text.contains(part.as_str())) {
        Some(part) => Err(format!("{what} does not tell {part:?}: {text}")),
        None => Ok(()),
    }
}

/// The lines of the log, taken apart.
pub fn log(run: &Outcome) -> Result<Vec<(Line, String)>, String> {
    let part = |text: &str, name: &str| {
        let (_, rest) = text.split_once(name)?;
        Some(rest.split(", ").next().unwrap_or(rest).to_owned())
    };
    let line = |line: &str| {
        let (head, message) = line.split_once("Message: ")?;
        let error_type = head.split(['[', ']']).nth(3)?.to_owned();
        let (region, resource) = (part(head, "Region: "), part(head, "Resource: "));
        let line = Line {
            error_type,
            region,
            resource,
        };
        Some((line, message.to_owned()))
    };
    let errors = run.errors();
    let read = |text: &str| line(text).ok_or_else(|| format!("a line of the log: {text}"));
    errors.lines().map(read).collect()
}

fn coverage(run: &Outcome) -> Result<Coverage, String> {
    let text = run
        .output("_coverage.csv")
        .ok_or("there is no coverage file")?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let record = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(|e| e.to_string())?;
        let field = |n: usize| record[n].to_owned();
        Ok(((field(2), field(3)), (field(4), field(5), field(6))))
    };
    reader.records().map(record).collect()
}

/// Every row of the CSV is a cell of the coverage and the account's truth; no other cell has a
/// total above zero.
fn rows(account: &Account, coverage: &Coverage, run: &Outcome) -> Result<(), String> {
    let counted = coverage
        .iter()
        .filter(|(_, (_, total, _))| !total.is_empty() && total != "0");
    let alias = account.alias.as_deref().unwrap_or_default();
    let mut csv = "account,alias,region,resource_type,total\r\n".to_owned();
    for ((region, resource), (_, total, _)) in counted {
        let id = &account.id;
        let _ = write!(csv, "{id},{alias},{region},{resource},{total}\r\n");
        equal(
            &format!("total of {resource} in {region}"),
            total,
            truth(account, region, resource).to_string().as_str(),
        )?;
    }
    equal("the CSV", &run.csv(), &csv)
}

/// What has no total has no listing, and where the counts are lost nothing is compared; no fault makes
/// a difference.
fn compared(
    expected: &Expected,
    site: &Site,
    coverage: &Coverage,
    run: &Outcome,
) -> Result<(), String> {
    let without_counts = site.role == Role::Compared && !expected.lines.is_empty();
    let both = |((region, _), (_, total, _)): &(&(String, String), &Cell)| {
        let is_counted = !without_counts || region != site.region;
        is_counted && !total.is_empty()
    };
    let compared = coverage.iter().filter(both).count();
    let cells = match compared {
        1 => "1 cell".to_owned(),
        n => format!("{n} cells"),
    };
    let left = match coverage.len() - compared {
        0 => String::new(),
        n => format!(", {n} could not be compared"),
    };
    let told = format!("\nVerified: {cells} compared, 0 differences{left}\n");
    tells("the report", &run.stdout, &[told])?;
    let file = run.output("_verify.csv").unwrap_or_default();
    equal("differences", &file.lines().count(), &1)
}

fn truth(account: &Account, region: &str, resource: &str) -> usize {
    let place = account.regions.get(region);
    let resources = place.and_then(|place| place.resources.get(resource));
    resources.copied().unwrap_or_default()
}

/// Holds one cell to what has to become of it.
fn hold(
    expected: &Expected,
    account: &Account,
    log: &[(Line, String)],
    (region, resource): (&str, &str),
    cell: &Cell,
) -> Result<(), String> {
    let (status, total, detail) = cell;
    let truth = truth(account, region, resource);
    let plain = if truth == 0 { "zero" } else { "counted" };
    let is_counted = || {
        equal("status", status, plain)?;
        equal("total", total, truth.to_string().as_str())
    };
    let is_lost = |with: &str| {
        equal("status", status, with)?;
        equal("total", total, "")?;
        let told = log.iter().any(|(line, _)| {
            let all = line.resource.as_deref().is_none_or(|r| r == resource);
            line.region.as_deref() == Some(region) && all
        });
        equal("a line of the log", &told, &true)
    };
    match &expected.cells {
        Cells::None => Err("there is a coverage file".to_owned()),
        Cells::About(place, Some(recorder)) if *place == region => {
            equal("status", status, recorder)?;
            equal("total", total, truth.to_string().as_str())
        }
        Cells::About(place, None) if place.is_empty() || *place == region => {
            is_counted()?;
            tells("the detail", detail, &["recorder unknown: ".to_owned()])?;
            tells("the detail", detail, &expected.says)
        }
        Cells::Whole | Cells::About(..) => {
            is_counted()?;
            equal("detail", detail, "")
        }
        Cells::Lost {
            region: at,
            resource: of,
            status: with,
            beside,
        } => {
            let same_region = *at == region;
            if same_region && of.is_none_or(|of| of == resource) {
                return is_lost(with);
            }
            match beside {
                Beside::RegionMay(with) if same_region && total.is_empty() => is_lost(with),
                Beside::AllMay(with) if total.is_empty() => is_lost(with),
                _ => is_counted(),
            }
        }
    }
}

/// Whether all that a run left is text without anything that a terminal would act on, in files that
/// lie where they should.
pub fn clean(run: &Outcome) -> Result<(), String> {
    let mut places = vec![
        ("stdout".to_owned(), run.stdout.clone()),
        ("stderr".to_owned(), run.stderr.clone()),
    ];
    for file in run.files() {
        let name = file.display().to_string();
        let bytes = std::fs::read(run.folder().join(&file)).unwrap();
        let text = String::from_utf8(bytes).map_err(|_| format!("{name} is no UTF-8"))?;
        // Its lines end as CSV's do, and nothing else in it is a carriage return.
        let text = if file.extension().is_some_and(|e| e == "csv") {
            text.replace("\r\n", "\n")
        } else {
            text
        };
        places.push((format!("the name {name:?}"), name.replace('\n', "\r")));
        places.push((name, text));
    }
    for (place, text) in places {
        if let Some(at) = text.find(acts) {
            let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
            let line = text[from..].lines().next().unwrap_or_default();
            return Err(format!("{place} has a control character: {line:?}"));
        }
    }
    Ok(())
}

/// Control characters but the end of a line, and the marks that reorder or hide text.
fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
