//! An account of a run of many accounts.

use crate::aws::ops::list_accounts::OrganizationAccount;
use crate::model::{AccountId, RoleName};
use crate::secret::Redactor;
use crate::untrusted::Untrusted;

/// The state of an account that can be used.
pub const ACTIVE: &str = "ACTIVE";

/// The maximum length of a name, in characters; AWS allows 128.
const MAX_NAME: usize = 200;

/// The maximum length of a state, in characters.
const MAX_STATE: usize = 40;

/// An account of a run of many accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberAccount {
    /// The account ID.
    pub id: AccountId,
    /// The name in the organization, as one line; empty if it is not known.
    pub name: String,
    /// The IDs of the root and the organizational units above the account, from the root down; empty if they are not
    /// known.
    pub units: Vec<String>,
    /// The state, such as `ACTIVE` or `SUSPENDED`.
    pub state: String,
    /// The role to assume in this account instead of the role of the run.
    pub role: Option<RoleName>,
    /// A note for the detail in the file of the accounts; empty for none.
    pub note: String,
}

impl MemberAccount {
    /// Creates an account of which only the ID is known.
    #[must_use]
    pub fn new(id: AccountId) -> Self {
        Self {
            id,
            name: String::new(),
            units: Vec::new(),
            state: ACTIVE.to_owned(),
            role: None,
            note: String::new(),
        }
    }

    /// Creates the account that AWS Organizations returned; `redactor` removes credentials from its texts. Returns `None`
    /// if its ID is not an account ID.
    #[must_use]
    pub fn from_organization(account: &OrganizationAccount, redactor: &Redactor) -> Option<Self> {
        let shown = |text: &str, limit| {
            let text: Untrusted = text.into();
            text.redact(redactor).shown(limit)
        };
        // The retired member is used only if there is no state.
        let states = [&account.state, &account.status];
        let state = states.into_iter().flatten().find(|state| !state.is_empty());
        let paths = account.paths.as_deref().unwrap_or_default();
        Some(Self {
            id: account.id.parse().ok()?,
            name: account.name.redact(redactor).shown(MAX_NAME),
            units: paths.first().map(|path| unit_ids(path)).unwrap_or_default(),
            state: state.map_or(ACTIVE.to_owned(), |state| shown(state, MAX_STATE)),
            role: None,
            note: String::new(),
        })
    }

    /// Returns the account with a name, as one line; `redactor` removes credentials from it.
    #[must_use]
    pub fn with_name(mut self, name: &Untrusted, redactor: &Redactor) -> Self {
        self.name = name.redact(redactor).shown(MAX_NAME);
        self
    }

    /// Returns true if the account can be used. An account without a state is tried.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == ACTIVE
    }

    /// Returns the IDs of the root and the organizational units, joined by slashes: `/r-ab12/ou-ab12-11111111`.
    #[must_use]
    pub fn ou_path(&self) -> String {
        let mut path = self.units.join("/");
        if !path.is_empty() {
            path.insert(0, '/');
        }
        path
    }
}

/// Returns the IDs of the root and the units in `path`, such as `o-abc/r-ab12/ou-ab12-11111111/111111111111/`.
fn unit_ids(path: &str) -> Vec<String> {
    let is_unit = |part: &&str| part.starts_with("r-") || part.starts_with("ou-");
    let is_id = |part: &&str| {
        let is_valid = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        part.len() <= 70 && part.bytes().all(is_valid)
    };
    let parts = path.split('/').filter(is_unit).filter(is_id);
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(json: &str) -> OrganizationAccount {
        serde_json::from_str(json).unwrap()
    }

    fn member(json: &str) -> Option<MemberAccount> {
        MemberAccount::from_organization(&account(json), &Redactor::default())
    }

    #[test]
    fn state_precedes_status() {
        for (json, state) in [
            (r#"{"Id":"111111111111"}"#, "ACTIVE"),
            (r#"{"Id":"111111111111","Status":"SUSPENDED"}"#, "SUSPENDED"),
            (
                r#"{"Id":"111111111111","Status":"ACTIVE","State":"PENDING_ACTIVATION"}"#,
                "PENDING_ACTIVATION",
            ),
            (
                r#"{"Id":"111111111111","State":"CLO\u001bSED"}"#,
                "CLO\\u{1b}SED",
            ),
        ] {
            let member = member(json).unwrap();
            assert_eq!(member.state, state, "{json}");
            assert_eq!(member.is_active(), state == ACTIVE, "{json}");
        }
        assert_eq!(member(r#"{"Id":"../x"}"#), None);
    }

    #[test]
    fn units_come_from_the_first_path() {
        let json = r#"{"Id":"111111111111","Name":"a\nb",
            "Paths":["o-abc/r-ab12/ou-ab12-11111111/ou-ab12-22222222/111111111111/"]}"#;
        let member = member(json).unwrap();
        assert_eq!(
            member.ou_path(),
            "/r-ab12/ou-ab12-11111111/ou-ab12-22222222"
        );
        assert_eq!(member.name, "a b");
    }

    #[test]
    fn name_is_redacted() {
        let redactor = Redactor::for_secret(&"the-key-of-a-test".into());
        let account = account(r#"{"Id":"111111111111","Name":"x the-key-of-a-test"}"#);
        let member = MemberAccount::from_organization(&account, &redactor).unwrap();
        assert_eq!(member.name, "x ****");
    }
}
