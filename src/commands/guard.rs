//! Runs the command that the options request, and shows a panic as an internal error.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::exit::Exit;
use super::{accounts as account_list, count, count_accounts};
use crate::aws::client::Trace;
use crate::console::Console;
use crate::options::{AccountTask, Options};
use crate::runtime::Runtime;
use crate::scan::panic_text;

/// Counts one account or many, or lists accounts; a panic is shown as an internal error and returns [`Exit::Failed`].
pub fn run_guarded(
    options: &Options,
    runtime: &Runtime,
    console: &mut Console,
    trace: Option<Trace>,
) -> Exit {
    let ran = catch_unwind(AssertUnwindSafe(|| match &options.accounts {
        None => count::run(options, runtime, console, trace),
        Some(accounts) => match accounts.task {
            AccountTask::Count => count_accounts::run(options, accounts, runtime, console, trace),
            AccountTask::List | AccountTask::CheckAccess => {
                account_list::run(options, accounts, runtime, console, trace)
            }
        },
    }));
    ran.unwrap_or_else(|panic| {
        let text = panic_text(&*panic);
        console.end_progress();
        console.error(format_args!("internal error: {text}; please report it"));
        Exit::Failed
    })
}
