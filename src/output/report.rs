//! The JSON report of a run. Its schema is `schemas/report.schema.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::record_parts::{CellRecord, EntryRecord};
use crate::aws::operation::Service;
use crate::aws::usage::Usage;
use crate::coverage::{Cell, Class, Coverage, Recorder, RegionCoverage};
use crate::error_log::{Entry, timestamp};
use crate::model::{Account, Region};
use crate::options::Options;
use crate::recording::Source;
use crate::redact;

/// The version of the report's structure. Reports without it have version 1.
const SCHEMA_VERSION: u32 = 2;

/// The options, requests and results of a run.
pub struct Report<'a> {
    /// The options of the run.
    pub options: &'a Options,
    /// The start time.
    pub start: OffsetDateTime,
    /// The end time.
    pub end: OffsetDateTime,
    /// The exit code.
    pub exit_code: u8,
    /// The account, if it is known.
    pub account: Option<&'a Account>,
    /// The coverage; empty if the scan did not start.
    pub coverage: &'a Coverage,
    /// The requests, retries, throttles and bytes, by service and region.
    pub usage: &'a BTreeMap<(Service, Region), Usage>,
    /// All entries of the error log.
    pub errors: &'a [Entry],
}

impl Report<'_> {
    /// Returns the report as JSON, one value per line.
    ///
    /// # Panics
    /// Never: the report has only strings and numbers.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let usage: Usage = self.usage.values().sum();
        let totals = self.coverage.totals();
        let regions = self.coverage.regions.len();
        let account = self.account;
        let account = account.map(|a| json!({"id": a.id, "alias": a.shown_alias()}));
        let report = json!({
            "schema_version": SCHEMA_VERSION,
            "program": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "start": timestamp(self.start),
            "end": timestamp(self.end),
            "exit_code": self.exit_code,
            "account": account,
            "flags": flags(self.options),
            "cells": cells(Class::ALL.map(|class| self.coverage.number_of(class))),
            "totals": {
                "recorded": totals.recorded,
                "iam_once": totals.once,
                "known": totals.known,
                "stale": totals.stale,
                "unverified": totals.unverified,
                "missing": totals.missing,
                "accepted": self.coverage.accepted(),
                "regions": {
                    "complete": regions - totals.stale_regions - totals.incomplete_regions,
                    "stale": totals.stale_regions,
                    "incomplete": totals.incomplete_regions,
                },
            },
            "accepted_missing": self.coverage.accepted_gaps(),
            "types": self.coverage.type_totals().collect::<Vec<_>>(),
            "usage": usage,
            "regions": self.coverage.regions.iter().map(|r| self.region(r)).collect::<Vec<_>>(),
            "errors": self.errors.iter().map(EntryRecord::new).collect::<Vec<_>>(),
        });
        let mut bytes = serde_json::to_vec_pretty(&report).expect("strings and numbers");
        bytes.push(b'\n');
        bytes
    }

    fn region(&self, region: &RegionCoverage) -> Value {
        let result = &region.result;
        let usage = self.usage.get(&(Service::Config, result.region.clone()));
        let cells = self.coverage.types.iter().zip(&region.cells);
        let cells = cells
            .map(|(t, cell)| CellRecord::new(self.coverage, (&result.region, t, cell)).report());
        json!({
            "region": result.region,
            "status": self.coverage.completeness(region),
            "recorder": result.recorder.as_ref().map(Recorder::as_str),
            "recorded": region.cells.iter().filter_map(Cell::total).sum::<u64>(),
            "seconds": result.took.as_secs_f64(),
            "usage": usage.copied().unwrap_or_default(),
            "cells": cells.collect::<Vec<_>>(),
        })
    }
}

/// Returns the numbers of known, stale, unverified and missing counts, and of all.
pub(super) fn cells([known, stale, unverified, missing]: [usize; 4]) -> Value {
    json!({
        "total": known + stale + unverified + missing,
        "known": known,
        "stale": stale,
        "unverified": unverified,
        "missing": missing,
    })
}

/// Returns the options of the command line.
pub(super) fn flags(options: &Options) -> Value {
    let types = options.resource_types.named();
    json!({
        "profile": options.profile.as_deref().map(redact::setting),
        "region": options.region,
        "regions": options.regions,
        "exclude_regions": options.exclude_regions,
        "resource_types": types.map_or(json!("all"), |types| json!(types)),
        "method": options.method.as_str(),
        "skip_checks": options.skip_checks,
        "strict": options.strict,
        "accept_missing": options.accept_missing,
        "coverage": options.coverage,
        "format": options.format,
        "output_dir": options.output_dir.display().to_string(),
        "endpoint_url": options.endpoint_url.as_ref().map(ToString::to_string),
        "ca_bundle": path(options.ca_bundle.as_deref()),
        "max_attempts": options.max_attempts,
        "region_concurrency": options.limits.concurrency,
        "max_rps": options.limits.rate,
        "max_time": options.account_time().as_secs(),
        "connect_timeout": options.connect_timeout.as_secs(),
        "read_timeout": options.read_timeout.as_secs(),
        "record": path(options.record.as_deref()),
        "replay": path(options.replay.as_ref().and_then(Source::directory)),
        "demo": options.replay == Some(Source::Demo),
    })
}

fn path(path: Option<&Path>) -> Option<String> {
    path.map(|p| p.display().to_string())
}
