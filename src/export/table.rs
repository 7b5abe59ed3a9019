//! What stands in the files: columns and rows, whatever the format.

use crate::coverage::{Coverage, Difference};
use crate::model::{Account, Region, ResourceCount, ResourceType};

/// Columns and rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<&'static str>,
    /// A value per column.
    pub rows: Vec<Vec<String>>,
}

/// What every row begins with.
const PLACE: [&str; 4] = ["account", "alias", "region", "resource_type"];

impl Table {
    /// The totals above zero, by region, then by type.
    #[must_use]
    pub fn counts(account: &Account, counts: &[ResourceCount]) -> Self {
        let mut counts: Vec<&ResourceCount> = counts.iter().filter(|c| c.total > 0).collect();
        counts.sort();
        let row =
            |c: &&ResourceCount| row(account, &c.region, &c.resource_type, [c.total.to_string()]);
        Self::of(["total"], counts.iter().map(row).collect())
    }

    /// What is known of every region and type.
    #[must_use]
    pub fn coverage(account: &Account, coverage: &Coverage) -> Self {
        let rows = coverage.cells().map(|(region, resource_type, cell)| {
            let status = cell.status.as_str().to_owned();
            let values = [status, number(cell.total), cell.detail.to_string()];
            row(account, region, resource_type, values)
        });
        Self::of(["status", "total", "detail"], rows.collect())
    }

    /// Where the listing and the counts differ.
    #[must_use]
    pub fn differences(account: &Account, differences: &[Difference<'_>]) -> Self {
        let rows = differences.iter().map(|d| {
            let values = [
                d.listed.to_string(),
                d.counted.to_string(),
                d.by().to_string(),
                d.reason.to_owned(),
            ];
            row(account, d.region, d.resource_type, values)
        });
        let columns = ["listed", "counted", "difference", "reason"];
        Self::of(columns, rows.collect())
    }

    fn of<const N: usize>(columns: [&'static str; N], rows: Vec<Vec<String>>) -> Self {
        Self {
            columns: PLACE.into_iter().chain(columns).collect(),
            rows,
        }
    }
}

fn row<const N: usize>(
    account: &Account,
    region: &Region,
    resource_type: &ResourceType,
    values: [String; N],
) -> Vec<String> {
    let alias = account.shown_alias().unwrap_or_default();
    let place = [
        account.id.to_string(),
        alias,
        region.to_string(),
        resource_type.to_string(),
    ];
    place.into_iter().chain(values).collect()
}

/// A number, or nothing where it is not known.
fn number(n: Option<u64>) -> String {
    n.map(|n| n.to_string()).unwrap_or_default()
}
