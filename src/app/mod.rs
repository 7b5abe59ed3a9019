//! A run of the program: the steps of the specification, in order.

mod error_reporter;
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
use crate::console::Console;
use crate::coverage::Coverage;
use crate::error_log::{Entry, ErrorFile, ErrorType};
use crate::model::{Account, Region};
use crate::options::Options;
use crate::preflight::{self, Preflight};
use crate::runtime::Runtime;
use crate::scan::panic_text;
use error_reporter::ErrorReporter;

/// The file name of the error file before the account is known.
const EARLY_ERRORS: &str = "aws_config_resource_count_errors.txt";

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The CSV is written; counts may be missing.
    Done,
    /// A check or another required step failed.
    Failed,
    /// The CSV is written, counts are missing, and `--strict` is set.
    Partial,
    /// A signal ended the run.
    Interrupted(i32),
}

impl Exit {
    /// Returns the exit code: 0, 1, 3, or 128 + the signal number. (clap uses 2 for usage errors.)
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

/// Runs the checks, the scan and the output of the CSV and the summary.
pub fn run(
    options: &Options,
    runtime: &Runtime,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    let mut app = App {
        options,
        runtime,
        console,
        start: runtime.clock.now(),
        error_reporter: ErrorReporter::default(),
        account: None,
        usage: BTreeMap::new(),
        coverage: Coverage::default(),
        report: options.report.clone(),
    };
    let preflight = app.check(trace);
    let http = preflight.http.clone();
    let mut exit = match runtime.interrupt.signal() {
        Some(_) => Exit::Failed,
        None => app.after_checks(preflight),
    };
    if let Some(signal) = runtime.interrupt.signal() {
        app.console.error("Interrupted");
        return Exit::Interrupted(signal);
    }
    if let Some(Err(e)) = http.map(|http| http.finish()) {
        let message = format!("the recording was not written: {e}");
        app.log(ErrorType::Fatal, None, message);
        exit = Exit::Failed;
    }
    let exit = app.write_report(exit);
    // There may be fifty thousand cells; the exit of the process frees them faster.
    mem::forget(app.coverage);
    exit
}

/// Calls [`run`]; a panic is shown as an internal error and returns [`Exit::Failed`].
pub fn run_guarded(
    options: &Options,
    runtime: &Runtime,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    let ran = catch_unwind(AssertUnwindSafe(|| run(options, runtime, console, trace)));
    ran.unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        console.end_progress();
        console.error(format_args!("internal error: {text}; please report it"));
        Exit::Failed
    })
}

/// The state of a run.
struct App<'a> {
    options: &'a Options,
    runtime: &'a Runtime,
    console: &'a mut Console,
    start: OffsetDateTime,
    error_reporter: ErrorReporter,
    account: Option<Account>,
    usage: BTreeMap<(Service, Region), Usage>,
    coverage: Coverage,
    /// The path of the JSON report.
    report: Option<PathBuf>,
}

impl App<'_> {
    /// Runs the checks and shows each when it is done; shows nothing with `--skip-checks`.
    fn check(&mut self, trace: Option<Trace>) -> Preflight {
        let Self {
            options,
            runtime,
            console,
            ..
        } = self;
        if options.skip_checks {
            return preflight::run(options, runtime, trace, &mut |_| {});
        }
        console.line("Verifying prerequisites...");
        preflight::run(options, runtime, trace, &mut |check| match &check.result {
            // An interrupted check has no meaningful result.
            _ if runtime.interrupt.signal().is_some() => {}
            Ok(detail) if detail.is_empty() => console.check(true, check.name),
            Ok(detail) => console.check(true, &format!("{} ({})", check.name, sanitize(detail))),
            Err(_) => console.check(false, check.name),
        })
    }

    fn after_checks(&mut self, preflight: Preflight) -> Exit {
        let client = preflight.client.as_deref();
        self.usage = client.map_or_else(BTreeMap::new, Client::usage);
        self.account = preflight.account_id.clone().map(|id| Account {
            id,
            alias: preflight.alias.clone(),
        });
        let error_path = match &self.account {
            Some(account) => self.path(&account.file_name("_errors.txt")),
            None => self.path(EARLY_ERRORS),
        };
        if preflight.failures().next().is_some() {
            self.error_reporter.open(error_path, self.console);
            return self.prerequisite_failures(&preflight);
        }
        // An earlier run may have left this file, if it failed before the account was known.
        let _ = ErrorFile::new(self.path(EARLY_ERRORS));
        self.announce();
        if !self.can_write(&self.options.output_dir, "--output-dir") {
            return Exit::Failed;
        }
        self.error_reporter.open(error_path, self.console);
        if let Some(path) = self.report.clone()
            && !self.can_write(outputs::parent_directory(&path), "--report")
        {
            // The error is already logged.
            self.report = None;
            self.show_error_file();
            return Exit::Failed;
        }
        self.scan_and_write(preflight)
    }

    fn prerequisite_failures(&mut self, preflight: &Preflight) -> Exit {
        let checked = !self.options.skip_checks;
        if checked {
            self.console.line("-".repeat(60));
            self.console.line("PREREQUISITE FAILURES:");
            for (name, reason) in preflight.failures() {
                self.console
                    .line(format_args!("  - {name}: {}", sanitize(reason)));
            }
        }
        // The list above is on the same terminal.
        let shown = checked && self.console.shared_terminal && !self.console.quiet;
        let error_type = if checked {
            ErrorType::Prerequisite
        } else {
            ErrorType::Fatal
        };
        for (name, reason) in preflight.failures() {
            let entry = self.entry(error_type, None, format!("{name}: {reason}"));
            self.error_reporter.log(entry, self.console, !shown);
        }
        self.show_error_file();
        Exit::Failed
    }

    fn announce(&mut self) {
        let Some(account) = &self.account else { return };
        let alias = account
            .alias
            .as_deref()
            .map(|alias| format!(" ({})", sanitize(alias)));
        let alias = alias.unwrap_or_default();
        if !self.options.skip_checks {
            self.console.line("");
        }
        self.console
            .line(format_args!("Scanning AWS account: {}{alias}", account.id));
    }

    /// Returns the path of a file in the output directory; only the name if that is the current
    /// directory.
    fn path(&self, name: &str) -> PathBuf {
        match &self.options.output_dir {
            directory if directory == Path::new(".") => PathBuf::from(name),
            directory => directory.join(name),
        }
    }

    fn error_file_name(&self) -> String {
        let file = self.error_reporter.complete_file();
        file.map_or("above".to_owned(), |path| path.display().to_string())
    }

    fn show_error_file(&mut self) {
        self.error_reporter.flush_pending();
        if !self.error_reporter.entries.is_empty() && self.error_reporter.complete_file().is_some()
        {
            let name = self.error_file_name();
            self.console.line(format_args!("Errors logged to {name}"));
        }
    }

    fn log(&mut self, error_type: ErrorType, region: Option<&Region>, message: String) {
        let entry = self.entry(error_type, region, message);
        self.error_reporter.log(entry, self.console, true);
    }

    fn entry(&self, error_type: ErrorType, region: Option<&Region>, message: String) -> Entry {
        Entry {
            at: self.runtime.clock.now(),
            error_type,
            region: region.cloned(),
            resource_type: None,
            message,
        }
    }
}

/// Removes control characters from network text and limits its length to 1000 characters.
fn sanitize(text: &str) -> String {
    crate::text::sanitize(text, 1000)
}
