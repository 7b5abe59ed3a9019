//! From the regions to the summary: the scan, and what it came to.

use std::mem;
use std::sync::Arc;

use super::{Exit, Run};
use crate::aws::client::Client;
use crate::console;
use crate::count::{Counter, Method};
use crate::coverage::{Loss, Outcome};
use crate::error_log::ErrorType;
use crate::model::{Region, plural};
use crate::preflight::Findings;
use crate::scan::pool::Pool;
use crate::scan::{Event, Flags, Scan, recorder};

impl Run<'_> {
    pub(super) fn scan_and_write(&mut self, findings: Findings) -> Exit {
        let (Some(client), Some(mut pool)) = (findings.client, findings.pool) else {
            return Exit::Failed;
        };
        let count = findings.regions.len();
        self.console
            .line(format_args!("Found {}", plural(count, "enabled region")));
        for why in &findings.refused_regions {
            let message = format!("ec2:DescribeRegions: {why}; nothing was asked there");
            self.tell(ErrorType::Unexpected, None, message);
        }
        let (regions, lost) = self.choose_regions(&findings.regions);
        if regions.is_empty() {
            let message = "no region is left to scan: look at --regions and --exclude-regions";
            self.tell(ErrorType::Fatal, None, message.to_owned());
            self.errors_logged();
            return Exit::Failed;
        }
        // The connections may take every file descriptor that there is; the files need one.
        let spare = std::fs::File::open(&self.config.output_dir);
        let stopped = self.scan(&client, &mut pool, &regions, lost);
        drop(spare);
        // Two hundred threads take longer to end than a page to come; they end with the process.
        mem::forget(pool);
        self.usage = client.usage();
        if self.world.interrupt.signal().is_some() {
            return Exit::Failed;
        }
        self.conclude(stopped, findings.refused_regions.len())
    }

    /// Scans the regions; tells whether the scan had to stop.
    fn scan(
        &mut self,
        client: &Arc<Client>,
        pool: &mut Pool,
        regions: &[Region],
        lost: Vec<Outcome>,
    ) -> bool {
        let (config, world) = (self.config, self.world);
        let asked = client.clone();
        let scan = Arc::new(Scan {
            counter: Arc::new(Counter::new(client.clone())),
            method: config.method,
            region_concurrency: config.types_at_once(regions.len()),
            recorder: Box::new(move |region, renew| recorder::ask(&asked, region, renew)),
            client: Some(client.clone()),
            clock: world.clock.clone(),
            interrupt: world.interrupt.clone(),
            types: config.resource_types.clone(),
            flags: Flags::default(),
        });
        self.console.line(format_args!(
            "Scanning {}...",
            plural(regions.len(), "region")
        ));
        self.console.progress(0, regions.len());
        let mut done = 0;
        let coverage = scan.run(pool, regions, lost, |event| match event {
            Event::Incident(entry) => self.journal.log(entry, self.console, true),
            // A task that an interrupt ended has completed nothing.
            Event::Done(_) if world.interrupt.signal().is_some() => {}
            Event::Done(_) => {
                done += 1;
                self.console.progress(done, regions.len());
            }
        });
        self.console.end_progress();
        self.coverage = coverage;
        scan.was_stopped()
    }

    /// The files and the summary.
    fn conclude(&mut self, stopped: bool, refused: usize) -> Exit {
        let written = self.write_tables();
        self.errors_logged();
        self.console.line("");
        let verified = self.config.method == Method::Verify;
        let comparison = verified.then(|| self.coverage.compare());
        for line in comparison.iter().flat_map(console::comparison) {
            self.console.line(line);
        }
        if verified {
            self.console.line("");
        }
        let (errors, file) = (self.journal.entries.len(), self.error_file_name());
        for line in console::summary(&self.coverage, refused, errors, &file) {
            self.console.line(line);
        }
        let differs = comparison.is_some_and(|c| !c.differences.is_empty() || c.not_compared > 0);
        let partial = self.coverage.missing() > 0 || refused > 0 || differs;
        match written {
            false => Exit::Failed,
            true if stopped => Exit::Failed,
            true if partial && self.config.strict => Exit::Partial,
            true => Exit::Done,
        }
    }

    /// The regions to scan, and those that were asked for and are not enabled.
    fn choose_regions(&mut self, enabled: &[Region]) -> (Vec<Region>, Vec<Outcome>) {
        let config = self.config;
        let mut lost = Vec::new();
        let excluded = &config.exclude_regions;
        for region in config.regions.iter().filter(|r| !excluded.contains(r)) {
            if !enabled.contains(region) {
                let why = ErrorType::RegionDisabled;
                let message = "asked for with --regions and not enabled for the account; enable \
                               it, or leave it out";
                self.tell(why, Some(region), message.to_owned());
                lost.push(Outcome::lost(region.clone(), Loss::of(why, message)));
            }
        }
        let wanted = enabled.iter().filter(|r| config.wants(r));
        (wanted.cloned().collect(), lost)
    }
}
