//! The content of the output files: columns and rows, independent of the format.

use std::fmt::{Display, Write};
use std::io;

use crate::coverage::{Coverage, Difference};
use crate::model::{Account, Region, ResourceCount, ResourceType};

/// A table of columns and rows.
pub struct Table<'a> {
    /// The column names.
    pub columns: Vec<&'static str>,
    /// The rows, created while they are written, because there may be many.
    pub next: Box<NextRow<'a>>,
}

/// Passes the values of the next row, one per column, and returns true; returns false after the
/// last row. Fails if a value cannot be written.
pub type NextRow<'a> = dyn FnMut(&mut Put<'_>) -> io::Result<bool> + 'a;

/// Writes a value.
pub type Put<'a> = dyn FnMut(&str) -> io::Result<()> + 'a;

/// A value of a row after the common columns.
enum Value<'a> {
    Text(&'a str),
    Number(u64),
    /// A difference of two numbers.
    By(i128),
}

/// The first columns of every table.
const PLACE: [&str; 4] = ["account", "alias", "region", "resource_type"];

impl<'a> Table<'a> {
    /// Creates the table of the totals above zero, in the order of `counts`.
    #[must_use]
    pub fn counts(
        account: &'a Account,
        counts: impl Iterator<Item = ResourceCount<'a>> + 'a,
    ) -> Self {
        let found = counts.filter(|c| c.total > 0);
        let rows = found.map(|c| (c.region, c.resource_type, [Value::Number(c.total)]));
        Self::from_rows(account, ["total"], rows)
    }

    /// Creates the table of the status of every region and type.
    #[must_use]
    pub fn coverage(account: &'a Account, coverage: &'a Coverage) -> Self {
        let rows = coverage.cells().map(|(region, resource_type, cell)| {
            let (status, detail) = (cell.status.as_str(), cell.detail());
            let total = cell.total().map_or(Value::Text(""), Value::Number);
            let values = [Value::Text(status), total, Value::Text(detail)];
            (region, resource_type, values)
        });
        Self::from_rows(account, ["status", "total", "detail"], rows)
    }

    /// Creates the table of the differences between listings and counts.
    #[must_use]
    pub fn differences(account: &'a Account, differences: &'a [Difference<'a>]) -> Self {
        let rows = differences.iter().map(|d| {
            let values = [
                Value::Number(d.listed),
                Value::Number(d.counted),
                Value::By(d.delta()),
                Value::Text(d.reason),
            ];
            (d.region, d.resource_type, values)
        });
        let columns = ["listed", "counted", "difference", "reason"];
        Self::from_rows(account, columns, rows)
    }

    /// Creates the table of an account: the common columns, then `columns`.
    fn from_rows<const N: usize>(
        account: &'a Account,
        columns: [&'static str; N],
        mut rows: impl Iterator<Item = (&'a Region, &'a ResourceType, [Value<'a>; N])> + 'a,
    ) -> Self {
        let alias = account.shown_alias().unwrap_or_default();
        let mut number = String::new();
        let next = move |put: &mut Put<'_>| {
            let Some((region, resource_type, values)) = rows.next() else {
                return Ok(false);
            };
            put(account.id.as_str())?;
            put(&alias)?;
            put(region.as_str())?;
            put(resource_type.as_str())?;
            for value in values {
                number.clear();
                put(match value {
                    Value::Text(text) => text,
                    Value::Number(n) => written(&mut number, n),
                    Value::By(n) => written(&mut number, n),
                })?;
            }
            Ok(true)
        };
        Self {
            columns: PLACE.into_iter().chain(columns).collect(),
            next: Box::new(next),
        }
    }
}

/// Formats a number in a buffer that is reused.
fn written(buffer: &mut String, n: impl Display) -> &str {
    let _ = write!(buffer, "{n}");
    buffer
}
