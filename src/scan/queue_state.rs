//! The accounts of a scan in order, and the choice of the next work.
//!
//! - The counting steps of an account come before those of the next one, and its recorder steps follow them.
//! - An account is opened (access, regions) when those before it have little work left, or none that can start. Then the
//!   requests on which others wait come first: the alias, the first type of each region, and the recorders. So the
//!   workers need not wait for an account while there is another one.
//! - With one worker (a replay) an account is opened when the one before it is done, and the order of the requests is always
//!   the same.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::account::AccountScan;
use super::account_work::{AccountWork, OpenAccount};
use super::feed::{FindAliasFn, Opened};
use super::message::ScanEvent;
use super::step::Step;
use crate::accounts::MemberAccount;
use crate::model::Region;

/// The maximum number of accounts that are open at the same time; it bounds the memory of a scan.
const MAX_OPEN: usize = 200;

/// One account is open ahead for this number of workers. Before it can be counted it needs four requests one after
/// another; meanwhile each worker takes four of the 200 steps of an account of 17 regions and ten types.
const WORKERS_PER_ACCOUNT: usize = 40;

/// The accounts in order.
pub(super) struct QueueState {
    accounts: Vec<AccountWork>,
    /// The number of accounts at the start of the list that are done.
    first: usize,
    pub(super) list: ListState,
    /// The number of open accounts.
    open: usize,
    /// The number of accounts that are open ahead: after the first one with work that can start.
    ahead: usize,
    /// The number of workers that wait for work.
    pub(super) idle: usize,
}

/// The state of the list of accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ListState {
    /// There may be another page.
    HasMore,
    /// A worker fetches the next page.
    IsFetched,
    /// All accounts are in the queue, or the list failed.
    HasEnded,
}

/// Work that a worker performs without the mutex.
pub(super) enum Work {
    /// Fetches the next accounts.
    List,
    /// Opens an account.
    Open(usize, MemberAccount),
    /// Requests the alias of an account.
    Alias(usize, Box<FindAliasFn>),
    /// Performs a step of a region of an account, which has this index.
    Step(Arc<AccountScan>, Region, usize, Step),
}

/// Creates the work of a step of a region, which has this index.
fn step_of(account: &OpenAccount, index: usize, step: Step) -> Work {
    let region = account.region(index).clone();
    Work::Step(account.scan().clone(), region, index, step)
}

impl QueueState {
    /// Creates the state for one account.
    pub(super) fn of_account(account: OpenAccount) -> Self {
        let account = if account.is_done() {
            AccountWork::Done
        } else {
            AccountWork::Open(account)
        };
        Self {
            accounts: vec![account],
            list: ListState::HasEnded,
            ..Self::of_list(1)
        }
    }

    /// Creates the state for a list of accounts, of which none is fetched, and a number of workers.
    pub(super) fn of_list(workers: usize) -> Self {
        Self {
            accounts: Vec::new(),
            first: 0,
            list: ListState::HasMore,
            open: 0,
            ahead: workers / WORKERS_PER_ACCOUNT,
            idle: 0,
        }
    }

    /// Adds the next accounts of the list; those that are not scanned are done.
    pub(super) fn add(
        &mut self,
        members: &[MemberAccount],
        is_scanned: impl Fn(&MemberAccount) -> bool,
    ) {
        let work = |member: &MemberAccount| {
            if is_scanned(member) {
                AccountWork::Waiting(member.clone())
            } else {
                AccountWork::Done
            }
        };
        self.accounts.extend(members.iter().map(work));
        self.skip_done();
        self.list = ListState::HasMore;
    }

    /// Returns an account if it is scanned.
    pub(super) fn account(&mut self, number: usize) -> Option<&mut OpenAccount> {
        self.accounts[number].open_mut()
    }

    /// Returns true if all accounts are done.
    pub(super) fn is_done(&self) -> bool {
        self.list == ListState::HasEnded && self.first == self.accounts.len()
    }

    /// Takes the first work that can start.
    pub(super) fn next(&mut self) -> Option<Work> {
        if self.list == ListState::HasMore {
            self.list = ListState::IsFetched;
            return Some(Work::List);
        }
        let (mut first, mut with_work) = (None, 0);
        for (number, account) in self.accounts.iter_mut().enumerate().skip(self.first) {
            match account {
                AccountWork::Waiting(_) if self.open >= MAX_OPEN => break,
                AccountWork::Waiting(member) => {
                    let member = member.clone();
                    *account = AccountWork::Opening;
                    self.open += 1;
                    return Some(Work::Open(number, member));
                }
                AccountWork::Open(open) => {
                    if let Some(find) = open.next_alias() {
                        return Some(Work::Alias(number, find));
                    }
                    if self.ahead > 0
                        && let Some((index, step)) = open.next_first()
                    {
                        return Some(step_of(open, index, step));
                    }
                    if open.has_step() {
                        first = first.or(Some(number));
                        with_work += 1;
                    }
                }
                AccountWork::Opening if first.is_some() => with_work += 1,
                AccountWork::Opening | AccountWork::Done => {}
            }
            if with_work > self.ahead {
                break;
            }
        }
        let open = self.account(first?)?;
        let (index, step) = open.next()?;
        Some(step_of(open, index, step))
    }

    /// Returns true if work can start.
    pub(super) fn has_work(&self) -> bool {
        self.list == ListState::HasMore
            || self.accounts[self.first..]
                .iter()
                .any(|account| match account {
                    AccountWork::Open(open) => open.has_step(),
                    AccountWork::Waiting(_) => self.open < MAX_OPEN,
                    AccountWork::Opening | AccountWork::Done => false,
                })
    }

    /// Adds the regions of an account that was opened.
    pub(super) fn add_opened(
        &mut self,
        number: usize,
        mut opened: Opened,
        events: &Sender<ScanEvent>,
    ) {
        let _ = events.send(ScanEvent::Opened {
            number,
            regions: opened.regions.len(),
            skipped_regions: opened.skipped_regions,
        });
        for entry in opened.errors.drain(..) {
            let _ = events.send(ScanEvent::Logged(number, entry));
        }
        self.accounts[number] = AccountWork::Open(OpenAccount::of_list(opened));
    }

    /// Closes an account if all its work is done.
    pub(super) fn finish(&mut self, number: usize, events: &Sender<ScanEvent>) {
        if let Some(open) = self.account(number).filter(|open| open.is_done()) {
            for event in open.close() {
                let _ = events.send(event);
            }
            self.close(number);
        }
    }

    /// Closes the accounts that are still open. Returns their last events.
    pub(super) fn close_all(&mut self) -> Vec<ScanEvent> {
        let open = self.accounts.iter_mut().filter_map(AccountWork::open_mut);
        open.flat_map(OpenAccount::close).collect()
    }

    /// Marks an account as done.
    pub(super) fn close(&mut self, number: usize) {
        self.accounts[number] = AccountWork::Done;
        self.open = self.open.saturating_sub(1);
        self.skip_done();
    }

    /// Skips the accounts at the start of the list that are done.
    fn skip_done(&mut self) {
        let done = |account: &&AccountWork| matches!(account, AccountWork::Done);
        self.first += self.accounts[self.first..].iter().take_while(done).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use crate::aws::client::fake::{client, clock};
    use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
    use crate::http::fake::{Scripted, answer};
    use crate::interrupt::Interrupt;
    use crate::inventory::{Method, Prefetched};
    use crate::model::ResourceTypes;
    use crate::scan::account::Flags;

    /// An account with two regions, and two types in each.
    fn opened(number: usize) -> Opened {
        let clock = clock();
        let types = ["AWS::S3::Bucket", "AWS::EC2::VPC"].map(|name| name.parse().unwrap());
        Opened {
            scan: Arc::new(AccountScan {
                number,
                client: Arc::new(client(
                    Scripted::by(|_| answer(200, r#"{"ConfigurationRecorders": []}"#)),
                    clock.clone(),
                )),
                method: Method::List,
                types: ResourceTypes::Named(types.into()),
                region_concurrency: 2,
                time: Duration::from_hours(1),
                prefetched: Prefetched::default(),
                clock,
                interrupt: Interrupt::default(),
                flags: Flags::default(),
            }),
            regions: ["eu-west-1", "us-east-1"]
                .map(|r| r.parse().unwrap())
                .into(),
            missing: Vec::new(),
            skipped_regions: 0,
            find_alias: Box::new(|| Ok(None)),
            errors: Vec::new(),
        }
    }

    fn describe(work: &Work) -> String {
        match work {
            Work::List => "list".to_owned(),
            Work::Open(number, _) => format!("{number} open"),
            Work::Alias(number, _) => format!("{number} alias"),
            Work::Step(account, region, _, step) => {
                let step = match step {
                    Step::Page(listing) => listing.resource_type().as_str().to_owned(),
                    Step::Recorder(_) => "recorder".to_owned(),
                    Step::Counts(_) | Step::Recheck(_) => "other".to_owned(),
                };
                format!("{} {region} {step}", account.number)
            }
        }
    }

    /// Returns the work of three accounts in order; an account is opened at once, and no step ends.
    fn order(workers: usize) -> Vec<String> {
        let mut state = QueueState::of_list(workers);
        let (events, _received) = std::sync::mpsc::channel();
        let mut order = Vec::new();
        while let Some(work) = state.next() {
            order.push(describe(&work));
            match work {
                Work::List => {
                    let ids = ["111111111111", "222222222222", "333333333333"];
                    let members = ids.map(|id| MemberAccount::new(id.parse().unwrap()));
                    state.add(&members, |_| true);
                    state.list = ListState::HasEnded;
                }
                Work::Open(number, _) => state.add_opened(number, opened(number), &events),
                Work::Alias(..) | Work::Step(..) => {}
            }
        }
        order
    }

    fn of(number: usize, work: &[&str]) -> Vec<String> {
        work.iter().map(|work| format!("{number} {work}")).collect()
    }

    #[test]
    fn accounts_follow_one_another_without_workers_to_spare() {
        let work = [
            "open",
            "alias",
            "eu-west-1 AWS::S3::Bucket",
            "eu-west-1 AWS::EC2::VPC",
            "us-east-1 AWS::S3::Bucket",
            "us-east-1 AWS::EC2::VPC",
            "eu-west-1 recorder",
            "us-east-1 recorder",
        ];
        let mut expected = vec!["list".to_owned()];
        expected.extend((0..3).flat_map(|n| of(n, &work)));
        assert_eq!(order(1), expected);
    }

    #[test]
    fn next_account_begins_before_rest_of_first() {
        let first = [
            "open",
            "alias",
            "eu-west-1 AWS::S3::Bucket",
            "us-east-1 AWS::S3::Bucket",
            "eu-west-1 recorder",
            "us-east-1 recorder",
        ];
        let rest = ["eu-west-1 AWS::EC2::VPC", "us-east-1 AWS::EC2::VPC"];
        let mut expected = vec!["list".to_owned()];
        for (n, work) in [
            (0, &first[..]),
            (1, &first),
            (0, &rest),
            (2, &first),
            (1, &rest),
            (2, &rest),
        ] {
            expected.extend(of(n, work));
        }
        assert_eq!(order(WORKERS_PER_ACCOUNT), expected);
    }

    #[test]
    fn time_of_account_begins_with_its_turn() {
        let mut account = OpenAccount::of_list(opened(0));
        while account.next_first().is_some() {}
        let scan = account.scan().clone();
        let region = "eu-west-1".parse().unwrap();
        let is_called = || {
            scan.clock.sleep(scan.time * 2);
            let operation = DescribeConfigurationRecorders {};
            scan.client.call(&region, &operation).is_ok()
        };
        assert!(is_called(), "waits for the accounts before it");
        assert!(account.next().is_some());
        assert!(!is_called(), "used up its time");
    }
}
