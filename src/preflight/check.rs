//! A check, its result, and the list of checks in display order.

use std::time::Duration;

use crate::accounts::access::AccessError;
use crate::accounts::{ListError, ProfilesError};
use crate::advice;
use crate::aws::error::{CallError, CredentialsError};
use crate::model::{AccountId, ParseNameError};
use crate::session::SettingsError;
use crate::text::pluralize;
use crate::workers::{Task, Workers, WorkersError};

/// A check and its result: a short detail, which may be empty, or the reason of the failure.
#[derive(Debug)]
pub struct Check {
    /// The name shown to the user.
    pub name: &'static str,
    /// The detail or the reason.
    pub result: Result<String, CheckError>,
}

/// The reason of a failed check.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// An invalid setting, or a client that could not be built.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The system refused the threads of the pool.
    #[error(transparent)]
    Workers(#[from] WorkersError),
    /// No credentials.
    #[error("{}", advice::for_credentials(.0))]
    Credentials(#[from] CredentialsError),
    /// The profiles cannot be used.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// A failed call.
    #[error("in {}: {}; {}", .0.region, .0, advice::for_call(.0))]
    Call(#[from] CallError),
    /// The check needs the result of another one.
    #[error("skipped: check {0} failed")]
    Skipped(usize),
    /// The alias would be shown and written to files.
    #[error(
        "iam:ListAccountAliases returned an alias that contains the caller's credentials, which AWS \
         does not do; check the endpoint and any proxy"
    )]
    AliasWithCredentials,
    /// DescribeRegions returned no region.
    #[error("ec2:DescribeRegions returned no regions")]
    NoRegions,
    /// DescribeRegions returned more regions than AWS has.
    #[error(
        "ec2:DescribeRegions returned {0} regions, more than AWS has; check the endpoint and any \
         proxy"
    )]
    TooManyRegions(usize),
    /// No region could be checked for a recorder.
    #[error("could not check any of {}; first error: {first}", pluralize(*.regions, "region"))]
    RecorderUnknown {
        /// The number of regions.
        regions: usize,
        /// The first error.
        #[source]
        first: Box<CheckError>,
    },
    /// No recorder was found, and some regions could not be checked.
    #[error(
        "no configuration recorder found, and {failed} of {} could not be checked; first error: \
         {first}",
        pluralize(*.regions, "region")
    )]
    NoRecorderFound {
        /// The number of regions.
        regions: usize,
        /// The number of regions that could not be checked.
        failed: usize,
        /// The first error.
        #[source]
        first: Box<CheckError>,
    },
    /// No region has a recorder.
    #[error(
        "none of {} has a configuration recorder; turn on AWS Config in the regions to count: \
         https://docs.aws.amazon.com/config/latest/developerguide/gs-console.html",
        pluralize(*.0, "region")
    )]
    NoRecorder(usize),
    /// The list of accounts is not complete.
    #[error("{}", advice::for_list(.0))]
    List(#[from] ListError),
    /// No account could be accessed; the first account and its error.
    #[error("account {account}: {}", advice::for_access(.source))]
    NoAccess {
        /// The account.
        account: AccountId,
        /// The error.
        source: AccessError,
    },
    /// A call in an account failed.
    #[error("account {0}: {1}")]
    Account(AccountId, #[source] Box<CheckError>),
    /// The list has no active account.
    #[error(
        "the list has no active account; check --accounts, --ou and the options that exclude accounts"
    )]
    NoAccounts,
    /// The task of the check panicked.
    #[error("internal error: the check ended early")]
    Internal,
}

impl CheckError {
    /// Returns the text of a failed check: its name and the reason, without the operation if the name has it.
    #[must_use]
    pub fn of_check(&self, name: &str) -> String {
        let text = format!("{name}: {self}");
        match (self, name.split_once(": ")) {
            (Self::Call(_), Some((_, action))) => {
                text.replacen(&format!(": {action} failed"), ": failed", 1)
            }
            _ => text,
        }
    }
}

/// The number of checks.
const CHECKS: usize = 8;

/// Returns which check to fix first, if others were skipped because of it: these are the last ones.
#[must_use]
pub fn fix_first(failures: &[(&'static str, CheckError)]) -> Option<String> {
    let skipped = failures.iter().filter_map(|(_, error)| match error {
        CheckError::Skipped(number) => Some(*number),
        _ => None,
    });
    let skipped: Vec<usize> = skipped.collect();
    let number = skipped.first()?;
    Some(match skipped.len() {
        1 => format!("Fix check {number} first; check {CHECKS} depends on it"),
        count => format!(
            "Fix check {number} first; checks {} to {CHECKS} depend on it",
            CHECKS + 1 - count
        ),
    })
}

/// The reason why a name of DescribeRegions was refused.
#[derive(Debug, thiserror::Error)]
pub enum RefusedRegion {
    /// The name is not a region code.
    #[error(transparent)]
    Invalid(#[from] ParseNameError),
    /// The name would be shown and written to files.
    #[error("a name that contains credentials is not a region code")]
    Credentials,
}

/// An event of the checks.
pub enum CheckEvent<'a> {
    /// A check is finished.
    Done(&'a Check),
    /// Time has passed while the check of this name waits.
    Waiting(&'static str),
}

/// The checks so far; each is an event when it is added.
pub(super) struct Checks<'a> {
    done: Vec<Check>,
    on_event: &'a mut dyn FnMut(CheckEvent),
    interval: Option<Duration>,
}

impl<'a> Checks<'a> {
    /// Creates an empty list; while a check waits, there is an event at each `interval`.
    pub(super) fn new(on_event: &'a mut dyn FnMut(CheckEvent), interval: Option<Duration>) -> Self {
        Self {
            done: Vec::new(),
            on_event,
            interval,
        }
    }

    /// Waits for the result of a task of the check `name`; `None` if it panicked.
    pub(super) fn join<T>(&mut self, name: &'static str, task: Task<T>) -> Option<T> {
        task.join(self.interval, || (self.on_event)(CheckEvent::Waiting(name)))
    }

    /// Runs `work` of the check `name` on a worker and waits for its result.
    pub(super) fn run<T: Send, E: Into<CheckError> + Send>(
        &mut self,
        name: &'static str,
        workers: &Workers,
        work: impl FnOnce() -> Result<T, E> + Send,
    ) -> Result<T, CheckError> {
        workers.scope(|scope| self.try_join(name, scope.spawn(work)))
    }

    /// Waits like [`Self::join`]; a panic is an error.
    pub(super) fn try_join<T, E: Into<CheckError>>(
        &mut self,
        name: &'static str,
        task: Task<Result<T, E>>,
    ) -> Result<T, CheckError> {
        let result = self.join(name, task).ok_or(CheckError::Internal)?;
        result.map_err(Into::into)
    }

    /// Adds and shows a check. Returns the value of a passed check.
    pub(super) fn add<T>(
        &mut self,
        name: &'static str,
        result: Result<T, CheckError>,
        detail: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let (value, result) = match result {
            Ok(value) => {
                let detail = detail(&value);
                (Some(value), Ok(detail))
            }
            Err(error) => (None, Err(error)),
        };
        let check = Check { name, result };
        (self.on_event)(CheckEvent::Done(&check));
        self.done.push(check);
        value
    }

    /// Adds and shows a failed check.
    pub(super) fn fail(&mut self, name: &'static str, error: CheckError) {
        self.add(name, Err::<(), _>(error), |()| String::new());
    }

    /// Adds those of the checks `names` that were not added, because an earlier one has failed.
    pub(super) fn skip_rest(&mut self, names: &[&'static str]) {
        let Some(failed) = self.first_failed() else {
            return;
        };
        for name in names {
            if !self.done.iter().any(|check| check.name == *name) {
                self.fail(name, CheckError::Skipped(failed));
            }
        }
    }

    /// Returns the number of the first failed check, counted from 1.
    fn first_failed(&self) -> Option<usize> {
        let failed = self.done.iter().position(|check| check.result.is_err());
        failed.map(|index| index + 1)
    }

    /// Returns the failed checks.
    pub(super) fn into_failures(self) -> Vec<(&'static str, CheckError)> {
        let failed = |check: Check| Some((check.name, check.result.err()?));
        self.done.into_iter().filter_map(failed).collect()
    }
}
