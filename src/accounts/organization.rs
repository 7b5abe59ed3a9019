//! The accounts of the caller's organization, page by page.
//!
//! One request at a time: AWS Organizations rejects concurrent requests of one account.

use std::collections::BTreeSet;

use super::list_error::ListError;
use super::member::MemberAccount;
use super::pages::PageCursor;
use super::selection::Units;
use super::unit_names::UnitNames;
use super::units::UnitTree;
use crate::aws::client::Client;
use crate::aws::operation::Operation;
use crate::aws::ops::list_accounts::{ListAccounts, OrganizationAccount, PAGE_SIZE};
use crate::model::{AccountId, Region};
use crate::options::Selection;

/// The maximum number of accounts of a run; the largest quota that AWS grants.
pub const MAX_ACCOUNTS: usize = 10_000;

/// The list of an organization's accounts, as far as it was fetched.
pub struct OrganizationList {
    pages: PageCursor,
    units: Units,
    tree: UnitTree,
    /// The roots and units that have units above the listed accounts.
    parents: BTreeSet<String>,
    names: UnitNames,
    seen: BTreeSet<AccountId>,
    /// The listed accounts in or below the units of the selection.
    in_units: BTreeSet<AccountId>,
    id: Option<String>,
}

impl OrganizationList {
    /// Starts the list, and looks up the organizational units of `selection`.
    ///
    /// # Errors
    /// A unit does not exist, or a call failed.
    pub fn start(
        client: &Client,
        region: &Region,
        selection: &Selection,
    ) -> Result<Self, ListError> {
        let mut tree = UnitTree::default();
        let mut look_up = |units| tree.look_up(client, region, units);
        Ok(Self {
            pages: PageCursor::new(ListAccounts::NAME),
            units: Units::new(
                look_up(&selection.units)?,
                look_up(&selection.excluded_units)?,
            ),
            tree,
            parents: BTreeSet::new(),
            names: UnitNames::default(),
            seen: BTreeSet::new(),
            in_units: BTreeSet::new(),
            id: None,
        })
    }

    /// Returns the ID of the organization, once an account with it was listed.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns true if there may be a further page.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        !self.pages.is_complete()
    }

    /// Returns the IDs of the units whose accounts are selected; empty for all accounts.
    #[must_use]
    pub fn unit_ids(&self) -> &[String] {
        self.units.included()
    }

    /// Returns true if `account` was listed in or below the units of the selection, excluded or not.
    #[must_use]
    pub fn has(&self, account: &AccountId) -> bool {
        self.in_units.contains(account)
    }

    /// Looks up the names of the units above the listed accounts. Without them, paths have IDs.
    pub fn find_unit_names(&mut self, client: &Client, region: &Region) {
        self.names = self.tree.names(client, region, &self.parents);
    }

    /// Returns the names of the units, as far as they were looked up.
    #[must_use]
    pub fn unit_names(&self) -> &UnitNames {
        &self.names
    }

    /// Fetches the next page. Returns its selected accounts, which may be none; `None` after the last page.
    ///
    /// # Errors
    /// A call failed, or a response is inconsistent: then the list is not complete.
    pub fn next_page(
        &mut self,
        client: &Client,
        region: &Region,
        selection: &Selection,
    ) -> Result<Option<Vec<MemberAccount>>, ListError> {
        let page = self.pages.next(|next_token| {
            let request = ListAccounts {
                max_results: PAGE_SIZE,
                next_token,
            };
            let response = client.call(region, &request);
            response.map(|response| response.output)
        })?;
        let Some(page) = page else {
            return Ok(None);
        };
        let redactor = client.redactor();
        let mut members = Vec::new();
        for account in page {
            self.id = self.id.take().or_else(|| organization_id(&account));
            let member = MemberAccount::from_organization(&account, &redactor);
            let member = member.ok_or(ListError::InvalidAccount {
                service: "organizations",
                operation: ListAccounts::NAME,
            })?;
            // A page may repeat an account that was moved while the list was fetched.
            if self.seen.insert(member.id.clone()) {
                members.push(member);
            }
        }
        if self.seen.len() > MAX_ACCOUNTS {
            return Err(ListError::TooManyAccounts(MAX_ACCOUNTS));
        }
        if members.iter().any(|member| member.units.is_empty()) {
            self.units.find_accounts(client, region, &mut self.tree)?;
        }
        members.retain(|member| self.units.includes(member));
        self.in_units
            .extend(members.iter().map(|member| member.id.clone()));
        members.retain(|member| selection.names(&member.id) && !self.units.excludes(member));
        for member in &mut members {
            member.role = selection.role(&member.id).cloned();
            let parents = member.units.windows(2).map(|pair| pair[0].clone());
            self.parents.extend(parents);
        }
        Ok(Some(members))
    }
}

/// Returns the ID of the organization in the ARN of an account.
fn organization_id(account: &OrganizationAccount) -> Option<String> {
    let resource = account.arn.split(':').nth(5)?;
    let id = resource.strip_prefix("account/")?.split('/').next()?;
    let is_valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_id = id.len() <= 34 && id.strip_prefix("o-")?.bytes().all(is_valid);
    is_id.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::aws::client::fake;
    use crate::clock::Clock;
    use crate::http::fake::{Scripted, answer};
    use crate::sync::lock;

    fn throttle(message: &str) -> (u16, String) {
        let code = r#"{"__type":"TooManyRequestsException","Message":""#;
        (400, format!("{code}{message}\"}}"))
    }

    fn page(accounts: &str, rest: &str) -> (u16, String) {
        (200, format!("{{\"Accounts\":[{accounts}]{rest}}}"))
    }

    #[test]
    fn throttled_and_empty_pages_continue_the_list() {
        let answers = [
            page(r#"{"Id":"111111111111"}"#, r#","NextToken":"a""#),
            throttle(
                "AWS Organizations can't complete your request because another request is already in progress. Try \
                 again later.",
            ),
            page("", r#","NextToken":"b""#),
            throttle("You have sent too many requests in too short a period of time."),
            page(r#"{"Id":"222222222222"}"#, r#","NextToken":"c""#),
            page(r#"{"Id":"111111111111"},{"Id":"333333333333"}"#, ""),
        ];
        let (clock, starts) = (fake::clock(), Arc::<Mutex<Vec<u128>>>::default());
        let (script_clock, script_starts) = (clock.clone(), starts.clone());
        let http = Scripted::by(move |_| {
            let mut starts = lock(&script_starts);
            let (status, body) = &answers[starts.len()];
            starts.push(script_clock.elapsed().as_millis());
            answer(*status, body.as_str())
        });
        let client = fake::client(http.clone(), clock);
        let (region, selection) = ("us-east-1".parse().unwrap(), Selection::default());
        let mut list = OrganizationList::start(&client, &region, &selection).unwrap();
        let mut found = Vec::new();
        while let Some(members) = list.next_page(&client, &region, &selection).unwrap() {
            found.push(members.iter().map(|m| m.id.to_string()).collect::<Vec<_>>());
        }
        let expected = [
            &["111111111111"][..],
            &[],
            &["222222222222"],
            &["333333333333"],
        ];
        assert_eq!(found, expected);
        assert!(!list.may_have_more());
        // One request a second after the first throttle.
        assert_eq!(*lock(&starts), [0, 0, 1000, 2000, 3000, 4000]);
        let bodies = http.requests().into_iter().map(|request| request.body);
        let bodies: Vec<_> = bodies
            .map(|body| String::from_utf8(body).unwrap())
            .collect();
        assert_eq!(bodies[0], r#"{"MaxResults":20}"#);
        assert_eq!(bodies[1], r#"{"MaxResults":20,"NextToken":"a"}"#);
        assert_eq!(bodies[5], r#"{"MaxResults":20,"NextToken":"c"}"#);
    }

    #[test]
    fn organization_is_read_from_arn() {
        for (arn, id) in [
            (
                "arn:aws:organizations::111111111111:account/o-abcdefghij/222222222222",
                Some("o-abcdefghij"),
            ),
            (
                "arn:aws-us-gov:organizations::111111111111:account/o-abcdefghij/222222222222",
                Some("o-abcdefghij"),
            ),
            ("arn:aws:organizations::1:account/../x", None),
            ("", None),
        ] {
            let account = OrganizationAccount {
                arn: arn.to_owned(),
                ..OrganizationAccount::default()
            };
            assert_eq!(organization_id(&account).as_deref(), id, "{arn}");
        }
    }
}
