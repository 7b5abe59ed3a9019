//! Runs the scan: chooses the regions, scans them, writes the output and shows the summary.

use std::mem;
use std::sync::Arc;

use super::{App, Exit};
use crate::aws::client::Client;
use crate::console;
use crate::coverage::{Gap, RegionResult};
use crate::error_log::ErrorType;
use crate::inventory::{Counter, Method};
use crate::model::Region;
use crate::preflight::Preflight;
use crate::scan::pool::Pool;
use crate::scan::{Event, Flags, Scan, recorder};
use crate::text::pluralize;

impl App<'_> {
    /// Scans the regions, writes the output files and shows the summary.
    pub(super) fn scan_and_write(&mut self, preflight: Preflight) -> Exit {
        let (Some(client), Some(mut pool)) = (preflight.client, preflight.pool) else {
            return Exit::Failed;
        };
        let count = preflight.regions.len();
        self.console
            .line(format_args!("Found {}", pluralize(count, "enabled region")));
        for why in &preflight.refused_regions {
            let message = format!("ec2:DescribeRegions: {why}; the region was skipped");
            self.log(ErrorType::Unexpected, None, message);
        }
        let (regions, skipped) = self.choose_regions(&preflight.regions);
        if regions.is_empty() {
            let message = "no regions to scan; check --regions and --exclude-regions";
            self.log(ErrorType::Fatal, None, message.to_owned());
            self.show_error_file();
            return Exit::Failed;
        }
        // The connections may use all file descriptors; this reserves one for the output files.
        let spare = std::fs::File::open(&self.options.output_dir);
        let stopped = self.scan(&client, &mut pool, &regions, skipped);
        drop(spare);
        // Joining two hundred threads takes longer than a request; the exit of the process ends
        // them.
        mem::forget(pool);
        self.usage = client.usage();
        if self.runtime.interrupt.signal().is_some() {
            return Exit::Failed;
        }
        self.conclude(stopped, preflight.refused_regions.len())
    }

    /// Scans the regions. Returns true if a fatal error or an interrupt stopped the scan.
    fn scan(
        &mut self,
        client: &Arc<Client>,
        pool: &mut Pool,
        regions: &[Region],
        skipped: Vec<RegionResult>,
    ) -> bool {
        let (options, runtime) = (self.options, self.runtime);
        let recorder_client = client.clone();
        let scan = Arc::new(Scan {
            counter: Arc::new(Counter::new(client.clone())),
            method: options.method,
            region_concurrency: options.types_at_once(regions.len()),
            recorder: Box::new(move |region, refresh| {
                recorder::fetch(&recorder_client, region, refresh)
            }),
            client: Some(client.clone()),
            clock: runtime.clock.clone(),
            interrupt: runtime.interrupt.clone(),
            types: options.resource_types.clone(),
            flags: Flags::default(),
        });
        self.console.line(format_args!(
            "Scanning {}...",
            pluralize(regions.len(), "region")
        ));
        self.console.progress(0, regions.len());
        let mut done = 0;
        let coverage = scan.run(pool, regions, skipped, |event| match event {
            Event::Incident(entry) => self.error_reporter.log(entry, self.console, true),
            // After an interrupt the region is not complete.
            Event::Done(_) if runtime.interrupt.signal().is_some() => {}
            Event::Done(_) => {
                done += 1;
                self.console.progress(done, regions.len());
            }
        });
        self.console.end_progress();
        self.coverage = coverage;
        scan.was_stopped()
    }

    /// Writes the files and shows the summary.
    fn conclude(&mut self, stopped: bool, refused: usize) -> Exit {
        let written = self.write_tables();
        self.show_error_file();
        self.console.line("");
        let verified = self.options.method == Method::Verify;
        let comparison = verified.then(|| self.coverage.compare());
        for line in comparison.iter().flat_map(console::comparison) {
            self.console.line(line);
        }
        if verified {
            self.console.line("");
        }
        let (errors, file) = (self.error_reporter.entries.len(), self.error_file_name());
        for line in console::summary(&self.coverage, refused, errors, &file) {
            self.console.line(line);
        }
        let differs = comparison.is_some_and(|c| !c.differences.is_empty() || c.not_compared > 0);
        let partial = self.coverage.missing() > 0 || refused > 0 || differs;
        match written {
            false => Exit::Failed,
            true if stopped => Exit::Failed,
            true if partial && self.options.strict => Exit::Partial,
            true => Exit::Done,
        }
    }

    /// Returns the regions to scan, and those of `--regions` that are not enabled.
    fn choose_regions(&mut self, enabled: &[Region]) -> (Vec<Region>, Vec<RegionResult>) {
        let options = self.options;
        let mut skipped = Vec::new();
        let excluded = &options.exclude_regions;
        for region in options.regions.iter().filter(|r| !excluded.contains(r)) {
            if !enabled.contains(region) {
                let why = ErrorType::RegionDisabled;
                let message = "not an enabled region of this account (given with --regions); \
                               enable it or remove it from --regions";
                self.log(why, Some(region), message.to_owned());
                skipped.push(RegionResult::missing(
                    region.clone(),
                    Gap::new(why, message),
                ));
            }
        }
        let wanted = enabled.iter().filter(|r| options.wants(r));
        (wanted.cloned().collect(), skipped)
    }
}
