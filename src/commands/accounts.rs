//! Lists the accounts that a run would scan, and on request checks the access to each. Writes no files.
//!
//! The main thread fetches the list. The checks of the access are tasks on at most eight workers; the main thread joins
//! them in the order of the list. After a rejection of the caller's credentials or an interrupt, the remaining tasks
//! end without a call.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::Context;
use super::count::{check, show_interrupt, show_unknown_regions};
use super::exit::Exit;
use super::heartbeat::Heartbeat;
use crate::accounts::{AccountStatus, ListError, MemberAccount, UnusableProfile};
use crate::advice;
use crate::aws::client::Trace;
use crate::console::{self, Console};
use crate::model::AccountId;
use crate::options::{AccountOptions, AccountSource, AccountTask, Format, Options};
use crate::output::account_list::{self, AccessCheck, ListedAccount};
use crate::output::write_csv;
use crate::preflight::{self, AccountsReady, NotReady, OpenError};
use crate::runtime::Runtime;
use crate::text::{list, pluralize};

/// The maximum number of accounts whose access is checked concurrently.
const WORKERS: usize = 8;

/// The status of an account with access.
const OK: &str = "ok";

/// The width of the table if that of the terminal is unknown.
const COLUMNS: usize = 80;

/// The maximum number of accounts that a paragraph names.
const NAMED: usize = 8;

/// Lists the accounts.
pub fn run(
    options: &Options,
    accounts: &AccountOptions,
    runtime: &Runtime,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    runtime.interrupt.start_run();
    // Stdout has only the list.
    console.quiet = true;
    let mut context = Context::new(options, runtime, console);
    let preflight = check(&mut context, |activity, on_event| {
        preflight::run_accounts(options, accounts, runtime, trace, activity, on_event)
    });
    let exit = match preflight.outcome {
        _ if context.is_interrupted() => Exit::Failed,
        Err(NotReady::UnknownRegions(regions)) => show_unknown_regions(&mut context, &regions),
        Err(NotReady::Failed(failures)) => {
            for (name, why) in failures {
                context.console.error(format_args!("error: {name}: {why}"));
            }
            Exit::Failed
        }
        Ok(mut ready) => match fetch_all(&mut ready) {
            _ if context.is_interrupted() => Exit::Failed,
            Err(e) => {
                let why = advice::for_list(&e);
                context.console.error(format_args!("error: {why}"));
                Exit::Failed
            }
            Ok(not_found) => conclude(&mut context, accounts, ready, not_found),
        },
    };
    show_interrupt(&mut context).unwrap_or(exit)
}

/// Fetches the remaining pages. Returns the accounts that the options name and the list does not have.
fn fetch_all(ready: &mut AccountsReady) -> Result<Vec<AccountId>, ListError> {
    while let Some(page) = ready.list.next_page()? {
        ready.members.extend(page);
    }
    ready.list.find_unit_names();
    Ok(ready.list.not_found())
}

/// Checks the access, if requested, and prints the list. Profiles were checked for the list itself.
fn conclude(
    context: &mut Context,
    accounts: &AccountOptions,
    mut ready: AccountsReady,
    not_found: Vec<AccountId>,
) -> Exit {
    let is_of_profiles = accounts.source.profiles().is_some();
    let has_checks = accounts.task == AccountTask::CheckAccess || is_of_profiles;
    let checks = if has_checks {
        check_access(context, &mut ready)
    } else {
        Vec::new()
    };
    if context.is_interrupted() {
        return Exit::Failed;
    }
    let is_state_known = accounts.source == AccountSource::Organization;
    let mut checks = checks.into_iter();
    let members = ready.members.iter();
    let mut listed: Vec<ListedAccount> = members
        .map(|member| describe(member, is_state_known, checks.next()))
        .collect();
    let names = ready.list.unit_names();
    for path in listed.iter_mut().flat_map(|account| &mut account.ou_path) {
        *path = names.path(path);
    }
    let mut is_missing = !not_found.is_empty();
    for profile in ready.unusable {
        is_missing = true;
        listed.extend(describe_unusable(context, profile));
    }
    let why = advice::for_not_found(&accounts.source);
    if !not_found.is_empty() && !has_checks {
        let count = pluralize(not_found.len(), "account");
        let ids = list(&not_found, NAMED);
        let text = format_args!("warning: {count} not found: {ids}; {why}");
        context.console.error(text);
    }
    listed.extend(not_found.into_iter().map(|id| {
        let status = AccountStatus::NotInOrganization;
        let check = has_checks.then(|| not_checked(status, why.to_owned()));
        describe(&MemberAccount::new(id), false, check)
    }));
    is_missing |= listed.iter().any(lacks_access);
    match print(context, &listed, has_checks) {
        Err(e) => {
            let text = format_args!("error: the list could not be written to stdout: {e}");
            context.console.error(text);
            Exit::Failed
        }
        Ok(()) if is_missing && context.options.strict.is_some() => Exit::Partial,
        Ok(()) => Exit::Done,
    }
}

/// Returns the account of a profile that cannot be used; if it is unknown, prints a warning instead.
fn describe_unusable(context: &mut Context, profile: UnusableProfile) -> Option<ListedAccount> {
    let Some(account) = profile.account else {
        let (access, why) = (profile.access, profile.detail);
        let text = format_args!("warning: {access} cannot be used: {why}");
        context.console.error(text);
        return None;
    };
    let check = AccessCheck {
        access: Some(profile.access),
        status: profile.status.as_str(),
        detail: Some(profile.detail),
    };
    Some(describe(&MemberAccount::new(account), false, Some(check)))
}

fn lacks_access(account: &ListedAccount) -> bool {
    let check = account.check.as_ref();
    let is_expected = [OK, AccountStatus::NotActive.as_str()];
    check.is_some_and(|check| !is_expected.contains(&check.status))
}

fn describe(
    member: &MemberAccount,
    is_state_known: bool,
    check: Option<AccessCheck>,
) -> ListedAccount {
    ListedAccount {
        account: member.id.to_string(),
        name: known(member.name.clone()),
        ou_path: known(member.ou_path()),
        state: is_state_known.then(|| member.state.clone()),
        role: member.role.as_ref().map(ToString::to_string),
        check,
    }
}

/// Checks the access to each account, in the order of the list.
fn check_access(context: &mut Context, ready: &mut AccountsReady) -> Vec<AccessCheck> {
    ready.workers.grow(WORKERS);
    let (ready, runtime) = (&*ready, context.runtime);
    let is_stopped = AtomicBool::new(false);
    let check = |member: &MemberAccount| {
        if runtime.interrupt.signal().is_some() || is_stopped.load(Ordering::SeqCst) {
            return not_checked(AccountStatus::NotTried, String::new());
        }
        check_member(ready, member, &is_stopped)
    };
    let (clock, interval) = (&runtime.clock, runtime.clock.tick());
    let mut heartbeat = Heartbeat::new(&context.activity, clock);
    let console = &mut *context.console;
    let checks = ready.workers.scope(|scope| {
        let members = ready.members.iter();
        let check = &check;
        let tasks: Vec<_> = members
            .map(|member| scope.spawn(move || check(member)))
            .collect();
        let total = tasks.len();
        let mut checks = Vec::with_capacity(total);
        for task in tasks {
            let checked = task.join(interval, || heartbeat.check("Access to accounts", console));
            // A task without a result has panicked.
            checks.push(checked.unwrap_or_else(|| {
                not_checked(AccountStatus::Failed, "internal error".to_owned())
            }));
            if runtime.interrupt.signal().is_none() {
                console.progress(checks.len(), total);
            }
        }
        checks
    });
    console.end_progress();
    checks
}

/// Opens an account and drops its credentials.
fn check_member(
    ready: &AccountsReady,
    member: &MemberAccount,
    is_stopped: &AtomicBool,
) -> AccessCheck {
    if !member.is_active() {
        let detail = format!("the state of the account is {}", member.state);
        return not_checked(AccountStatus::NotActive, detail);
    }
    let access = Some(ready.access.describe(member));
    let opened = ready.access.open(member);
    ready.access.release(&member.id);
    let Err(error) = opened else {
        return AccessCheck {
            access,
            status: OK,
            detail: known(member.note.clone()),
        };
    };
    let (detail, status) = (advice::for_access(&error), error.status());
    let is_of_caller = OpenError::Access(error).is_of_caller();
    if is_of_caller && !ready.access.is_separate() {
        is_stopped.store(true, Ordering::SeqCst);
    }
    AccessCheck {
        access,
        status: status.as_str(),
        detail: Some(detail),
    }
}

fn known(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn not_checked(status: AccountStatus, detail: String) -> AccessCheck {
    AccessCheck {
        access: None,
        status: status.as_str(),
        detail: known(detail),
    }
}

/// Prints the list in the format of the options.
fn print(context: &mut Context, accounts: &[ListedAccount], has_checks: bool) -> io::Result<()> {
    let text = match context.options.format {
        Some(Format::Csv) => {
            let rows = accounts.iter().map(|a| account_list::row(a, has_checks));
            let mut text = Vec::new();
            write_csv(&account_list::header(has_checks), rows, &mut text)?;
            text
        }
        Some(Format::Json) => account_list::json(accounts)?,
        Some(Format::Table) | None => {
            let columns = (context.console.out_columns)().unwrap_or(COLUMNS);
            let mut text = account_list::table(accounts, columns);
            for line in problems(accounts) {
                text += &console::wrap(&line, columns, 2).join("\n");
                text.push('\n');
            }
            text.into_bytes()
        }
    };
    context.console.write_result(&text)
}

/// Returns a paragraph for each status without access, with its accounts and the reason of the first one.
fn problems(accounts: &[ListedAccount]) -> Vec<String> {
    let mut groups: BTreeMap<&str, Vec<&ListedAccount>> = BTreeMap::new();
    for account in accounts.iter().filter(|account| lacks_access(account)) {
        let status = account.check.as_ref().map_or("", |check| check.status);
        groups.entry(status).or_default().push(account);
    }
    let mut lines = Vec::new();
    for (status, group) in groups {
        let ids = list(group.iter().map(|account| &account.account), NAMED);
        let count = pluralize(group.len(), "account");
        lines.push(String::new());
        lines.push(format!("{status}, {count}: {ids}"));
        let detail = group.iter().find_map(|a| a.check.as_ref()?.detail.as_ref());
        lines.extend(detail.map(|detail| format!("  {detail}")));
    }
    lines
}
