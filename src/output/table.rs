//! The counts as a table for people: regions and types, with totals. `--format table` prints it.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::coverage::{Cell, Class, Coverage};
use crate::model::{Account, ResourceType};
use crate::text::thousands;

/// The name of the last row and column.
const TOTAL: &str = "total";

/// The text of a count that is missing.
const MISSING: &str = "?";

/// The text of a count of another region.
const ELSEWHERE: &str = "-";

/// The mark of a stale count.
const STALE: &str = "*";

/// The mark of an unverified count.
const UNVERIFIED: &str = "~";

/// The mark of a total without counts that are missing.
const AT_LEAST: &str = "+";

/// The marks of the table and their meanings, in the order of the legend.
const LEGEND: [(&str, &str); 5] = [
    (MISSING, "missing: no count"),
    (STALE, "stale: may be out of date"),
    (UNVERIFIED, "unverified: may not be recorded"),
    (ELSEWHERE, "counted in another region"),
    (AT_LEAST, "at least: counts are missing"),
];

/// A number with its mark, or a mark.
#[derive(Clone)]
struct Figure {
    text: String,
    /// A mark or a space.
    mark: &'static str,
}

/// The rows and columns of a table. The last of each are totals.
struct Grid {
    labels: Vec<String>,
    headers: Vec<String>,
    rows: Vec<Vec<Figure>>,
}

/// Returns the table of `coverage`, with the longer of both dimensions as its rows. In a terminal with few `columns` it
/// is split into blocks of columns; a number is never shortened.
#[must_use]
pub fn table(account: &Account, coverage: &Coverage, columns: Option<usize>) -> String {
    let mut grid = Grid::new(coverage);
    if coverage.types.len() > coverage.regions.len() {
        grid = grid.transposed();
    }
    let alias = account.shown_alias().map(|alias| format!(" ({alias})"));
    let mut text = format!("Account {}{}\n", account.id, alias.unwrap_or_default());
    for block in grid.blocks(columns) {
        text.push('\n');
        text += &block;
    }
    let legend = grid.legend();
    if !legend.is_empty() {
        let _ = write!(text, "\n{legend}");
    }
    let totals = coverage.totals();
    if totals.once != totals.recorded {
        let is_iam = totals
            .global
            .iter()
            .all(|g| g.resource_type.is_global_iam());
        let resources = if is_iam { "IAM" } else { "global resources" };
        let once = thousands(totals.once);
        let mark = if totals.missing > 0 { AT_LEAST } else { "" };
        let _ = writeln!(text, "\nTotal with {resources} counted once: {once}{mark}");
    }
    text
}

impl Figure {
    fn new(cell: &Cell) -> Self {
        let class = cell.class();
        let text = match cell.total() {
            Some(total) => thousands(total),
            None if class == Class::Missing => MISSING.to_owned(),
            None => ELSEWHERE.to_owned(),
        };
        let mark = mark(&BTreeSet::from([class]));
        Self { text, mark }
    }

    /// Sums `cells`; `is_gap` selects those without which the sum is incomplete.
    fn sum<'a>(
        cells: impl Iterator<Item = (&'a ResourceType, &'a Cell)>,
        is_gap: fn(&ResourceType, &Cell) -> bool,
    ) -> Self {
        let mut total: Option<u64> = None;
        let (mut has_gap, mut classes) = (false, BTreeSet::new());
        for (resource_type, cell) in cells {
            has_gap |= is_gap(resource_type, cell);
            if let Some(n) = cell.total() {
                total = Some(total.unwrap_or_default().saturating_add(n));
                classes.insert(cell.class());
            }
        }
        match total {
            None if has_gap => Self {
                text: MISSING.to_owned(),
                mark: " ",
            },
            _ => Self {
                text: thousands(total.unwrap_or_default()),
                mark: if has_gap { AT_LEAST } else { mark(&classes) },
            },
        }
    }
}

/// Returns the mark of a number that has counts of `classes`.
fn mark(classes: &BTreeSet<Class>) -> &'static str {
    if classes.contains(&Class::Stale) {
        STALE
    } else if classes.contains(&Class::Unverified) {
        UNVERIFIED
    } else {
        " "
    }
}

impl Grid {
    /// Creates the grid with regions as rows.
    fn new(coverage: &Coverage) -> Self {
        let Coverage { types, regions, .. } = coverage;
        // A global type that no region records is a gap of the account, not of a region.
        let is_gap_of_region =
            |t: &ResourceType, cell: &Cell| cell.is_missing() && !cell.is_unrecorded_global(t);
        let is_gap = |_: &ResourceType, cell: &Cell| cell.is_missing();
        let mut rows = Vec::with_capacity(regions.len() + 1);
        for region in regions {
            let mut row: Vec<_> = region.cells.iter().map(Figure::new).collect();
            row.push(Figure::sum(
                types.iter().zip(&region.cells),
                is_gap_of_region,
            ));
            rows.push(row);
        }
        let of_type = |(n, t)| regions.iter().map(move |r| (t, &r.cells[n]));
        let sums = types
            .iter()
            .enumerate()
            .map(|of| Figure::sum(of_type(of), is_gap));
        let mut sums: Vec<_> = sums.collect();
        sums.push(Figure::sum(
            coverage.cells().map(|(_, t, cell)| (t, cell)),
            is_gap,
        ));
        rows.push(sums);
        let total = || std::iter::once(TOTAL.to_owned());
        let labels = regions.iter().map(|r| r.result.region.to_string());
        let headers = types.iter().map(ToString::to_string);
        Self {
            labels: labels.chain(total()).collect(),
            headers: headers.chain(total()).collect(),
            rows,
        }
    }

    fn transposed(self) -> Self {
        let columns = 0..self.headers.len();
        let column = |n: usize| self.rows.iter().map(|row| row[n].clone()).collect();
        Self {
            rows: columns.map(column).collect(),
            labels: self.headers,
            headers: self.labels,
        }
    }

    /// Returns the blocks: one without a limit of `columns`, otherwise as many as are needed. Each has the labels and at
    /// least one column of numbers.
    fn blocks(&self, columns: Option<usize>) -> Vec<String> {
        // A mark has no place before the first column.
        let label_width = width(&self.labels) + 1;
        let limit = columns.unwrap_or(usize::MAX).saturating_sub(label_width);
        let whole: Vec<_> = self.headers.iter().map(|h| vec![h.as_str()]).collect();
        let widths = self.widths(&whole);
        let (headers, widths) = if widths.iter().sum::<usize>() <= limit {
            (whole, widths)
        } else {
            let stacked: Vec<_> = self.headers.iter().map(|h| stacked(h)).collect();
            let widths = self.widths(&stacked);
            (stacked, widths)
        };
        let mut blocks = Vec::new();
        let mut start = 0;
        while start < widths.len() {
            let mut end = start + 1;
            let mut used = widths[start];
            while end < widths.len() && used + widths[end] <= limit {
                used += widths[end];
                end += 1;
            }
            blocks.push(self.block(
                &headers[start..end],
                &widths[start..end],
                start,
                label_width,
            ));
            start = end;
        }
        blocks
    }

    /// Returns the width of each column, with a space before it and a mark after it.
    fn widths(&self, headers: &[Vec<&str>]) -> Vec<usize> {
        let columns = headers.iter().enumerate();
        let widths = columns.map(|(n, header)| {
            let figures = self.rows.iter().map(|row| row[n].text.len());
            let lines = header.iter().map(|line| line.len());
            figures.chain(lines).max().unwrap_or_default() + 2
        });
        widths.collect()
    }

    /// Formats the columns from `start` on.
    fn block(
        &self,
        headers: &[Vec<&str>],
        widths: &[usize],
        start: usize,
        label_width: usize,
    ) -> String {
        let mut text = String::new();
        let height = headers.iter().map(Vec::len).max().unwrap_or_default();
        let mut line = |label: &str, figures: &mut dyn Iterator<Item = (&str, &str)>| {
            let mut line = format!("{label:label_width$}");
            for ((figure, mark), width) in figures.zip(widths) {
                let _ = write!(line, "{figure:>0$}{mark}", width - 1);
            }
            let _ = writeln!(text, "{}", line.trim_end());
        };
        for from_bottom in (1..=height).rev() {
            let lines = headers.iter().map(|header| {
                let n = header.len().checked_sub(from_bottom);
                (n.map_or("", |n| header[n]), " ")
            });
            line("", &mut { lines });
        }
        for (label, row) in self.labels.iter().zip(&self.rows) {
            let figures = row[start..].iter().map(|e| (&*e.text, e.mark));
            line(label, &mut { figures });
        }
        text
    }

    /// Returns a line for each mark in the grid.
    fn legend(&self) -> String {
        let figures = self.rows.iter().flatten();
        let used: BTreeSet<&str> = figures.flat_map(|e| [&*e.text, e.mark]).collect();
        let mut text = String::new();
        for (mark, meaning) in LEGEND.into_iter().filter(|(mark, _)| used.contains(mark)) {
            let _ = writeln!(text, "{mark}  {meaning}");
        }
        text
    }
}

/// Splits the name of a type into its service and the rest: `AWS::EC2::VPC` into `EC2` and `VPC`.
fn stacked(name: &str) -> Vec<&str> {
    let name = name.strip_prefix("AWS::").unwrap_or(name);
    match name.rsplit_once("::") {
        Some((service, rest)) => vec![service, rest],
        None => vec![name],
    }
}

/// Returns the length of the longest name.
fn width(names: &[String]) -> usize {
    names.iter().map(String::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::{Gap, RegionResult};
    use crate::error_log::ErrorType;
    use crate::inventory::{Listed, Method};
    use crate::model::ResourceTypes;

    const VPC: &str = "AWS::EC2::VPC";
    const ROLE: &str = "AWS::IAM::Role";
    const OTHER: &str = "MyOrg::Thing::Kind";

    fn account() -> Account {
        Account {
            id: "012345678901".parse().unwrap(),
            alias: Some("acme\u{1b}[1m".to_owned()),
        }
    }

    /// Returns the coverage of regions in which these types are listed, with an unknown recorder. Other types are missing.
    fn coverage(types: &[String], regions: &[(String, Vec<(String, u64)>)]) -> Coverage {
        let results = regions.iter().map(|(region, totals)| {
            let listing = |(name, total): &(String, u64)| {
                let ids = (0..*total).collect();
                let changed = None;
                let total = *total;
                (
                    name.parse().unwrap(),
                    Ok(Listed {
                        total,
                        ids,
                        changed,
                    }),
                )
            };
            let gap = Gap::new(ErrorType::Permission, "denied");
            RegionResult {
                listed: totals.iter().map(listing).collect(),
                ..RegionResult::missing(region.parse().unwrap(), gap)
            }
        });
        let types = types.iter().map(|t| t.parse().unwrap()).collect();
        Coverage::new(
            results.collect(),
            &ResourceTypes::Named(types),
            Method::List,
        )
    }

    fn mixed() -> Coverage {
        let totals =
            |totals: &[(&str, u64)]| totals.iter().map(|(t, n)| ((*t).to_owned(), *n)).collect();
        let regions = [
            ("eu-west-1".to_owned(), totals(&[(VPC, 1234), (ROLE, 2)])),
            ("sa-east-1".to_owned(), totals(&[])),
            (
                "us-east-1".to_owned(),
                totals(&[(VPC, 0), (ROLE, 3), (OTHER, 5)]),
            ),
        ];
        coverage(&[VPC, ROLE, OTHER].map(str::to_owned), &regions)
    }

    #[test]
    fn table_has_counts_marks_and_totals() {
        let expected = "\
Account 012345678901 (acme\\u{1b}[1m)

           AWS::EC2::VPC  AWS::IAM::Role  MyOrg::Thing::Kind  total
eu-west-1          1,234               2                   ?  1,236+
sa-east-1              ?               ?                   ?      ?
us-east-1              0~              3                   5      8~
total              1,234+              5+                  5+ 1,244+

?  missing: no count
~  unverified: may not be recorded
+  at least: counts are missing

Total with IAM counted once: 1,242+
";
        assert_eq!(table(&account(), &mixed(), None), expected);
        assert_eq!(table(&account(), &mixed(), Some(70)), expected);
    }

    #[test]
    fn narrow_table_has_blocks() {
        let table = table(&account(), &mixed(), Some(31));
        let blocks = "
             EC2   IAM
             VPC  Role
eu-west-1  1,234     2
sa-east-1      ?     ?
us-east-1      0~    3
total      1,234+    5+

           MyOrg::Thing
                   Kind  total
eu-west-1             ?  1,236+
sa-east-1             ?      ?
us-east-1             5      8~
total                 5+ 1,244+

?  missing";
        assert!(table.contains(blocks), "{table}");
    }

    #[test]
    fn longer_dimension_has_the_rows() {
        let types: Vec<_> = (10..40)
            .map(|n| format!("AWS::Service{n}::Thing"))
            .collect();
        let totals = |_| types.iter().map(|t| (t.clone(), 7)).collect();
        let regions = ["eu-west-1", "us-east-1"].map(|r| (r.to_owned(), totals(r)));
        let table = table(&account(), &coverage(&types, &regions), None);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[2].trim(), "eu-west-1  us-east-1  total");
        assert_eq!(
            lines[3],
            "AWS::Service10::Thing          7          7     14"
        );
        assert_eq!(
            lines[33],
            "total                        210        210    420"
        );
        assert_eq!(lines.len(), 34, "no legend: {table}");
    }

    #[test]
    fn every_number_is_whole_at_every_width() {
        let types: Vec<_> = (10..22)
            .map(|n| format!("AWS::Service{n}::Thing{n}"))
            .collect();
        for regions in [3, 14] {
            let total = |r: usize, t: usize| (1_000 + 100 * r + t) as u64;
            let region = |r: usize| {
                let totals = types.iter().enumerate();
                let totals = totals.map(|(t, name)| (name.clone(), total(r, t)));
                (format!("eu-west-{r}"), totals.collect())
            };
            let regions: Vec<_> = (10..10 + regions).map(region).collect();
            let coverage = coverage(&types, &regions);
            for columns in 1..250 {
                let table = table(&account(), &coverage, Some(columns));
                let words: BTreeSet<_> = table.split_whitespace().collect();
                for (region, t, n) in coverage.counts() {
                    assert!(
                        words.contains(&*thousands(n)),
                        "{columns} {region} {t}: {table}"
                    );
                }
                for line in table.lines().skip(2).filter(|_| columns >= 50) {
                    assert!(line.len() <= columns, "{columns}: {line:?}");
                }
            }
        }
    }
}
