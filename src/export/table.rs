//! What stands in the files: columns and rows, whatever the format.

use std::fmt::{Display, Write};
use std::io;

use crate::coverage::{Coverage, Difference};
use crate::model::{Account, Region, ResourceCount, ResourceType};

/// Columns and rows.
pub struct Table<'a> {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows, made as they are written, for there may be many.
    pub next: Box<NextRow<'a>>,
}

/// Hands over a value per column of the next row, and tells whether there was one; fails where they are
/// not taken.
pub type NextRow<'a> = dyn FnMut(&mut Put<'_>) -> io::Result<bool> + 'a;

/// Takes a value.
pub type Put<'a> = dyn FnMut(&str) -> io::Result<()> + 'a;

/// What stands in a row beside its place.
enum Value<'a> {
    Text(&'a str),
    Number(u64),
    /// By how much a number is off.
    By(i128),
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
        let rows = found.map(|c| (c.region, c.resource_type, [Value::Number(c.total)]));
        Self::of(account, ["total"], rows)
    }

    /// What is known of every region and type.
    #[must_use]
    pub fn coverage(account: &'a Account, coverage: &'a Coverage) -> Self {
        let rows = coverage.cells().map(|(region, resource_type, cell)| {
            let (status, detail) = (cell.status.as_str(), cell.detail());
            let total = cell.total().map_or(Value::Text(""), Value::Number);
            let values = [Value::Text(status), total, Value::Text(detail)];
            (region, resource_type, values)
        });
        Self::of(account, ["status", "total", "detail"], rows)
    }

    /// Where the listing and the counts differ.
    #[must_use]
    pub fn differences(account: &'a Account, differences: &'a [Difference<'a>]) -> Self {
        let rows = differences.iter().map(|d| {
            let values = [
                Value::Number(d.listed),
                Value::Number(d.counted),
                Value::By(d.by()),
                Value::Text(d.reason),
            ];
            (d.region, d.resource_type, values)
        });
        let columns = ["listed", "counted", "difference", "reason"];
        Self::of(account, columns, rows)
    }

    /// The rows of an account, of each its place and the values of `columns`.
    fn of<const N: usize>(
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

/// A number in a buffer that is there for the next one too.
fn written(buffer: &mut String, n: impl Display) -> &str {
    let _ = write!(buffer, "{n}");
    buffer
}
