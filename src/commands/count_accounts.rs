//! Counts the resources of many accounts: checks, scan, files as accounts finish, combined files, summary.

use std::sync::{Arc, Mutex};

use super::account_opener::Opener;
use super::account_tally::Tally;
use super::accounts_outputs::{self, AccountsResults};
use super::accounts_run::{ListResult, Run};
use super::context::Context;
use super::count::{
    begin, finish_recording, show_check, show_failures, show_interrupt, show_unknown_regions,
};
use super::exit::Exit;
use super::heartbeat::Heartbeat;
use super::resume::{self, Counted};
use crate::accounts::{AccountList, ListError, MemberAccount};
use crate::aws::client::Trace;
use crate::console::{AccountErrors, Console};
use crate::options::{AccountOptions, Options, Resume};
use crate::preflight::{self, AccountsPreflight, AccountsReady, CheckEvent, NotReady};
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
    if !options.skip_checks {
        context.console.line("Verifying prerequisites...");
    }
    if accounts.resume == Some(Resume::Default) {
        let command = accounts.resume_command.clone();
        runtime.interrupt.set_command(command);
    }
    let preflight = check(&mut context, accounts, trace);
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

/// Runs the checks and shows each when it is done; with `--skip-checks`, only what they wait for.
pub(super) fn check(
    context: &mut Context,
    accounts: &AccountOptions,
    trace: Option<Trace>,
) -> AccountsPreflight {
    let (options, runtime) = (context.options, context.runtime);
    let activity = context.activity.clone();
    let mut heartbeat = Heartbeat::new(&activity, &runtime.clock);
    let console = &mut *context.console;
    let preflight =
        preflight::run_accounts(options, accounts, runtime, trace, activity, &mut |event| {
            match event {
                // An interrupted check has no meaningful result.
                _ if runtime.interrupt.signal().is_some() => {}
                CheckEvent::Waiting(name) => heartbeat.check(name, console),
                CheckEvent::Done(check) if !options.skip_checks => show_check(check, console),
                CheckEvent::Done(_) => {}
            }
        });
    context.console.clear_status();
    preflight
}

fn scan_accounts(
    context: &mut Context,
    accounts: &AccountOptions,
    mut ready: AccountsReady,
) -> (Exit, Option<AccountsResults>) {
    let scope = ready.list.scope();
    let caller = ready.access.caller_account();
    let (records, counted) = match resume::start(context, accounts, &scope, caller) {
        Ok((records, counted)) => (records, Arc::new(counted)),
        Err(exit) => return (exit, None),
    };
    context.remove_errors(EARLY_ERRORS);
    show_start(context, &ready, &counted);
    ready.workers.grow(context.options.max_connections);
    let access = ready.access.clone();
    let opener = Opener::new(
        context.options,
        context.runtime,
        access.clone(),
        ready.early,
    );
    let list = Arc::new(Mutex::new(RemainingPages {
        first: Some(ready.members),
        list: ready.list,
        is_complete: ready.is_complete,
    }));
    let pages = list.clone();
    let feed = Feed {
        next: Mutex::new(Box::new(move || lock(&pages).next())),
        is_scanned: {
            let counted = counted.clone();
            Box::new(move |member| member.is_active() && !counted.contains_key(&member.id))
        },
        open: Box::new(|number, member| opener.open(number, member)),
    };
    let mut run = Run {
        heartbeat: Heartbeat::new(&context.activity, &context.runtime.clock),
        context,
        accounts,
        access,
        tally: Tally::default(),
        records,
        counted,
        list: ListResult::Unfinished,
        has_failed: false,
        shown_errors: AccountErrors::default(),
    };
    run.add_unusable(ready.unusable);
    let interval = run.context.runtime.clock.tick();
    scan::scan_accounts(&ready.workers, &feed, interval, |event| run.handle(event));
    run.end_progress();
    if run.context.is_interrupted() {
        return (Exit::Failed, None);
    }
    run.add_not_found(lock(&list).list.not_found());
    run.records.unit_names = lock(&list).list.unit_names();
    let (exit, results) = run.conclude(scope);
    (exit, Some(results))
}

/// The pages of the list: those that the checks have fetched, then the others.
struct RemainingPages {
    first: Option<Vec<MemberAccount>>,
    list: AccountList,
    is_complete: bool,
}

impl RemainingPages {
    fn next(&mut self) -> Result<Option<Vec<MemberAccount>>, ListError> {
        if let Some(members) = self.first.take() {
            return Ok(Some(members));
        }
        let page = if self.is_complete {
            None
        } else {
            self.list.next_page()?
        };
        if page.is_none() {
            self.list.find_unit_names();
        }
        Ok(page)
    }
}

/// Shows how many accounts will be scanned, as far as they are listed.
fn show_start(context: &mut Context, ready: &AccountsReady, counted: &Counted) {
    let is_scanned = |m: &&MemberAccount| m.is_active() && !counted.contains_key(&m.id);
    let accounts = ready.members.iter().filter(is_scanned).count();
    let is_complete = ready.is_complete || !ready.list.may_have_more();
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
