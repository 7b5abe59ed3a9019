//! The scan of the chosen regions of an account.

use std::sync::Arc;

use time::OffsetDateTime;

use super::context::Context;
use super::heartbeat::Heartbeat;
use crate::advice;
use crate::aws::partition::Partition;
use crate::coverage::{Coverage, Gap, RegionResult, Unlogged};
use crate::error_log::{Entry, ErrorType};
use crate::model::Region;
use crate::options::Options;
use crate::preflight::{Ready, RefusedRegion};
use crate::scan::{self, AccountScan, ScanEvent};
use crate::text::pluralize;

/// The result of a scan.
pub(super) struct Scanned {
    pub(super) coverage: Coverage,
    /// The number of invalid region names that were skipped.
    pub(super) refused: usize,
    /// True if a fatal error or an interrupt stopped the scan.
    pub(super) was_stopped: bool,
}

/// The log message if there is no region to scan.
pub(super) const NO_REGIONS: &str = "no regions to scan; check --regions and --exclude-regions";

/// Chooses the regions and scans them. Returns `None` if there is no region to scan; the error is logged.
pub(super) fn scan(context: &mut Context, ready: Ready) -> Option<Scanned> {
    let count = ready.regions.len();
    context
        .console
        .line(format_args!("Found {}", pluralize(count, "enabled region")));
    let (options, now) = (context.options, context.runtime.clock.now());
    for entry in refused_entries(&ready.refused_regions, now) {
        context.report(entry, true);
    }
    let (mut results, entries) = not_enabled(options, &ready.regions, now);
    for entry in entries {
        context.report(entry, true);
    }
    let wanted = |r: &&Region| options.wants(r);
    let regions: Vec<Region> = ready.regions.iter().filter(wanted).cloned().collect();
    if regions.is_empty() {
        context.log(ErrorType::Fatal, NO_REGIONS.to_owned());
        context.show_error_file();
        return None;
    }
    // The connections may use all file descriptors; this reserves one for the output files.
    let spare = std::fs::File::open(&options.output_dir);
    if let Some(note) = start_region_note(options, &ready.regions, regions.len()) {
        context.console.line(note);
    }
    let refused = ready.refused_regions.len();
    let was_stopped = scan_regions(context, ready, &regions, &mut results);
    drop(spare);
    let coverage = Coverage::new(results, &options.resource_types, options.method)
        .with_expected(&options.accept_missing);
    if !context.is_interrupted() {
        for entry in unlogged_entries(&coverage, context.runtime.clock.now()) {
            context.report(entry, true);
        }
    }
    Some(Scanned {
        coverage,
        refused,
        was_stopped,
    })
}

/// Returns the log entries of the names that were refused as region codes.
pub(super) fn refused_entries(
    refused: &[RefusedRegion],
    now: OffsetDateTime,
) -> impl Iterator<Item = Entry> {
    refused.iter().map(move |why| {
        let message = format!("ec2:DescribeRegions: {why}; the region was skipped");
        Entry::new(now, ErrorType::Unexpected, message)
    })
}

/// Returns a note that `--region`, unlike that of the AWS CLI, does not limit the run to this region.
fn start_region_note(options: &Options, enabled: &[Region], scanned: usize) -> Option<String> {
    let start = options.region.as_ref().filter(|r| enabled.contains(r))?;
    let is_limited = !options.regions.is_empty() || scanned < 2;
    let scope = match enabled.len() {
        all if all == scanned => format!("all {all}"),
        all => format!("{scanned} of {all}"),
    };
    (!is_limited).then(|| {
        format!("Start region {start}; scanning {scope} enabled regions (only {start}: --regions {start})")
    })
}

/// Returns the results of the regions of `--regions` that are not enabled, and their log entries.
pub(super) fn not_enabled(
    options: &Options,
    enabled: &[Region],
    now: OffsetDateTime,
) -> (Vec<RegionResult>, Vec<Entry>) {
    let given = options.regions.iter().filter(|r| options.wants(r));
    let result = |region: &Region| {
        let error_type = ErrorType::RegionDisabled;
        let partition = Partition::for_region(region);
        let own = enabled.first().map(Partition::for_region);
        let message = if own.is_none_or(|own| own == partition) {
            "not an enabled region of this account (given with --regions); enable it or remove it from --regions"
                .to_owned()
        } else {
            format!(
                "a region of another partition, {}, whose accounts and credentials are separate (given with \
                 --regions); remove it from --regions",
                partition.id
            )
        };
        let uncounted = scan::all_uncounted(options.resource_types.named());
        let entry = Entry {
            region: Some(region.clone()),
            ..Entry::new(now, error_type, format!("{message}; {uncounted}"))
        };
        let gap = Gap::new(error_type, &message);
        (RegionResult::missing(region.clone(), gap), entry)
    };
    given.filter(|r| !enabled.contains(r)).map(result).unzip()
}

/// The maximum number of workers for recorders, which need two requests each: in 100 regions, 50 fewer workers and
/// connections use 4 MB less memory.
const MAX_RECORDER_WORKERS: usize = 50;

/// Scans `regions` and adds their results. Returns true if a fatal error or an interrupt stopped the scan.
fn scan_regions(
    context: &mut Context,
    ready: Ready,
    regions: &[Region],
    results: &mut Vec<RegionResult>,
) -> bool {
    let (options, runtime) = (context.options, context.runtime);
    let (client, prefetched, mut workers) = (ready.client, ready.prefetched, ready.workers);
    let count = regions.len();
    let account = AccountScan::new(options, runtime, client, prefetched, (0, count));
    // In each region those that count, and one for the recorder.
    workers.grow(count * account.region_concurrency + count.min(MAX_RECORDER_WORKERS));
    context
        .console
        .line(format_args!("Scanning {}...", pluralize(count, "region")));
    context.console.progress(0, count);
    context.change_state(|state| state.regions = Some((0, count)));
    let mut heartbeat = Heartbeat::new(&context.activity, &runtime.clock);
    let mut done = 0;
    let account = Arc::new(account);
    let scanned = scan::scan(&workers, &account, regions, |event| {
        let is_finished = matches!(event, ScanEvent::RegionFinished(..));
        match event {
            ScanEvent::Logged(_, entry) => context.report(entry, true),
            // After an interrupt the region is not complete.
            _ if context.is_interrupted() => return,
            ScanEvent::RegionFinished(..) => {
                done += 1;
                context.console.progress(done, count);
                context.change_state(|state| state.regions = Some((done, count)));
            }
            _ => {}
        }
        heartbeat.scan((done, count), is_finished, context.console);
    });
    context.console.end_progress();
    results.extend(scanned);
    account.was_stopped()
}

/// Returns the log entries of the missing and the stale counts that no failed call has logged.
pub(super) fn unlogged_entries(coverage: &Coverage, now: OffsetDateTime) -> Vec<Entry> {
    let entry = |unlogged: Unlogged| Entry {
        region: unlogged.region.cloned(),
        resource_type: unlogged.resource_type.cloned(),
        ..Entry::new(now, unlogged.error_type, advice::for_unlogged(&unlogged))
    };
    coverage.unlogged().into_iter().map(entry).collect()
}
