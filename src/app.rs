//! The run: the specification's steps in their order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::aws::client::Trace;
use crate::config::Config;
use crate::console::{Console, Summary};
use crate::count::list::Listing;
use crate::error_log::{Entry, ErrorFile, ErrorType};
use crate::export::{Format, atomic};
use crate::model::{Account, Region, plural};
use crate::preflight::{self, Findings};
use crate::scan::{Event, RegionResult, Scan, panic_text};
use crate::world::World;

/// The name of the error file before the account is known.
const EARLY_ERRORS: &str = "aws_config_resource_count_errors.txt";

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The CSV is written, also where counts are missing.
    Done,
    /// Something that the run cannot do without failed.
    Failed,
    /// The CSV is written, counts are missing, and `--strict` asked to be told.
    Partial,
    /// A signal ended the run.
    Interrupted(i32),
}

impl Exit {
    /// The process's exit code: 0, 1, 3, or 128 + the signal. (2 is clap's, for wrong usage.)
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Partial => 3,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }
}

/// Runs the program: checks, account, regions, scan, CSV, summary.
pub fn run(config: &Config, world: &World, console: &mut Console, trace: Option<Trace>) -> Exit {
    let mut run = Run {
        config,
        world,
        console,
        errors: None,
        count: 0,
    };
    run.console.line("Verifying prerequisites...");
    let console = &mut *run.console;
    let findings = preflight::run(config, world, trace, &mut |check| match &check.result {
        // What an interrupted check says is not about the account.
        _ if world.interrupt.signal().is_some() => {}
        Ok(detail) if detail.is_empty() => console.check(true, check.name),
        Ok(detail) => console.check(true, &format!("{} ({})", check.name, clean(detail))),
        Err(_) => console.check(false, check.name),
    });
    let http = findings.http.clone();
    let mut exit = match world.interrupt.signal() {
        Some(_) => Exit::Failed,
        None => run.after_checks(findings),
    };
    if let Some(signal) = world.interrupt.signal() {
        run.console.error("Interrupted");
        exit = Exit::Interrupted(signal);
    } else if let Some(Err(e)) = http.map(|http| http.finish()) {
        run.tell(
            ErrorType::Fatal,
            None,
            format!("the recording was not written: {e}"),
        );
        exit = Exit::Failed;
    }
    exit
}

/// [`run`], where a fault of the program ends in a line and exit code 1.
pub fn run_guarded(
    config: &Config,
    world: &World,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    let ran = catch_unwind(AssertUnwindSafe(|| run(config, world, console, trace)));
    ran.unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        console.end_progress();
        console.error(format_args!(
            "fatal: a fault of the program: {text}; please report it"
        ));
        Exit::Failed
    })
}

/// What a run has at hand.
struct Run<'a> {
    config: &'a Config,
    world: &'a World,
    console: &'a mut Console,
    errors: Option<ErrorFile>,
    count: usize,
}

impl Run<'_> {
    fn after_checks(&mut self, findings: Findings) -> Exit {
        let account = findings.account_id.clone().map(|id| Account {
            id,
            alias: findings.alias.clone(),
        });
        let error_path = match &account {
            Some(account) => self.path(&account.file_name("_errors.txt")),
            None => self.path(EARLY_ERRORS),
        };
        if findings.failures().next().is_some() {
            self.open_error_file(&error_path);
            return self.prerequisite_failures(&findings);
        }
        let Some(account) = account else {
            return Exit::Failed;
        };
        // A run that failed before it knew the account may have left this one.
        let _ = ErrorFile::new(self.path(EARLY_ERRORS));
        self.announce(&account);
        if let Err(e) = atomic::check_writable(&self.config.output_dir) {
            let folder = self.config.output_dir.display().to_string();
            let message = format!(
                "cannot write to the folder {folder}: {e}; make it, or name another with \
                 --output-dir"
            );
            self.tell(ErrorType::Fatal, None, message);
            return Exit::Failed;
        }
        self.open_error_file(&error_path);
        self.scan_and_write(findings, &account)
    }

    fn prerequisite_failures(&mut self, findings: &Findings) -> Exit {
        self.console.line("-".repeat(60));
        self.console.line("PREREQUISITE FAILURES:");
        for (name, reason) in findings.failures() {
            self.console
                .line(format_args!("  - {name}: {}", clean(reason)));
        }
        // The list above has just told them on the same screen.
        let told = self.console.one_screen && !self.console.quiet;
        for (name, reason) in findings.failures() {
            let entry = self.entry(ErrorType::Prerequisite, None, format!("{name}: {reason}"));
            self.log(&entry, !told);
        }
        self.errors_logged();
        Exit::Failed
    }

    fn announce(&mut self, account: &Account) {
        let alias = account
            .alias
            .as_deref()
            .map(|alias| format!(" ({})", clean(alias)));
        let alias = alias.unwrap_or_default();
        self.console.line("");
        self.console
            .line(format_args!("Scanning AWS account: {}{alias}", account.id));
    }

    fn scan_and_write(&mut self, findings: Findings, account: &Account) -> Exit {
        let (Some(client), Some(pool)) = (findings.client, findings.pool) else {
            return Exit::Failed;
        };
        let count = findings.regions.len();
        self.console
            .line(format_args!("Found {}", plural(count, "enabled region")));
        for why in &findings.refused_regions {
            let message = format!("ec2:DescribeRegions: {why}; nothing was asked there");
            self.tell(ErrorType::Unexpected, None, message);
        }
        let (regions, mut results) = self.choose_regions(&findings.regions);
        if regions.is_empty() {
            let message = "no region is left to scan: look at --regions and --exclude-regions";
            self.tell(ErrorType::Fatal, None, message.to_owned());
            self.errors_logged();
            return Exit::Failed;
        }
        let threads = if self.config.replay.is_some() {
            1
        } else {
            regions.len()
        };
        let pool = match pool.with_at_least(threads) {
            Ok(pool) => pool,
            Err(e) => {
                self.tell(
                    ErrorType::Fatal,
                    None,
                    format!("no thread pool for the scan: {e}"),
                );
                self.errors_logged();
                return Exit::Failed;
            }
        };

        let counter = Listing { client: &client };
        let types = &self.config.resource_types;
        let (clock, interrupt) = (self.world.clock.clone(), self.world.interrupt.clone());
        let scan = Scan::new(&counter, Some(&client), clock, interrupt, types);
        self.console.line(format_args!(
            "Scanning {}...",
            plural(regions.len(), "region")
        ));
        self.console.progress(0, regions.len());
        let (mut done, world) = (0, self.world);
        results.extend(scan.run(&pool, &regions, |event| match event {
            Event::Incident(entry) => self.log(entry, true),
            // A task that an interrupt ended has completed nothing.
            Event::Done(_) if world.interrupt.signal().is_some() => {}
            Event::Done(_) => {
                done += 1;
                self.console.progress(done, regions.len());
            }
        }));
        self.console.end_progress();
        if self.world.interrupt.signal().is_some() {
            return Exit::Failed;
        }
        let exit = self.write_csv(account, &results);
        let summary = Summary::of(&results);
        let partial = summary.gaps() > 0 || !findings.refused_regions.is_empty();
        self.errors_logged();
        self.console.line("");
        for line in summary.lines(self.count, &self.error_file_name()) {
            self.console.line(line);
        }
        match exit {
            Exit::Done if scan.was_stopped() => Exit::Failed,
            Exit::Done if partial && self.config.strict => Exit::Partial,
            exit => exit,
        }
    }

    /// The regions to scan, and those that were asked for and are not enabled.
    fn choose_regions(&mut self, enabled: &[Region]) -> (Vec<Region>, Vec<RegionResult>) {
        let config = self.config;
        let wanted = |r: &&Region| {
            let named = config.regions.is_empty() || config.regions.contains(r);
            named && !config.exclude_regions.contains(r)
        };
        let mut lost = Vec::new();
        let excluded = &config.exclude_regions;
        for region in config.regions.iter().filter(|r| !excluded.contains(r)) {
            if !enabled.contains(region) {
                let why = ErrorType::RegionDisabled;
                let message = "asked for with --regions and not enabled for the account; enable \
                               it, or leave it out";
                self.tell(why, Some(region), message.to_owned());
                lost.push(RegionResult::lost(
                    region.clone(),
                    &config.resource_types,
                    why,
                ));
            }
        }
        (enabled.iter().filter(wanted).cloned().collect(), lost)
    }

    fn write_csv(&mut self, account: &Account, results: &[RegionResult]) -> Exit {
        let counts: Vec<_> = results.iter().flat_map(RegionResult::counts).collect();
        let name = account.file_name(Format::Csv.suffix());
        let bytes = Format::Csv.render(account, &counts);
        let path = self.path(&name).display().to_string();
        match atomic::write(&self.config.output_dir, &name, &bytes) {
            Ok(()) => {
                self.console.line(format_args!("Results written to {path}"));
                Exit::Done
            }
            Err(e) => {
                let message = format!(
                    "the results could not be written to {path}: {e}; what stood there before is \
                     untouched"
                );
                self.tell(ErrorType::Fatal, None, message);
                Exit::Failed
            }
        }
    }

    /// A file in the output folder; without the folder where that is the current one.
    fn path(&self, name: &str) -> PathBuf {
        match &self.config.output_dir {
            folder if folder == Path::new(".") => PathBuf::from(name),
            folder => folder.join(name),
        }
    }

    fn open_error_file(&mut self, path: &Path) {
        match ErrorFile::new(path.to_owned()) {
            Ok(file) => self.errors = Some(file),
            Err(e) => self.console.error(format_args!(
                "the error file of an earlier run, {}, cannot be deleted: {e}; errors are told \
                 here alone",
                path.display()
            )),
        }
    }

    fn error_file_name(&self) -> String {
        let whole = self.errors.as_ref().filter(|file| file.is_whole());
        whole.map_or("above".to_owned(), |file| file.path().display().to_string())
    }

    fn errors_logged(&mut self) {
        if self.count > 0 && self.errors.as_ref().is_some_and(ErrorFile::is_whole) {
            let name = self.error_file_name();
            self.console.line(format_args!("Errors logged to {name}"));
        }
    }

    fn tell(&mut self, error_type: ErrorType, region: Option<&Region>, message: String) {
        let entry = self.entry(error_type, region, message);
        self.log(&entry, true);
    }

    fn entry(&self, error_type: ErrorType, region: Option<&Region>, message: String) -> Entry {
        Entry {
            at: self.world.clock.now(),
            error_type,
            region: region.cloned(),
            resource_type: None,
            message,
        }
    }

    /// Both destinations, whatever becomes of the other one.
    fn log(&mut self, entry: &Entry, on_screen: bool) {
        self.count += 1;
        if on_screen {
            self.console.error(entry);
        }
        if let Some(file) = &mut self.errors {
            let first = file.is_whole();
            if let Err(e) = file.append(entry)
                && first
            {
                let name = file.path().display().to_string();
                self.console
                    .error(format_args!("the error file {name} cannot be written: {e}"));
            }
        }
    }
}

/// Text from the network, harmless and not too long.
fn clean(text: &str) -> String {
    crate::model::clean(text, 1000)
}
