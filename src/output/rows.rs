//! The rows of the output files, independent of the format. A field name is a column name.

use std::borrow::Cow;

use serde::Serialize;

use super::run_file::AccountRecord;
use crate::coverage::{Class, Coverage, Difference, Status};
use crate::error_log::timestamp;
use crate::model::{Account, Region, ResourceType};

/// A total above zero.
#[derive(Serialize)]
pub struct CountRow<'a> {
    account: &'a str,
    alias: Cow<'a, str>,
    region: &'a str,
    resource_type: &'a str,
    total: u64,
}

/// The status of a region and type.
#[derive(Serialize)]
pub struct CoverageRow<'a> {
    account: &'a str,
    alias: Cow<'a, str>,
    region: &'a str,
    resource_type: &'a str,
    status: Status,
    class: Class,
    total: Option<u64>,
    since: Option<Cow<'a, str>>,
    detail: Cow<'a, str>,
}

/// A difference between a listing and a count.
#[derive(Serialize)]
pub struct DifferenceRow<'a> {
    account: &'a str,
    alias: Cow<'a, str>,
    region: &'a str,
    resource_type: &'a ResourceType,
    listed: u64,
    counted: u64,
    difference: i128,
    reason: &'static str,
}

impl<'a> CountRow<'a> {
    /// The first line of the file.
    pub const HEADER: &'static str = "account,alias,region,resource_type,total";

    /// Returns a row for each total above zero, in the order of `counts`.
    pub fn rows(
        account: &'a Account,
        counts: impl Iterator<Item = (&'a Region, &'a ResourceType, u64)>,
    ) -> impl Iterator<Item = Self> {
        let alias = account.shown_alias().unwrap_or_default();
        let found = counts.filter(|(.., total)| *total > 0);
        found.map(move |(region, resource_type, total)| Self {
            account: account.id.as_str(),
            alias: alias.clone(),
            region: region.as_str(),
            resource_type: resource_type.as_str(),
            total,
        })
    }

    /// Returns a row for each total above zero of a record.
    pub fn of_record(record: &'a AccountRecord) -> impl Iterator<Item = Self> {
        let found = record.cells.iter().map(|cell| Self {
            account: &record.account,
            alias: record.alias.as_str().into(),
            region: &cell.region,
            resource_type: &cell.resource_type,
            total: cell.total.unwrap_or_default(),
        });
        found.filter(|row| row.total > 0)
    }
}

impl<'a> CoverageRow<'a> {
    /// The first line of the file.
    pub const HEADER: &'static str =
        "account,alias,region,resource_type,status,class,total,since,detail";

    /// Returns a row for each region and type.
    pub fn rows(account: &'a Account, coverage: &'a Coverage) -> impl Iterator<Item = Self> {
        let alias = account.shown_alias().unwrap_or_default();
        coverage
            .cells()
            .map(move |(region, resource_type, cell)| Self {
                account: account.id.as_str(),
                alias: alias.clone(),
                region: region.as_str(),
                resource_type: resource_type.as_str(),
                status: cell.status(),
                class: cell.class(),
                total: cell.total(),
                since: cell.since().map(|since| timestamp(since).into()),
                detail: cell.detail(),
            })
    }

    /// Returns a row for each region and type of a record.
    pub fn of_record(record: &'a AccountRecord) -> impl Iterator<Item = Self> {
        record.cells.iter().map(|cell| Self {
            account: &record.account,
            alias: record.alias.as_str().into(),
            region: &cell.region,
            resource_type: &cell.resource_type,
            status: cell.status,
            class: cell.class,
            total: cell.total,
            since: cell.since.as_deref().map(Cow::from),
            detail: cell.detail.as_str().into(),
        })
    }
}

impl<'a> DifferenceRow<'a> {
    /// The first line of the file.
    pub const HEADER: &'static str =
        "account,alias,region,resource_type,listed,counted,difference,reason";

    /// Returns a row for each difference.
    pub fn rows(
        account: &'a Account,
        differences: &'a [Difference<'a>],
    ) -> impl Iterator<Item = Self> {
        let alias = account.shown_alias().unwrap_or_default();
        differences.iter().map(move |d| Self {
            account: account.id.as_str(),
            alias: alias.clone(),
            region: d.region.as_str(),
            resource_type: d.resource_type,
            listed: d.listed,
            counted: d.counted,
            difference: d.delta(),
            reason: d.reason,
        })
    }
}
