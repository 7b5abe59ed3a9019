//! What stands in the files: columns and rows, whatever the format.

use std::borrow::Cow;

use crate::coverage::{Coverage, Difference};
use crate::model::{Account, Region, ResourceCount, ResourceType};

/// Columns and rows.
pub struct Table<'a> {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// A value per column; made as they are written, for there may be many.
    pub rows: Box<dyn Iterator<Item = Vec<Cow<'a, str>>> + 'a>,
}

/// What every row begins with.
const PLACE: [&str; 4] = ["account", "alias", "region", "resource_type"];

impl<'a> Table<'a> {
    /// The totals above zero, in the order of `counts`.
    #[must_use]
    pub fn counts(
        account: &'a Account,
        counts: impl Iterator<Item = ResourceCount<'a>> + 'a,
    ) -> Self {
        let found = counts.filter(|c| c.total > 0);
        let row = rows_of(account);
        let rows = found.map(move |c| {
            let values = [c.total.to_string().into()];
            row(c.region, c.resource_type, &values)
        });
        Self::of(["total"], rows)
    }

    /// What is known of every region and type.
    #[must_use]
    pub fn coverage(account: &'a Account, coverage: &'a Coverage) -> Self {
        let row = rows_of(account);
        let rows = coverage.cells().map(move |(region, resource_type, cell)| {
            let total = number(cell.total).into();
            let values = [cell.status.as_str().into(), total, (&*cell.detail).into()];
            row(region, resource_type, &values)
        });
        Self::of(["status", "total", "detail"], rows)
    }

    /// Where the listing and the counts differ.
    #[must_use]
    pub fn differences(account: &'a Account, differences: &'a [Difference<'a>]) -> Self {
        let row = rows_of(account);
        let rows = differences.iter().map(move |d| {
            let values = [
                d.listed.to_string().into(),
                d.counted.to_string().into(),
                d.by().to_string().into(),
                d.reason.into(),
            ];
            row(d.region, d.resource_type, &values)
        });
        let columns = ["listed", "counted", "difference", "reason"];
        Self::of(columns, rows)
    }

    fn of<const N: usize>(
        columns: [&'static str; N],
        rows: impl Iterator<Item = Vec<Cow<'a, str>>> + 'a,
    ) -> Self {
        Self {
            columns: PLACE.into_iter().chain(columns).collect(),
            rows: Box::new(rows),
        }
    }
}

/// Makes the rows of an account.
fn rows_of<'a>(
    account: &'a Account,
) -> impl Fn(&'a Region, &'a ResourceType, &[Cow<'a, str>]) -> Vec<Cow<'a, str>> {
    let alias = account.shown_alias().unwrap_or_default();
    move |region, resource_type, values| {
        let id = account.id.as_str().into();
        let (region, resource_type) = (region.as_str().into(), resource_type.as_str().into());
        [&[id, alias.clone(), region, resource_type], values].concat()
    }
}

/// A number, or nothing where it is not known.
fn number(n: Option<u64>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}
