//! Counts the resources of many accounts: checks, scan, files as accounts finish, combined files, summary.

use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use super::account_opener::Opener;
use super::account_tally::Tally;
use super::accounts_outputs;
use super::accounts_run::{ListResult, Run};
use super::context::Context;
use super::count::{
    begin, check, finish_recording, show_failures, show_interrupt, show_unknown_regions,
};
use super::exit::Exit;
use super::heartbeat::Heartbeat;
use super::resume::{self, Counted};
use crate::accounts::{AccountList, ListError, MemberAccount};
use crate::aws::client::Trace;
use crate::console::{AccountErrors, Console};
use crate::options::{AccountOptions, Options, Resume};
use crate::output::AccountsResults;
use crate::output::run_file::Records;
use crate::preflight::{self, AccountsReady, NotReady};
use crate::runtime::Runtime;
use crate::scan::{self, Feed};
use crate::sync::lock;
use crate::text::pluralize;

/// The file name of the error file before the scope is known.
const EARLY_ERRORS: &str = "aws_config_combined_errors.txt";

/// Runs the checks, the scan and the output.
pub fn run(
    options: &Options,
    accounts: &AccountOptions,
    runtime: &Runtime,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    let start = runtime.clock.now();
    let mut context = match begin(options, runtime, console) {
        Ok(context) => context,
        Err(exit) => return exit,
    };
    if accounts.resume == Some(Resume::Default) {
        let command = accounts.resume_command.clone();
        runtime.interrupt.set_command(command);
    }
    let preflight = check(&mut context, |activity, on_event| {
        preflight::run_accounts(options, accounts, runtime, trace, activity, on_event)
    });
    let http = preflight.http;
    let (mut exit, results) = match preflight.outcome {
        _ if context.is_interrupted() => (Exit::Failed, None),
        Ok(ready) => scan_accounts(&mut context, accounts, ready),
        Err(NotReady::UnknownRegions(regions)) => {
            (show_unknown_regions(&mut context, &regions), None)
        }
        Err(NotReady::Failed(failures)) => {
            context.open_errors(EARLY_ERRORS);
            show_failures(&mut context, &failures);
            (Exit::Failed, None)
        }
    };
    if let Some(interrupted) = show_interrupt(&mut context) {
        return interrupted;
    }
    if !finish_recording(&mut context, http) {
        exit = Exit::Failed;
    }
    let exit = accounts_outputs::publish(&mut context, accounts, start, results.as_ref(), exit);
    show_interrupt(&mut context).unwrap_or(exit)
}

fn scan_accounts(
    context: &mut Context,
    accounts: &AccountOptions,
    mut ready: AccountsReady,
) -> (Exit, Option<AccountsResults>) {
    let scope = ready.list.scope();
    let caller = ready.access.caller_account();
    let (file, counted) = match resume::start(context, accounts, &scope, caller) {
        Ok(started) => started,
        Err(exit) => return (exit, None),
    };
    context.remove_errors(EARLY_ERRORS);
    show_start(context, &ready, &counted);
    ready.workers.grow(context.options.max_connections);
    let opener = Opener {
        options: context.options,
        runtime: context.runtime,
        access: ready.access.clone(),
        early: ready.early,
        is_stopped: AtomicBool::new(false),
    };
    let listed = ready.members.len();
    let (mut first, list) = (Some(ready.members), Mutex::new(ready.list));
    let next = || match first.take() {
        Some(members) => Ok(Some(members)),
        None => next_page(&mut lock(&list)),
    };
    let feed = Feed {
        next: Mutex::new(Box::new(next)),
        is_scanned: Box::new(|member| is_scanned(member, &counted)),
        open: Box::new(|number, member| opener.open(number, member)),
    };
    let positions = Vec::new();
    let mut run = Run {
        heartbeat: Heartbeat::new(&context.activity, &context.runtime.clock),
        context,
        accounts,
        access: ready.access,
        tally: Tally::default(),
        records: Records { file, positions },
        counted: &counted,
        list: ListResult::Unfinished,
        has_failed: false,
        shown_errors: AccountErrors::default(),
    };
    run.add_unusable(ready.unusable);
    // Before the workers begin: an interrupt may come before their first event.
    run.set_state(0, listed);
    let interval = run.context.runtime.clock.tick();
    scan::scan_accounts(&ready.workers, &feed, interval, |event| run.handle(event));
    run.end_progress();
    if run.context.is_interrupted() {
        return (Exit::Failed, None);
    }
    run.add_not_found(lock(&list).not_found());
    run.records.file.unit_names = lock(&list).unit_names();
    let (exit, results) = run.conclude(scope);
    (exit, Some(results))
}

/// Fetches the next page of the list, and after the last one the names of the units.
fn next_page(list: &mut AccountList) -> Result<Option<Vec<MemberAccount>>, ListError> {
    let page = list.next_page()?;
    if page.is_none() {
        list.find_unit_names();
    }
    Ok(page)
}

fn is_scanned(member: &MemberAccount, counted: &Counted) -> bool {
    member.is_active() && !counted.contains_key(&member.id)
}

/// Shows how many accounts will be scanned, as far as they are listed.
fn show_start(context: &mut Context, ready: &AccountsReady, counted: &Counted) {
    let members = ready.members.iter();
    let accounts = members.filter(|member| is_scanned(member, counted)).count();
    let is_complete = !ready.list.may_have_more();
    if !context.options.skip_checks {
        context.console.line("");
    }
    let accounts = match (accounts, is_complete) {
        (n, true) => pluralize(n, "account"),
        (0, false) => "accounts".to_owned(),
        (n, false) => format!("at least {}", pluralize(n, "account")),
    };
    context.console.line(format_args!("Scanning {accounts}..."));
}
