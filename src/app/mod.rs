//! The run: the specification's steps in their order.

mod journal;
mod outputs;
mod scanning;

use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::aws::client::{Client, Trace};
use crate::aws::operation::Service;
use crate::aws::usage::Usage;
use crate::config::Config;
use crate::console::Console;
use crate::coverage::Coverage;
use crate::error_log::{Entry, ErrorFile, ErrorType};
use crate::model::{Account, Region};
use crate::preflight::{self, Findings};
use crate::scan::panic_text;
use crate::world::World;
use journal::Journal;

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
        start: world.clock.now(),
        journal: Journal::default(),
        account: None,
        usage: BTreeMap::new(),
        coverage: Coverage::default(),
        report: config.report.clone(),
    };
    let findings = run.check(trace);
    let http = findings.http.clone();
    let mut exit = match world.interrupt.signal() {
        Some(_) => Exit::Failed,
        None => run.after_checks(findings),
    };
    if let Some(signal) = world.interrupt.signal() {
        run.console.error("Interrupted");
        return Exit::Interrupted(signal);
    }
    if let Some(Err(e)) = http.map(|http| http.finish()) {
        let message = format!("the recording was not written: {e}");
        run.tell(ErrorType::Fatal, None, message);
        exit = Exit::Failed;
    }
    let exit = run.write_report(exit);
    // There may be fifty thousand cells, which end with the process.
    mem::forget(run.coverage);
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
    start: OffsetDateTime,
    journal: Journal,
    account: Option<Account>,
    usage: BTreeMap<(Service, Region), Usage>,
    coverage: Coverage,
    /// Where the report goes.
    report: Option<PathBuf>,
}

impl Run<'_> {
    /// The checks, each shown as it is done; without a word where they are left out.
    fn check(&mut self, trace: Option<Trace>) -> Findings {
        let Self {
            config,
            world,
            console,
            ..
        } = self;
        if config.skip_checks {
            return preflight::run(config, world, trace, &mut |_| {});
        }
        console.line("Verifying prerequisites...");
        preflight::run(config, world, trace, &mut |check| match &check.result {
            // What an interrupted check says is not about the account.
            _ if world.interrupt.signal().is_some() => {}
            Ok(detail) if detail.is_empty() => console.check(true, check.name),
            Ok(detail) => console.check(true, &format!("{} ({})", check.name, clean(detail))),
            Err(_) => console.check(false, check.name),
        })
    }

    fn after_checks(&mut self, findings: Findings) -> Exit {
        let client = findings.client.as_deref();
        self.usage = client.map_or_else(BTreeMap::new, Client::usage);
        self.account = findings.account_id.clone().map(|id| Account {
            id,
            alias: findings.alias.clone(),
        });
        let error_path = match &self.account {
            Some(account) => self.path(&account.file_name("_errors.txt")),
            None => self.path(EARLY_ERRORS),
        };
        if findings.failures().next().is_some() {
            self.journal.open(error_path, self.console);
            return self.prerequisite_failures(&findings);
        }
        // A run that failed before it knew the account may have left this one.
        let _ = ErrorFile::new(self.path(EARLY_ERRORS));
        self.announce();
        if !self.can_write(&self.config.output_dir, "--output-dir") {
            return Exit::Failed;
        }
        self.journal.open(error_path, self.console);
        if let Some(path) = self.report.clone()
            && !self.can_write(outputs::folder_of(&path), "--report")
        {
            // It has just been told that there will be none.
            self.report = None;
            self.errors_logged();
            return Exit::Failed;
        }
        self.scan_and_write(findings)
    }

    fn prerequisite_failures(&mut self, findings: &Findings) -> Exit {
        let checked = !self.config.skip_checks;
        if checked {
            self.console.line("-".repeat(60));
            self.console.line("PREREQUISITE FAILURES:");
            for (name, reason) in findings.failures() {
                self.console
                    .line(format_args!("  - {name}: {}", clean(reason)));
            }
        }
        // The list above has just told them on the same screen.
        let told = checked && self.console.one_screen && !self.console.quiet;
        let error_type = if checked {
            ErrorType::Prerequisite
        } else {
            ErrorType::Fatal
        };
        for (name, reason) in findings.failures() {
            let entry = self.entry(error_type, None, format!("{name}: {reason}"));
            self.journal.log(entry, self.console, !told);
        }
        self.errors_logged();
        Exit::Failed
    }

    fn announce(&mut self) {
        let Some(account) = &self.account else { return };
        let alias = account
            .alias
            .as_deref()
            .map(|alias| format!(" ({})", clean(alias)));
        let alias = alias.unwrap_or_default();
        if !self.config.skip_checks {
            self.console.line("");
        }
        self.console
            .line(format_args!("Scanning AWS account: {}{alias}", account.id));
    }

    /// A file in the output folder; without the folder where that is the current one.
    fn path(&self, name: &str) -> PathBuf {
        match &self.config.output_dir {
            folder if folder == Path::new(".") => PathBuf::from(name),
            folder => folder.join(name),
        }
    }

    fn error_file_name(&self) -> String {
        let whole = self.journal.whole_file();
        whole.map_or("above".to_owned(), |path| path.display().to_string())
    }

    fn errors_logged(&mut self) {
        self.journal.catch_up();
        if !self.journal.entries.is_empty() && self.journal.whole_file().is_some() {
            let name = self.error_file_name();
            self.console.line(format_args!("Errors logged to {name}"));
        }
    }

    fn tell(&mut self, error_type: ErrorType, region: Option<&Region>, message: String) {
        let entry = self.entry(error_type, region, message);
        self.journal.log(entry, self.console, true);
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
}

/// Text from the network, harmless and not too long.
fn clean(text: &str) -> String {
    crate::model::clean(text, 1000)
}
