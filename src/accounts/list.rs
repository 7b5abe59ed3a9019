//! The list of the accounts of a run, from its source, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::list_error::ListError;
use super::member::MemberAccount;
use super::organization::Organization;
use super::pages::PageCursor;
use super::profiles::ProfileAccounts;
use super::selection;
use super::sso_session;
use super::unit_names::UnitNames;
use crate::aws::client::Client;
use crate::aws::credentials::SsoPortal;
use crate::aws::operation::Operation;
use crate::aws::ops::list_accounts::ListAccounts;
use crate::model::{AccountId, Region};
use crate::options::{AccountOptions, AccountSource, Selection};
use crate::text::encode_file_name;

/// The maximum length of a scope, in bytes: it is part of file names.
const MAX_SCOPE: usize = 150;

/// The maximum number of accounts of a run; the largest quota that AWS grants.
const MAX_ACCOUNTS: usize = 10_000;

/// The list of the accounts of a run.
pub struct AccountList {
    source: ListSource,
    selection: Selection,
    /// The accounts that were listed, selected or not.
    seen: BTreeSet<AccountId>,
}

enum ListSource {
    /// The caller's organization.
    Organization(PageCursor, Box<Organization>),
    /// The accounts that are assigned to a user of IAM Identity Center.
    Sso(PageCursor, Arc<SsoPortal>),
    /// The accounts that the options name, or those of profiles: the scope, and the only page; `None` once it was
    /// returned.
    Fixed(&'static str, Option<Vec<MemberAccount>>),
}

impl AccountList {
    /// Starts the list of an organization, or of the accounts that the options name. `client` signs the calls of AWS
    /// Organizations in `region`.
    ///
    /// # Errors
    /// An organizational unit does not exist, or a call failed.
    pub fn start(
        client: Arc<Client>,
        region: Region,
        options: &AccountOptions,
    ) -> Result<Self, ListError> {
        let selection = options.selection.clone();
        if options.source == AccountSource::Organization {
            return Self::of_organization(client, region, selection);
        }
        let named = selection::named(&selection);
        Ok(Self {
            seen: named.iter().map(|member| member.id.clone()).collect(),
            source: ListSource::Fixed("accounts", Some(named)),
            selection,
        })
    }

    fn of_organization(
        client: Arc<Client>,
        region: Region,
        selection: Selection,
    ) -> Result<Self, ListError> {
        let organization = Organization::new(client, region, &selection)?;
        let pages = PageCursor::new("organizations", ListAccounts::NAME);
        Ok(Self {
            source: ListSource::Organization(pages, Box::new(organization)),
            selection,
            seen: BTreeSet::new(),
        })
    }

    /// Creates the list of the accounts that are assigned to a user of IAM Identity Center.
    #[must_use]
    pub fn of_sso(options: &AccountOptions, portal: Arc<SsoPortal>) -> Self {
        Self {
            source: ListSource::Sso(PageCursor::new("sso", "ListAccounts"), portal),
            selection: options.selection.clone(),
            seen: BTreeSet::new(),
        }
    }

    /// Creates the list of the accounts of profiles; the caller has its only page.
    #[must_use]
    pub fn of_profiles(options: &AccountOptions, accounts: &ProfileAccounts) -> Self {
        let unusable = accounts.unusable.iter();
        let unusable = unusable.flat_map(|profile| &profile.account);
        let members = accounts.members.iter().map(|member| &member.id);
        Self {
            source: ListSource::Fixed("profiles", None),
            selection: options.selection.clone(),
            seen: members.chain(unusable).cloned().collect(),
        }
    }

    /// Fetches the next accounts, which may be none; `None` after the last ones.
    ///
    /// # Errors
    /// The list cannot be fetched completely.
    pub fn next_page(&mut self) -> Result<Option<Vec<MemberAccount>>, ListError> {
        let page = match &mut self.source {
            ListSource::Organization(pages, list) => pages.next(|token| list.fetch(token))?,
            ListSource::Sso(pages, portal) => {
                pages.next(|token| sso_session::fetch(portal, token))?
            }
            ListSource::Fixed(_, page) => return Ok(page.take()),
        };
        let Some(mut members) = page else {
            return Ok(None);
        };
        // A page may repeat an account that was moved while the list was fetched.
        members.retain(|member| self.seen.insert(member.id.clone()));
        if self.seen.len() > MAX_ACCOUNTS {
            return Err(ListError::TooManyAccounts(MAX_ACCOUNTS));
        }
        match &mut self.source {
            ListSource::Organization(_, list) => list.select(&mut members, &self.selection)?,
            _ => members.retain(|member| self.selection.names(&member.id)),
        }
        for member in &mut members {
            member.role = self.selection.role(&member.id).cloned();
        }
        Ok(Some(members))
    }

    /// Looks up the names of the organizational units of the listed accounts. A failure is not reported: the names are a
    /// convenience.
    pub fn find_unit_names(&mut self) {
        if let ListSource::Organization(_, list) = &mut self.source {
            list.find_unit_names();
        }
    }

    /// Returns the names of the organizational units, as far as they were looked up.
    #[must_use]
    pub fn unit_names(&self) -> UnitNames {
        match &self.source {
            ListSource::Organization(_, list) => list.unit_names().clone(),
            ListSource::Sso(..) | ListSource::Fixed(..) => UnitNames::default(),
        }
    }

    /// Returns true if a further page may have accounts.
    #[must_use]
    pub fn may_have_more(&self) -> bool {
        match &self.source {
            ListSource::Organization(pages, _) | ListSource::Sso(pages, _) => !pages.is_complete(),
            ListSource::Fixed(_, page) => page.is_some(),
        }
    }

    /// Returns the scope of the accounts, for file names: the organization, its units, `accounts`,
    /// `profiles` or `sso-NAME`.
    #[must_use]
    pub fn scope(&self) -> String {
        match &self.source {
            ListSource::Organization(_, list) => {
                let units = list.unit_ids().join("_");
                if units.is_empty() || units.len() > MAX_SCOPE {
                    list.id().unwrap_or("organization").to_owned()
                } else {
                    units
                }
            }
            ListSource::Sso(_, portal) => format!("sso-{}", encode_file_name(portal.name())),
            ListSource::Fixed(scope, _) => (*scope).to_owned(),
        }
    }

    /// Returns the accounts that the options name and that are not in the complete list.
    #[must_use]
    pub fn not_found(&self) -> Vec<AccountId> {
        let is_found = |id: &AccountId| match &self.source {
            ListSource::Organization(_, list) => list.has(id),
            ListSource::Sso(..) | ListSource::Fixed(..) => self.seen.contains(id),
        };
        let named = self.selection.only.iter().flat_map(|only| only.keys());
        let is_missing = |id: &&AccountId| self.selection.names(id) && !is_found(id);
        named.filter(is_missing).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

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
        let client = Arc::new(fake::client(http.clone(), clock));
        let (region, selection) = ("us-east-1".parse().unwrap(), Selection::default());
        let mut list = AccountList::of_organization(client, region, selection).unwrap();
        let mut found = Vec::new();
        while let Some(members) = list.next_page().unwrap() {
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
}
