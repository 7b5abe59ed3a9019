//! What has to follow a fault: the decisions' table, written once.

use crate::When;
use crate::fault::{Fault, Means};
use crate::site::{CHECKED, ENABLED, Role, SCANNED, Site};

/// What has to follow.
#[derive(Debug)]
pub struct Expected {
    /// The exit code.
    pub code: i32,
    /// How many requests the site sees.
    pub requests: usize,
    /// The lines of the log.
    pub lines: Vec<Line>,
    /// What becomes of the cells.
    pub cells: Cells,
    /// What the first line of the log, or the detail of the lost cells, has to tell.
    pub says: Vec<String>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The error type.
    pub error_type: String,
    /// The region, where the line names one.
    pub region: Option<String>,
    /// The type, where the line names one.
    pub resource: Option<String>,
}

impl Line {
    fn new(error_type: &str, region: Option<&str>, resource: Option<&str>) -> Self {
        Self {
            error_type: error_type.to_owned(),
            region: region.map(str::to_owned),
            resource: resource.map(str::to_owned),
        }
    }
}

/// What becomes of the cells, regions × types.
#[derive(Debug)]
pub enum Cells {
    /// There is no CSV.
    None,
    /// All of them are counted.
    Whole,
    /// All are counted, and those of this region with a word about the recorder, or this status.
    About(&'static str, Option<&'static str>),
    /// Those of `types` (all where there are none) in `region` are lost with `status`; the others
    /// `beside` them are counted or lost as that says.
    Lost {
        region: &'static str,
        resource: Option<&'static str>,
        status: &'static str,
        beside: Beside,
    },
}

/// What may become of the cells beside a lost one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// All are counted.
    Counted,
    /// Those of the region may be lost too, with this status.
    RegionMay(&'static str),
    /// Those of every region may be lost too, with this status.
    AllMay(&'static str),
}

impl Expected {
    /// What has to follow `fault` at `site`.
    pub fn of(site: &Site, fault: &Fault, when: When) -> Self {
        let says = vec![
            format!(":{} failed ", site.operation),
            fault.says.to_owned(),
        ];
        let attempts = if fault.is_retried() { 2 } else { 1 };
        let whole = Self {
            code: 0,
            requests: attempts,
            lines: Vec::new(),
            cells: Cells::Whole,
            says: Vec::new(),
        };
        if when == When::Once && fault.is_retried() || fault.means == Means::Fine {
            let regions = if site.role == Role::AnyRecorder { 2 } else { 1 };
            return Self {
                requests: regions * attempts,
                ..whole
            };
        }
        match (site.role, fault.means) {
            // The permission is there: the scan goes on with the same answer.
            (Role::CheckedCount(_, resource), Means::NoRecorder) => {
                lost(site, resource, fault.means, attempts, says)
            }
            (Role::Check(check) | Role::CheckedCount(check, _), _) => failed(check, attempts, says),
            // The listing answers for the status.
            (Role::AnyRecorder, Means::Permission) => Self {
                requests: 2 * attempts,
                cells: Cells::About("", None),
                says: vec![says[0].clone()],
                ..whole
            },
            (Role::AnyRecorder, means) => Self {
                says: if means == Means::NoRecorder {
                    vec![]
                } else {
                    says
                },
                ..failed(ENABLED, 2 * attempts, vec![])
            },
            (Role::Recorder, means) => Self {
                // It expires for all, whoever finds out.
                lines: match means {
                    Means::Expired => vec![Line::new("FATAL", Some(site.region), None)],
                    _ => vec![],
                },
                cells: match means {
                    Means::NoRecorder => Cells::About(site.region, Some("recorder_missing")),
                    _ => Cells::About(site.region, None),
                },
                says: if means == Means::NoRecorder {
                    vec![]
                } else {
                    says
                },
                ..whole
            },
            (Role::Count(resource), means) => lost(site, resource, means, attempts, says),
            // The totals are those of the listing, as long as the region is asked for it.
            (
                Role::Compared,
                means @ (Means::Throttle | Means::Permission | Means::ApiError | Means::Unexpected),
            ) => Self {
                lines: lost(site, None, means, attempts, vec![]).lines,
                says,
                ..whole
            },
            (Role::Compared, means) => lost(site, None, means, attempts, says),
        }
    }
}

/// A check that failed.
fn failed(check: &str, requests: usize, says: Vec<String>) -> Expected {
    Expected {
        code: 1,
        lines: vec![Line::new("PREREQUISITE", None, None)],
        cells: Cells::None,
        says: says.into_iter().chain([check.to_owned()]).collect(),
        requests,
    }
}

/// A count that is lost in the scan.
fn lost(
    site: &Site,
    resource: Option<&'static str>,
    means: Means,
    requests: usize,
    says: Vec<String>,
) -> Expected {
    let region = site.region;
    let line = |error_type| Line::new(error_type, Some(region), resource);
    let of_region = |error_type| Line::new(error_type, Some(region), None);
    let (lines, status, beside) = match means {
        Means::Throttle => (vec![line("THROTTLE")], "throttled", Beside::Counted),
        Means::Permission => (vec![line("PERMISSION")], "denied", Beside::Counted),
        Means::ApiError => (vec![line("API_ERROR")], "error", Beside::Counted),
        Means::Unexpected => (vec![line("UNEXPECTED")], "error", Beside::Counted),
        Means::Connection => (
            vec![line("CONNECTION"), of_region("SCAN_FAILED")],
            "connection_failed",
            Beside::RegionMay("not_tried"),
        ),
        Means::NoRecorder => (
            vec![of_region("CONFIG_DISABLED")],
            "recorder_missing",
            Beside::RegionMay("recorder_missing"),
        ),
        Means::RegionOff => (
            vec![of_region("REGION_DISABLED")],
            "region_disabled",
            Beside::RegionMay("region_disabled"),
        ),
        Means::Clock | Means::Expired => (
            vec![line("FATAL"), of_region("SCAN_FAILED")],
            if means == Means::Clock {
                "error"
            } else {
                "not_tried"
            },
            Beside::AllMay("not_tried"),
        ),
        Means::Fine => unreachable!("nothing is lost"),
    };
    let stopped = matches!(beside, Beside::AllMay(_));
    Expected {
        code: i32::from(stopped),
        lines,
        cells: Cells::Lost {
            region,
            resource,
            status,
            beside,
        },
        says,
        requests,
    }
}

/// The other region.
pub fn other(region: &str) -> &'static str {
    if region == SCANNED { CHECKED } else { SCANNED }
}
