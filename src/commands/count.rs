//! Counts the resources of one account: checks, scan, files, summary.

use std::collections::HashSet;
use std::sync::Arc;

use super::context::{Context, sanitize};
use super::exit::Exit;
use super::heartbeat::Heartbeat;
use super::output_paths;
use super::outputs;
use super::run_state::WrittenFiles;
use super::scan_regions;
use crate::advice;
use crate::aws::client::{Activity, Client, Trace};
use crate::console::Console;
use crate::coverage::Coverage;
use crate::error_log::ErrorType;
use crate::http::HttpClient;
use crate::model::{Account, ExpectedGap};
use crate::options::Options;
use crate::preflight::{
    self, Check, CheckError, CheckEvent, NotReady, Preflight, Ready, UnknownRegion,
};
use crate::runtime::Runtime;
use crate::text::pluralize;

/// The file name of the error file before the account is known.
const EARLY_ERRORS: &str = "aws_config_resource_count_errors.txt";

/// Runs the checks, the scan and the output of the CSV and the summary.
pub fn run(
    options: &Options,
    runtime: &Runtime,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    let start = runtime.clock.now();
    let mut context = match begin(options, runtime, console) {
        Ok(context) => context,
        Err(exit) => return exit,
    };
    let preflight = check(&mut context, |activity, on_event| {
        preflight::run(options, runtime, trace, activity, on_event)
    });
    let (http, client) = (preflight.http.clone(), preflight.client.clone());
    let account = preflight.account.clone();
    let (mut exit, coverage) = if context.is_interrupted() {
        (Exit::Failed, Coverage::default())
    } else {
        after_checks(&mut context, preflight)
    };
    if let Some(interrupted) = show_interrupt(&mut context) {
        return interrupted;
    }
    if !finish_recording(&mut context, http) {
        exit = Exit::Failed;
    }
    let usage = client.as_deref().map(Client::usage).unwrap_or_default();
    let exit = outputs::publish_account(
        &mut context,
        start,
        account.as_ref(),
        &coverage,
        &usage,
        exit,
    );
    if !context.is_interrupted() {
        context.change_state(|state| state.files = WrittenFiles::All);
    }
    show_interrupt(&mut context).unwrap_or(exit)
}

/// Writes the recording, if there is one. Returns false if it was not written; the error is logged.
pub(super) fn finish_recording(context: &mut Context, http: Option<Arc<dyn HttpClient>>) -> bool {
    let Some(Err(e)) = http.map(|http| http.finish()) else {
        return true;
    };
    let message = format!("the recording was not written: {e}");
    context.log(ErrorType::Fatal, message);
    false
}

/// Begins a run that writes files: checks the paths of the outputs, and warns of names that may be misspelled.
pub(super) fn begin<'a>(
    options: &'a Options,
    runtime: &'a Runtime,
    console: &'a mut Console,
) -> Result<Context<'a>, Exit> {
    runtime.interrupt.start_run();
    if let Err(e) = output_paths::check(options, &runtime.interrupt) {
        console.error(format_args!("error: {e}"));
        return Err(Exit::Usage);
    }
    // Stdout has only the result, if one is requested.
    console.quiet |= options.format.is_some();
    let mut context = Context::new(options, runtime, console);
    context.change_state(|_| {});
    if let Some(text) = options.region.as_ref().and_then(advice::for_start_region) {
        context.console.error(format_args!("warning: {text}"));
    }
    warn_of_unknown_types(&mut context);
    Ok(context)
}

/// Shows that a signal has ended the run, and returns its exit code.
pub(super) fn show_interrupt(context: &mut Context) -> Option<Exit> {
    let signal = context.runtime.interrupt.signal()?;
    let console = &mut *context.console;
    let interrupt = &context.runtime.interrupt;
    interrupt.show_once(signal, |message| {
        let mut lines = message.lines();
        lines.by_ref().take(1).for_each(|line| console.error(line));
        // The command that continues the run.
        lines.for_each(|line| console.error_as_is(line));
    });
    Some(Exit::Interrupted(signal))
}

/// The maximum number of types with a warning of their own.
const MAX_WARNINGS: usize = 20;

/// Prints a warning for each type of the options that may be misspelled.
fn warn_of_unknown_types(context: &mut Context) {
    let options = context.options;
    let types = options.resource_types.named().unwrap_or_default();
    let accepted = options
        .accept_missing
        .iter()
        .filter_map(ExpectedGap::resource_type);
    let mut seen = HashSet::new();
    let given = types.iter().chain(accepted);
    let mut unknown = given.filter(|t| t.is_unknown() && seen.insert(*t));
    for unknown in unknown.by_ref().take(MAX_WARNINGS) {
        let text = advice::for_unknown_type(unknown);
        context.console.error(format_args!("warning: {text}"));
    }
    let more = unknown.count();
    if more > 0 {
        let more = pluralize(more, "more type");
        let text = format_args!("warning: {more} that this version does not know");
        context.console.error(text);
    }
}

/// Runs the checks with `run` and shows each when it is done; with `--skip-checks`, only what they wait for.
pub(super) fn check<T>(
    context: &mut Context,
    run: impl FnOnce(Arc<Activity>, &mut dyn FnMut(CheckEvent)) -> T,
) -> T {
    let (options, runtime) = (context.options, context.runtime);
    let mut heartbeat = Heartbeat::new(&context.activity, &runtime.clock);
    let console = &mut *context.console;
    if !options.skip_checks {
        console.line("Verifying prerequisites...");
    }
    let checked = run(context.activity.clone(), &mut |event| match event {
        // An interrupted check has no meaningful result.
        _ if runtime.interrupt.signal().is_some() => {}
        CheckEvent::Waiting(name) => heartbeat.check(name, console),
        CheckEvent::Done(check) if !options.skip_checks => show_check(check, console),
        CheckEvent::Done(_) => {}
    });
    context.console.clear_status();
    checked
}

fn show_check(check: &Check, console: &mut Console) {
    match &check.result {
        Ok(detail) if detail.is_empty() => console.check(true, check.name),
        Ok(detail) => console.check(true, &format!("{} ({})", check.name, sanitize(detail))),
        Err(_) => console.check(false, check.name),
    }
}

/// Scans the account and writes the files, if all checks passed.
fn after_checks(context: &mut Context, preflight: Preflight) -> (Exit, Coverage) {
    let failed = (Exit::Failed, Coverage::default());
    let ready = match preflight.outcome {
        Ok(ready) => ready,
        Err(NotReady::UnknownRegions(regions)) => {
            let exit = show_unknown_regions(context, &regions);
            return (exit, Coverage::default());
        }
        Err(NotReady::Failed(failures)) => {
            match &preflight.account {
                Some(account) if !context.lock(account) => {}
                Some(account) => context.open_errors(&account.file_name("_errors.txt")),
                None => context.open_errors(EARLY_ERRORS),
            }
            show_failures(context, &failures);
            return failed;
        }
    };
    context.remove_errors(EARLY_ERRORS);
    announce(context, &ready.account);
    if !context.lock(&ready.account) {
        return failed;
    }
    context.open_errors(&ready.account.file_name("_errors.txt"));
    let csv = context.path(&ready.account.file_name(".csv"));
    context.change_state(|state| state.has_old_csv = csv.is_file());
    let tables = outputs::table_paths(context, &ready.account);
    if !tables.iter().all(|path| context.can_write(path)) {
        context.show_error_file();
        return failed;
    }
    scan(context, ready)
}

/// Shows the regions of the options that the account cannot have.
pub(super) fn show_unknown_regions(context: &mut Context, regions: &[UnknownRegion]) -> Exit {
    for region in regions {
        context.console.error(format_args!("error: {region}"));
    }
    Exit::Usage
}

/// Shows and logs the failed checks.
pub(super) fn show_failures(context: &mut Context, failures: &[(&'static str, CheckError)]) {
    let checked = !context.options.skip_checks;
    if checked {
        context.console.line("-".repeat(60));
        context.console.line("PREREQUISITE FAILURES:");
        for (name, reason) in failures {
            let failure = sanitize(&reason.of_check(name));
            context.console.line(format_args!("  - {failure}"));
        }
        if let Some(advice) = preflight::fix_first(failures) {
            context.console.line(advice);
        }
    }
    // The list above is on the same terminal.
    let shown = checked && context.console.shared_terminal && !context.console.quiet;
    let error_type = if checked {
        ErrorType::Prerequisite
    } else {
        ErrorType::Fatal
    };
    for (name, reason) in failures {
        let entry = context.entry(error_type, format!("{name}: {reason}"));
        context.report(entry, !shown);
    }
    context.show_error_file();
}

fn announce(context: &mut Context, account: &Account) {
    let alias = account.alias.as_deref();
    let alias = alias.map(|alias| format!(" ({})", sanitize(alias)));
    if !context.options.skip_checks {
        context.console.line("");
    }
    context.console.line(format_args!(
        "Scanning AWS account: {}{}",
        account.id,
        alias.unwrap_or_default()
    ));
}

/// Scans the regions, writes the output files and shows the summary.
fn scan(context: &mut Context, ready: Ready) -> (Exit, Coverage) {
    let (account, client) = (ready.account.clone(), ready.client.clone());
    match scan_regions::scan(context, ready) {
        Some(scanned) if !context.is_interrupted() => {
            let usage = client.usage().values().sum();
            let exit = outputs::conclude(context, &account, &scanned, usage);
            (exit, scanned.coverage)
        }
        Some(scanned) => (Exit::Failed, scanned.coverage),
        None => (Exit::Failed, Coverage::default()),
    }
}
