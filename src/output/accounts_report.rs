//! The JSON report of a run of many accounts. Its schema is `schemas/accounts_report.schema.json`.
//!
//! The accounts are written one after another: the report of an organization does not have to fit into memory.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::ser::{Error, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::record_parts::{CellRecord, EntryRecord, RegionRecord};
use super::report::{cells, flags};
use super::run_file::{AccountRecord, Records};
use crate::error_log::{Entry, timestamp};
use crate::options::{AccountOptions, Options};
use crate::redact;

/// The version of the report's structure.
const SCHEMA_VERSION: u32 = 1;

/// The results of a run of many accounts.
pub struct AccountsResults {
    /// The accounts.
    pub records: Records,
    /// The scope of the files' names.
    pub scope: String,
    /// True if the list of accounts was read completely.
    pub is_list_complete: bool,
    /// True if an account was counted and the combined files were written.
    pub has_counts: bool,
}

/// The options and results of a run of many accounts.
pub struct AccountsReport<'a> {
    /// The options of the run.
    pub options: &'a Options,
    /// The options of the accounts.
    pub accounts: &'a AccountOptions,
    /// The start time.
    pub start: OffsetDateTime,
    /// The end time.
    pub end: OffsetDateTime,
    /// The exit code.
    pub exit_code: u8,
    /// The results; `None` if the checks failed.
    pub results: Option<&'a AccountsResults>,
    /// The errors that are about no account.
    pub errors: &'a [Entry],
}

impl AccountsReport<'_> {
    /// Writes the report as JSON, one value per line.
    ///
    /// # Errors
    /// A record cannot be read, or writing to `to` failed.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let is_list_complete = self.results.is_some_and(|results| results.is_list_complete);
        let (counts, totals) = self.totals(is_list_complete)?;
        let mut flags = flags(self.options);
        if let Value::Object(flags) = &mut flags {
            flags.insert("accounts".to_owned(), account_flags(self.accounts));
        }
        let scope = self.results.map(|results| &results.scope);
        let errors: Vec<_> = self
            .errors
            .iter()
            .map(|e| json!(EntryRecord::new(e)))
            .collect();
        let mut serializer = serde_json::Serializer::pretty(&mut *to);
        let mut report = serializer.serialize_map(None)?;
        report.serialize_entry("schema_version", &SCHEMA_VERSION)?;
        report.serialize_entry("program", env!("CARGO_PKG_NAME"))?;
        report.serialize_entry("version", env!("CARGO_PKG_VERSION"))?;
        report.serialize_entry("start", &timestamp(self.start))?;
        report.serialize_entry("end", &timestamp(self.end))?;
        report.serialize_entry("exit_code", &self.exit_code)?;
        report.serialize_entry("scope", &scope)?;
        report.serialize_entry("list_complete", &is_list_complete)?;
        report.serialize_entry("session_policy", &self.accounts.session_policy)?;
        report.serialize_entry("flags", &flags)?;
        report.serialize_entry("cells", &cells(counts))?;
        report.serialize_entry("totals", &totals)?;
        report.serialize_entry("accounts", &AccountArray(self))?;
        report.serialize_entry("errors", &errors)?;
        SerializeMap::end(report)?;
        to.write_all(b"\n")
    }

    fn len(&self) -> usize {
        self.results
            .map_or(0, |results| results.records.positions.len())
    }

    fn records(&self) -> impl Iterator<Item = io::Result<AccountRecord>> {
        let results = self.results.into_iter();
        results.flat_map(|results| results.records.iter())
    }

    /// Returns the numbers of counts by class, and the totals.
    fn totals(&self, is_list_complete: bool) -> io::Result<([usize; 4], Value)> {
        let (mut counts, mut resources) = ([0; 4], 0);
        let (mut is_complete, mut statuses) = (is_list_complete, BTreeMap::<_, usize>::new());
        for record in self.records() {
            let record = record?;
            for (sum, count) in counts.iter_mut().zip(record.counts) {
                *sum += count;
            }
            resources += record.total.unwrap_or_default();
            is_complete &= !record.status.is_missing();
            *statuses.entry(record.status.as_str()).or_default() += 1;
        }
        let totals = json!({
            "accounts": self.len(),
            "statuses": statuses,
            "resources": resources,
            "is_complete": is_complete,
        });
        Ok((counts, totals))
    }
}

/// The accounts, which are read one after another.
struct AccountArray<'a>(&'a AccountsReport<'a>);

impl Serialize for AccountArray<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for record in self.0.records() {
            list.serialize_element(&account(&record.map_err(S::Error::custom)?))?;
        }
        list.end()
    }
}

fn account(record: &AccountRecord) -> Value {
    json!({
        "id": record.account,
        "alias": Some(&record.alias).filter(|alias| !alias.is_empty()),
        "name": record.name,
        "ou_path": record.ou_path,
        "state": record.state,
        "access": record.access,
        "status": record.status.as_str(),
        "cells": cells(record.counts),
        "total": record.total,
        "detail": record.detail,
        "regions": record.by_region.iter().map(|r| region(record, r)).collect::<Vec<_>>(),
        "errors": record.errors.iter().map(|e| &e.entry).collect::<Vec<_>>(),
    })
}

fn region(record: &AccountRecord, region: &RegionRecord) -> Value {
    let cells = || record.cells.iter().filter(|c| c.region == region.region);
    json!({
        "region": region.region,
        "status": region.status,
        "recorder": region.recorder,
        "recorded": cells().filter_map(|cell| cell.total).sum::<u64>(),
        "seconds": std::time::Duration::from_millis(region.milliseconds).as_secs_f64(),
        "cells": cells().map(CellRecord::report).collect::<Vec<_>>(),
    })
}

/// Returns the options of the accounts; the external ID is only named.
fn account_flags(options: &AccountOptions) -> Value {
    let profiles = options.source.profiles();
    let profiles = profiles.map(|patterns| patterns.iter().map(|p| redact::setting(p)));
    json!({
        "profiles": profiles.map(Iterator::collect::<Vec<_>>),
        "sso_session": options.source.session().map(redact::setting),
        "organization_role": options.organization_role,
        "role_name": options.role.to_string(),
        "external_id": options.external_id.is_some(),
        "role_session_name": options.session_name,
        "session_policy": options.session_policy,
        "account_files": options.account_files,
    })
}
