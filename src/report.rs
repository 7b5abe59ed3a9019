//! The machine-readable report of a run. `schemas/report.schema.json` says what stands in it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::aws::operation::Service;
use crate::aws::usage::Usage;
use crate::config::Config;
use crate::coverage::{Cell, Coverage, Recorder, RegionCoverage};
use crate::error_log::{Entry, timestamp};
use crate::model::{Account, Region, ResourceType, ResourceTypes};

/// What a run was asked, did and found.
pub struct Report<'a> {
    /// What it was asked.
    pub config: &'a Config,
    /// When it began.
    pub start: OffsetDateTime,
    /// When it ended.
    pub end: OffsetDateTime,
    /// What it ended with.
    pub exit_code: u8,
    /// Whose account it was, where that is known.
    pub account: Option<&'a Account>,
    /// What is known of every region and type; empty where the scan did not begin.
    pub coverage: &'a Coverage,
    /// What the calls cost.
    pub usage: &'a BTreeMap<(Service, Region), Usage>,
    /// Every line of the error log.
    pub errors: &'a [Entry],
}

impl Report<'_> {
    /// The report as JSON, with a line for each value.
    ///
    /// # Panics
    /// Never: it is made of texts and numbers.
    #[must_use]
    pub fn render(&self) -> Vec<u8> {
        let mut usage = Usage::default();
        for used in self.usage.values() {
            usage += *used;
        }
        let cells = self.coverage.cells().count();
        let counted = self
            .coverage
            .cells()
            .filter(|(.., c)| c.total().is_some())
            .count();
        let account = self
            .account
            .map(|a| json!({"id": a.id.as_str(), "alias": a.shown_alias()}));
        let report = json!({
            "program": env!("CARGO_PKG_NAME"),
            "version": env!("CARGO_PKG_VERSION"),
            "start": timestamp(self.start),
            "end": timestamp(self.end),
            "exit_code": self.exit_code,
            "account": account,
            "flags": flags(self.config),
            "cells": {"total": cells, "counted": counted, "missing": self.coverage.missing()},
            "usage": usage_of(usage),
            "regions": self.coverage.regions.iter().map(|r| self.region(r)).collect::<Vec<_>>(),
            "errors": self.errors.iter().map(error).collect::<Vec<_>>(),
        });
        let mut bytes = serde_json::to_vec_pretty(&report).expect("texts and numbers");
        bytes.push(b'\n');
        bytes
    }

    fn region(&self, region: &RegionCoverage) -> Value {
        let used = self.usage.get(&(Service::Config, region.region.clone()));
        let status = match region.missing() {
            0 => "complete",
            n if n < region.cells.values().len() => "partial",
            _ => "missing",
        };
        json!({
            "region": region.region.as_str(),
            "status": status,
            "recorder": region.recorder.as_ref().map(Recorder::as_str),
            "seconds": region.took.as_secs_f64(),
            "usage": usage_of(used.copied().unwrap_or_default()),
            "cells": region.cells.iter().map(cell).collect::<Vec<_>>(),
        })
    }
}

fn flags(config: &Config) -> Value {
    let texts = |regions: &[Region]| regions.iter().map(Region::to_string).collect::<Vec<_>>();
    let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string());
    let resource_types = match &config.resource_types {
        ResourceTypes::All => json!("all"),
        ResourceTypes::Named(types) => json!(types),
    };
    json!({
        "profile": config.profile,
        "region": config.region.as_ref().map(Region::as_str),
        "regions": texts(&config.regions),
        "exclude_regions": texts(&config.exclude_regions),
        "resource_types": resource_types,
        "method": config.method.as_str(),
        "skip_checks": config.skip_checks,
        "strict": config.strict,
        "coverage": config.coverage,
        "output_dir": config.output_dir.display().to_string(),
        "endpoint_url": config.endpoint_url.as_ref().map(ToString::to_string),
        "ca_bundle": path(&config.ca_bundle),
        "max_attempts": config.max_attempts,
        "region_concurrency": config.limits.concurrency,
        "max_rps": config.limits.rate,
        "connect_timeout": config.connect_timeout.as_secs(),
        "read_timeout": config.read_timeout.as_secs(),
        "record": path(&config.record),
        "replay": path(&config.replay),
    })
}

fn usage_of(usage: Usage) -> Value {
    json!({
        "requests": usage.requests,
        "retries": usage.retries,
        "throttles": usage.throttles,
        "bytes": usage.bytes,
    })
}

fn cell((resource_type, cell): (&ResourceType, &Cell)) -> Value {
    json!({
        "resource_type": resource_type,
        "status": cell.status.as_str(),
        "total": cell.total(),
        "missing": cell.missing,
        "detail": cell.detail(),
    })
}

fn error(entry: &Entry) -> Value {
    json!({
        "at": timestamp(entry.at),
        "error_type": entry.error_type.as_str(),
        "region": entry.region.as_ref().map(Region::as_str),
        "resource_type": entry.resource_type,
        "message": entry.message(),
    })
}
