//! Groups the missing counts by what is missing: whole regions, then whole types, then single counts.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{exceptions, names};
use crate::coverage::{Cell, Class, Coverage, RegionCoverage, Status};
use crate::model::{Region, ResourceType};
use crate::text::{number_of, thousands};

/// The reasons why counts are missing; more than one if a region has several, or if the recorder is unknown.
pub type Reasons = BTreeSet<Status>;

/// Missing counts of the same regions and types, with the same reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingRow<'a> {
    /// The number of counts.
    pub cells: usize,
    /// The regions.
    pub regions: BTreeSet<&'a Region>,
    /// The types.
    pub types: BTreeSet<&'a ResourceType>,
    /// The reasons.
    pub reasons: Reasons,
    /// True if the types are global and no region records and counts them.
    pub is_global: bool,
    /// The regions that may record the global types.
    pub recorders: BTreeSet<&'a Region>,
    /// True if the row is the rest of too many rows.
    pub is_rest: bool,
}

/// The missing counts of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingCounts<'a> {
    /// The number of counts.
    pub cells: usize,
    /// The regions without any count, apart from global types that are counted elsewhere.
    pub whole_regions: Vec<MissingRow<'a>>,
    /// The types that are missing in all, or in nearly all other regions.
    pub whole_types: Vec<MissingRow<'a>>,
    /// The other counts.
    pub others: Vec<MissingRow<'a>>,
    /// All regions of the run.
    pub all_regions: BTreeSet<&'a Region>,
    /// The regions that are not whole.
    pub other_regions: BTreeSet<&'a Region>,
    /// All types of the run.
    pub all_types: BTreeSet<&'a ResourceType>,
}

/// A missing count that is not of a whole region.
struct MissingCell<'a> {
    region: &'a Region,
    resource_type: &'a ResourceType,
    reasons: Reasons,
}

/// The maximum number of rows of a kind.
const MAX_ROWS: usize = 12;

/// The number of rows that are shown if there are more.
const SHOWN_ROWS: usize = 8;

impl<'a> MissingCounts<'a> {
    /// Groups all missing counts of `coverage`.
    pub fn all(coverage: &'a Coverage) -> Self {
        Self::new(coverage, |_, _, cell| cell.is_missing())
    }

    /// Groups the missing counts of `coverage` that are not accepted.
    pub fn not_accepted(coverage: &'a Coverage) -> Self {
        Self::new(coverage, |region, t, cell| {
            cell.is_missing() && !coverage.is_accepted(region, t, cell)
        })
    }

    /// Groups the missing counts that `is_shown` selects.
    fn new(
        coverage: &'a Coverage,
        is_shown: impl Fn(&Region, &ResourceType, &Cell) -> bool,
    ) -> Self {
        let all_regions: BTreeSet<&Region> =
            coverage.regions.iter().map(|r| &r.result.region).collect();
        let mut missing = Self {
            cells: coverage
                .cells_of(Class::Missing)
                .filter(|(r, t, c)| is_shown(r, t, c))
                .count(),
            other_regions: all_regions.clone(),
            all_regions,
            all_types: coverage.types.iter().collect(),
            ..Self::default()
        };
        let mut whole: BTreeMap<Reasons, MissingRow<'a>> = BTreeMap::new();
        let (mut cells, mut global) = (Vec::new(), BTreeMap::new());
        for region in coverage.regions_with(Class::Missing) {
            let reasons = reasons_of_whole(coverage, region);
            if let Some(reasons) = &reasons {
                missing.other_regions.remove(&region.result.region);
                let row = whole.entry(reasons.clone()).or_default();
                row.reasons.clone_from(reasons);
            }
            for (resource_type, cell) in coverage.types.iter().zip(&region.cells) {
                let code = &region.result.region;
                match &reasons {
                    _ if !is_shown(code, resource_type, cell) => {}
                    _ if cell.is_unrecorded_global(resource_type) => {
                        let regions: &mut BTreeSet<_> = global.entry(resource_type).or_default();
                        regions.insert(code);
                    }
                    Some(reasons) if !is_of_type(cell) => {
                        let row = whole.entry(reasons.clone()).or_default();
                        row.cells += 1;
                        row.regions.insert(code);
                        row.types.insert(resource_type);
                    }
                    _ => cells.push(MissingCell {
                        region: code,
                        resource_type,
                        reasons: reasons_of(cell),
                    }),
                }
            }
        }
        missing.whole_regions = whole.into_values().filter(|row| row.cells > 0).collect();
        let first = |row: &MissingRow<'a>| row.regions.first().copied();
        missing.whole_regions.sort_by_key(first);
        missing.add_types(cells);
        missing.add_global(coverage, global);
        missing
    }

    /// Groups the counts that are not of whole regions.
    fn add_types(&mut self, cells: Vec<MissingCell<'a>>) {
        let mut whole = rows_by_type(&cells);
        whole.retain(|row| self.is_whole(row));
        let of_row = |row| {
            let MissingRow { types, reasons, .. }: &MissingRow<'a> = row;
            types.iter().map(move |t| (*t, reasons))
        };
        let of_whole: BTreeSet<(&ResourceType, &Reasons)> = whole.iter().flat_map(of_row).collect();
        let rest = cells.into_iter();
        let rest = rest.filter(|cell| !of_whole.contains(&(cell.resource_type, &cell.reasons)));
        let rest: Vec<_> = rest.collect();
        let (by_type, by_region) = (rows_by_type(&rest), rows_by_region(&rest));
        let others = if by_type.len() < by_region.len() {
            by_type
        } else {
            by_region
        };
        self.whole_types = limited(whole);
        self.others = limited(others);
    }

    /// Adds the global types that no region records and counts.
    fn add_global(
        &mut self,
        coverage: &'a Coverage,
        global: BTreeMap<&'a ResourceType, BTreeSet<&'a Region>>,
    ) {
        let mut rows: BTreeMap<_, MissingRow<'a>> = BTreeMap::new();
        for (resource_type, regions) in global {
            let recorders = coverage.recorders_of(resource_type);
            let row = rows
                .entry((regions.clone(), recorders.clone()))
                .or_default();
            row.cells += regions.len();
            row.regions = regions;
            row.recorders = recorders;
            row.types.insert(resource_type);
            row.reasons.insert(Status::NotRecorded);
            row.is_global = true;
        }
        self.whole_types.extend(rows.into_values());
    }

    /// Returns true if the types of the row are missing in all or nearly all regions that are not whole.
    fn is_whole(&self, row: &MissingRow<'a>) -> bool {
        let regions = &row.regions;
        let is_all = |all| regions.len() > 1 && regions == all;
        is_all(&self.all_regions)
            || is_all(&self.other_regions)
            || exceptions(regions, &self.all_regions).is_some()
            || exceptions(regions, &self.other_regions).is_some()
    }

    /// Returns all rows.
    pub fn rows(&self) -> impl Iterator<Item = &MissingRow<'a>> {
        let regions = self.whole_regions.iter();
        regions.chain(&self.whole_types).chain(&self.others)
    }

    /// Formats regions: `all 17 regions`, `15 other regions`, `all regions but eu-west-1`, or their names.
    pub fn region_names(&self, regions: &BTreeSet<&'a Region>, columns: Option<usize>) -> String {
        let count = thousands(regions.len());
        if regions.len() > 2 && *regions == self.all_regions {
            format!("all {count} regions")
        } else if regions.len() > 2 && *regions == self.other_regions {
            format!("{count} other regions")
        } else if let Some(others) = exceptions(regions, &self.all_regions) {
            format!("all regions but {}", names(&others, columns))
        } else if let Some(others) = exceptions(regions, &self.other_regions) {
            format!("all other regions but {}", names(&others, columns))
        } else {
            names(regions, columns)
        }
    }

    /// Formats the regions of a fact of the account: their names only if they are few.
    pub fn region_count(&self, regions: &BTreeSet<&'a Region>) -> String {
        match regions.len() {
            0..=2 => self.region_names(regions, None),
            n if *regions == self.all_regions => format!("all {}", number_of(n, "region")),
            n => number_of(n, "region"),
        }
    }

    /// Formats types: `all types but AWS::EC2::VPC`, or their names.
    pub fn type_names(&self, types: &BTreeSet<&'a ResourceType>, columns: Option<usize>) -> String {
        match exceptions(types, &self.all_types) {
            Some(others) if others.is_empty() => "all types".to_owned(),
            Some(others) => format!("all types but {}", names(&others, columns)),
            None if types.len() > 1 && *types == self.all_types => "all types".to_owned(),
            None => names(types, columns),
        }
    }
}

/// Returns the reasons of a region whose counts are all missing, apart from those that are missing because of the type.
fn reasons_of_whole(coverage: &Coverage, region: &RegionCoverage) -> Option<Reasons> {
    let cells = coverage.types.iter().zip(&region.cells);
    let own = cells.filter(|(t, cell)| {
        let is_elsewhere = cell.status() == Status::CountedElsewhere;
        !is_elsewhere && !cell.is_unrecorded_global(t) && !is_of_type(cell)
    });
    let mut reasons = Reasons::new();
    for (_, cell) in own {
        if !cell.is_missing() {
            return None;
        }
        reasons.extend(reasons_of(cell));
    }
    (!reasons.is_empty()).then_some(reasons)
}

/// Returns true if a count is missing because of its type.
fn is_of_type(cell: &Cell) -> bool {
    cell.status() == Status::UnknownType
}

/// Returns the reasons of a missing count; an unknown recorder has a reason itself.
fn reasons_of(cell: &Cell) -> Reasons {
    let why = cell.unknown_why().map(|why| why.status);
    std::iter::once(cell.status()).chain(why).collect()
}

/// Groups counts: the types that are missing in the same regions.
fn rows_by_type<'a>(cells: &[MissingCell<'a>]) -> Vec<MissingRow<'a>> {
    let mut regions: BTreeMap<(&Reasons, &ResourceType), BTreeSet<&Region>> = BTreeMap::new();
    for cell in cells {
        let same = regions.entry((&cell.reasons, cell.resource_type));
        same.or_default().insert(cell.region);
    }
    let mut rows: BTreeMap<(&Reasons, BTreeSet<&Region>), MissingRow<'_>> = BTreeMap::new();
    for ((reasons, resource_type), regions) in regions {
        let row = rows.entry((reasons, regions.clone())).or_default();
        row.add(reasons, regions, [resource_type].into());
    }
    rows.into_values().collect()
}

/// Groups counts: the regions that the same types are missing in.
fn rows_by_region<'a>(cells: &[MissingCell<'a>]) -> Vec<MissingRow<'a>> {
    let mut types: BTreeMap<(&Reasons, &Region), BTreeSet<&ResourceType>> = BTreeMap::new();
    for cell in cells {
        let same = types.entry((&cell.reasons, cell.region));
        same.or_default().insert(cell.resource_type);
    }
    let mut rows: BTreeMap<(&Reasons, BTreeSet<&ResourceType>), MissingRow<'_>> = BTreeMap::new();
    for ((reasons, region), types) in types {
        let row = rows.entry((reasons, types.clone())).or_default();
        row.add(reasons, [region].into(), types);
    }
    rows.into_values().collect()
}

impl<'a> MissingRow<'a> {
    /// Adds the counts of `types` in `regions`.
    fn add(
        &mut self,
        reasons: &Reasons,
        regions: BTreeSet<&'a Region>,
        types: BTreeSet<&'a ResourceType>,
    ) {
        self.cells += regions.len() * types.len();
        self.reasons.clone_from(reasons);
        self.regions.extend(regions);
        self.types.extend(types);
    }
}

/// Limits the number of rows: the rest has one row for each reason.
fn limited(mut rows: Vec<MissingRow<'_>>) -> Vec<MissingRow<'_>> {
    if rows.len() <= MAX_ROWS {
        return rows;
    }
    let mut rest: BTreeMap<Reasons, MissingRow<'_>> = BTreeMap::new();
    for row in rows.drain(SHOWN_ROWS..) {
        let merged = rest.entry(row.reasons.clone()).or_default();
        merged.cells += row.cells;
        merged.reasons = row.reasons;
        merged.regions.extend(row.regions);
        merged.types.extend(row.types);
        merged.is_rest = true;
    }
    rows.extend(rest.into_values());
    rows
}
