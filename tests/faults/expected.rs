//! The expected effects of a fault: the table of `decisions.md`, written once.

use crate::fault::{Effect, Fault};
use crate::fault_point::{CONFIG_ENABLED_CHECK, FaultPoint, Purpose};
use crate::run::When;

/// The expected result of a run with a fault.
#[derive(Debug)]
pub struct Expected {
    /// The exit code.
    pub exit_code: i32,
    /// The number of requests at the fault point.
    pub requests: usize,
    /// The lines of the error log.
    pub log: Vec<LogLine>,
    /// The cells of the coverage file.
    pub cells: Cells,
    /// Parts of the first message in the log, or of the details of the affected cells.
    pub message_parts: Vec<String>,
}

/// A line of the error log without its time and message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogLine {
    /// The error type.
    pub error_type: String,
    /// The region, if the line names one.
    pub region: Option<String>,
    /// The resource type, if the line names one.
    pub resource_type: Option<String>,
}

impl LogLine {
    fn new(error_type: &str, region: Option<&str>, resource_type: Option<&str>) -> Self {
        Self {
            error_type: error_type.to_owned(),
            region: region.map(str::to_owned),
            resource_type: resource_type.map(str::to_owned),
        }
    }
}

/// The expected cells, one per region and resource type.
#[derive(Debug)]
pub enum Cells {
    /// The run writes no CSV and no coverage file.
    NotWritten,
    /// All cells are counted.
    Counted,
    /// All cells are counted; the recorder of `region` (if absent, of every region) is unknown, and the
    /// details of its cells say so.
    RecorderUnknown { region: Option<&'static str> },
    /// All cells have their total; the cells of `region` have the status `recorder_missing`.
    RecorderMissing { region: &'static str },
    /// The cells of `resource_type` (if absent, of all types) in `region` are missing with `status`.
    Missing {
        region: &'static str,
        resource_type: Option<&'static str>,
        status: &'static str,
        other_cells: OtherCells,
    },
}

/// The cells that may be missing in addition to those of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherCells {
    /// No other cell.
    Counted,
    /// Cells of the same region, with this status.
    MissingInRegion(&'static str),
}

impl Expected {
    /// Returns the expected result of a run with `fault` at `point`.
    pub fn new(point: &FaultPoint, fault: &Fault, when: When) -> Self {
        let message_parts = vec![
            format!(":{} failed ", point.operation),
            fault.message_part.to_owned(),
        ];
        let attempts = if fault.is_retried() { 2 } else { 1 };
        let unaffected = Self {
            exit_code: 0,
            requests: attempts,
            log: Vec::new(),
            cells: Cells::Counted,
            message_parts: Vec::new(),
        };
        if when == When::Once && fault.is_retried() || fault.effect == Effect::None {
            let regions = if point.purpose == Purpose::CheckAnyRecorder {
                2
            } else {
                1
            };
            return Self {
                requests: regions * attempts,
                ..unaffected
            };
        }
        match (point.purpose, fault.effect) {
            // The check passes, because the permission exists; the scan uses the same response.
            (Purpose::CheckAndCount(_, resource_type), Effect::NoRecorder) => {
                missing_count(point, resource_type, fault.effect, attempts, message_parts)
            }
            // Without an answer about the regions, the last check does not try any.
            (Purpose::Check(check), Effect::Connection) if point.operation == "DescribeRegions" => {
                let mut failed = failed_check(check, attempts, message_parts);
                failed.log.push(LogLine::new("PREREQUISITE", None, None));
                failed
            }
            (Purpose::Check(check) | Purpose::CheckAndCount(check, _), _) => {
                failed_check(check, attempts, message_parts)
            }
            // ListDiscoveredResources shows that AWS Config is enabled.
            (Purpose::CheckAnyRecorder, Effect::Permission) => Self {
                requests: 2 * attempts,
                cells: Cells::RecorderUnknown { region: None },
                message_parts: vec![message_parts[0].clone()],
                ..unaffected
            },
            (Purpose::CheckAnyRecorder, effect) => Self {
                message_parts: if effect == Effect::NoRecorder {
                    vec![]
                } else {
                    message_parts
                },
                ..failed_check(CONFIG_ENABLED_CHECK, 2 * attempts, vec![])
            },
            (Purpose::ReadRecorder, effect) => Self {
                log: match effect {
                    // The counts are stale.
                    Effect::NoRecorder => {
                        vec![LogLine::new("CONFIG_DISABLED", Some(point.region), None)]
                    }
                    _ => vec![],
                },
                cells: match effect {
                    Effect::NoRecorder => Cells::RecorderMissing {
                        region: point.region,
                    },
                    _ => Cells::RecorderUnknown {
                        region: Some(point.region),
                    },
                },
                message_parts: if effect == Effect::NoRecorder {
                    vec![]
                } else {
                    message_parts
                },
                ..unaffected
            },
            (Purpose::Count(resource_type), effect) => {
                missing_count(point, resource_type, effect, attempts, message_parts)
            }
            // The totals come from the listing, as long as the region is scanned.
            (
                Purpose::Compare,
                effect @ (Effect::Throttle
                | Effect::Permission
                | Effect::ApiError
                | Effect::Unexpected),
            ) => Self {
                log: missing_count(point, None, effect, attempts, vec![]).log,
                message_parts,
                ..unaffected
            },
            (Purpose::Compare, effect) => {
                missing_count(point, None, effect, attempts, message_parts)
            }
        }
    }
}

/// Returns the expected result if `check` fails.
fn failed_check(check: &str, requests: usize, message_parts: Vec<String>) -> Expected {
    Expected {
        exit_code: 1,
        log: vec![LogLine::new("PREREQUISITE", None, None)],
        cells: Cells::NotWritten,
        message_parts: message_parts
            .into_iter()
            .chain([check.to_owned()])
            .collect(),
        requests,
    }
}

/// Returns the expected result if the scan cannot count `resource_type` (if absent, all types).
fn missing_count(
    point: &FaultPoint,
    resource_type: Option<&'static str>,
    effect: Effect,
    requests: usize,
    message_parts: Vec<String>,
) -> Expected {
    let region = point.region;
    let of_type = |error_type| LogLine::new(error_type, Some(region), resource_type);
    let of_region = |error_type| LogLine::new(error_type, Some(region), None);
    let (log, status, other_cells) = match effect {
        Effect::Throttle => (vec![of_type("THROTTLE")], "throttled", OtherCells::Counted),
        Effect::Permission => (
            vec![of_type("PERMISSION")],
            "access_denied",
            OtherCells::Counted,
        ),
        Effect::ApiError => (vec![of_type("API_ERROR")], "error", OtherCells::Counted),
        Effect::Unexpected => (vec![of_type("UNEXPECTED")], "error", OtherCells::Counted),
        Effect::Connection => (
            vec![of_type("CONNECTION"), of_region("SCAN_FAILED")],
            "connection_failed",
            OtherCells::MissingInRegion("connection_failed"),
        ),
        Effect::NoRecorder => (
            vec![of_region("CONFIG_DISABLED")],
            "recorder_missing",
            OtherCells::MissingInRegion("recorder_missing"),
        ),
        Effect::RegionDisabled => (
            vec![of_region("REGION_DISABLED")],
            "region_disabled",
            OtherCells::MissingInRegion("region_disabled"),
        ),
        // GetCallerIdentity accepts the credentials and the clock.
        Effect::ClockSkew | Effect::Expired => (
            vec![of_type("API_ERROR"), of_region("SCAN_FAILED")],
            "error",
            OtherCells::MissingInRegion("error"),
        ),
        Effect::None => unreachable!("a fault without effect loses no count"),
    };
    Expected {
        exit_code: 0,
        log,
        cells: Cells::Missing {
            region,
            resource_type,
            status,
            other_cells,
        },
        message_parts,
        requests,
    }
}
