//! The JSON report of a run of many accounts. Its schema is `schemas/accounts_report.schema.json`.
//!
//! The accounts are written one after another: the report of an organization does not have to fit into memory.

use std::io::{self, Write};

use serde::ser::Error;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::record_parts::{ErrorRecord, RegionRecord};
use super::report::{entry_value, flags};
use super::run_file::{AccountRecord, CellRecord};
use crate::error_log::{Entry, timestamp};
use crate::options::{AccountOptions, AccountSource, Options};
use crate::redact;

/// The version of the report's structure.
const SCHEMA_VERSION: u32 = 1;

/// The options and results of a run of many accounts.
pub struct AccountsReport<'a, R> {
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
    /// The scope of the files' names; `None` if the checks failed.
    pub scope: Option<&'a str>,
    /// True if the list of accounts was read completely.
    pub is_list_complete: bool,
    /// The number of accounts.
    pub len: usize,
    /// Returns the record of an account, by its position in the order of the IDs.
    pub record: R,
    /// The errors that are about no account.
    pub errors: &'a [Entry],
}

impl<R: Fn(usize) -> io::Result<AccountRecord>> AccountsReport<'_, R> {
    /// Writes the report as JSON, one value per line.
    ///
    /// # Errors
    /// A record cannot be read, or writing to `to` failed.
    pub fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let totals = self.totals()?;
        let mut flags = flags(self.options);
        if let Value::Object(flags) = &mut flags {
            flags.insert("accounts".to_owned(), account_flags(self.accounts));
        }
        let report = ReportBody {
            schema_version: SCHEMA_VERSION,
            program: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            start: timestamp(self.start),
            end: timestamp(self.end),
            exit_code: self.exit_code,
            scope: self.scope,
            list_complete: self.is_list_complete,
            session_policy: self.accounts.session_policy,
            flags,
            cells: cells(totals.counts),
            totals: json!({
                "accounts": self.len,
                "statuses": totals.statuses,
                "resources": totals.resources,
                "is_complete": self.is_list_complete && totals.is_complete,
            }),
            accounts: AccountArray(self),
            errors: self.errors.iter().map(entry_value).collect(),
        };
        serde_json::to_writer_pretty(&mut *to, &report)?;
        to.write_all(b"\n")
    }

    fn records(&self) -> impl Iterator<Item = io::Result<AccountRecord>> {
        (0..self.len).map(&self.record)
    }

    fn totals(&self) -> io::Result<AllTotals> {
        let mut totals = AllTotals {
            is_complete: true,
            ..AllTotals::default()
        };
        for record in self.records() {
            let record = record?;
            for (sum, count) in totals.counts.iter_mut().zip(record.counts) {
                *sum += count;
            }
            totals.resources += record.total.unwrap_or_default();
            totals.is_complete &= !record.status.is_missing();
            let status = record.status.as_str();
            *totals.statuses.entry(status).or_default() += 1;
        }
        Ok(totals)
    }
}

#[derive(Default)]
struct AllTotals {
    counts: [usize; 4],
    resources: u64,
    is_complete: bool,
    statuses: std::collections::BTreeMap<&'static str, usize>,
}

/// The members of the report, in their order.
#[derive(Serialize)]
#[serde(bound = "R: Fn(usize) -> io::Result<AccountRecord>")]
struct ReportBody<'a, R> {
    schema_version: u32,
    program: &'static str,
    version: &'static str,
    start: String,
    end: String,
    exit_code: u8,
    scope: Option<&'a str>,
    list_complete: bool,
    session_policy: bool,
    flags: Value,
    cells: Value,
    totals: Value,
    accounts: AccountArray<'a, R>,
    errors: Vec<Value>,
}

struct AccountArray<'a, R>(&'a AccountsReport<'a, R>);

impl<R: Fn(usize) -> io::Result<AccountRecord>> Serialize for AccountArray<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut list = serializer.serialize_seq(Some(self.0.len))?;
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
        "errors": record.errors.iter().map(ErrorRecord::report).collect::<Vec<_>>(),
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
        "cells": cells().map(cell).collect::<Vec<_>>(),
    })
}

fn cell(cell: &CellRecord) -> Value {
    json!({
        "resource_type": cell.resource_type,
        "status": cell.status,
        "class": cell.class,
        "accepted": cell.accepted,
        "total": cell.total,
        "since": cell.since,
        "detail": cell.detail,
    })
}

fn cells([known, stale, unverified, missing]: [usize; 4]) -> Value {
    json!({
        "total": known + stale + unverified + missing,
        "known": known,
        "stale": stale,
        "unverified": unverified,
        "missing": missing,
    })
}

/// Returns the options of the accounts; the external ID is only named.
fn account_flags(options: &AccountOptions) -> Value {
    let profiles = match &options.source {
        AccountSource::Profiles(patterns) => Some(patterns.iter().map(|p| redact::setting(p))),
        AccountSource::Organization | AccountSource::Named | AccountSource::Sso { .. } => None,
    };
    let session = match &options.source {
        AccountSource::Sso { session, .. } => Some(redact::setting(session)),
        _ => None,
    };
    json!({
        "profiles": profiles.map(Iterator::collect::<Vec<_>>),
        "sso_session": session,
        "organization_role": options.organization_role,
        "role_name": options.role.to_string(),
        "external_id": options.external_id.is_some(),
        "role_session_name": options.session_name,
        "session_policy": options.session_policy,
        "account_files": options.account_files,
    })
}
