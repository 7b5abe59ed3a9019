//! The accounts of profiles in the shared files.
//!
//! Several profiles may be of one account: it is counted once, with the first of them in the order of the files.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::member::MemberAccount;
use super::status::AccountStatus;
use crate::aws::client::Client;
use crate::aws::config_file::SharedFiles;
use crate::model::{AccountId, Region};
use crate::options::Selection;
use crate::redact;
use crate::sync::lock;
use crate::text::{did_you_mean, list, near_matches, pluralize, sanitize};

/// The maximum length of the name of a profile, in characters.
const MAX_NAME: usize = 128;

/// The maximum number of profiles that a detail or an error names.
const MAX_NAMED: usize = 20;

/// The reason why the profiles of a run cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfilesError {
    /// No profile matches a pattern.
    #[error(
        "no profile matches \"{pattern}\" in {config} or {credentials}{found}; check --profiles"
    )]
    NoMatch {
        /// The pattern.
        pattern: String,
        /// The config file, with the reason why it is ignored.
        config: String,
        /// The credentials file, with the reason why it is ignored.
        credentials: String,
        /// The profiles of the files, and those with a similar name.
        found: String,
    },
    /// No profile can be used.
    #[error("none of {} can be used; the first: {first}", pluralize(*.profiles, "profile"))]
    NoneUsable {
        /// The number of profiles.
        profiles: usize,
        /// The first profile and the reason.
        first: String,
    },
}

/// Returns the names of the profiles that match one of `patterns`, in the order of the files.
///
/// # Errors
/// A pattern matches no profile.
pub fn select<'a>(
    patterns: &[String],
    files: &'a SharedFiles,
) -> Result<Vec<&'a str>, ProfilesError> {
    let names = files.profiles_in_order();
    for pattern in patterns {
        if !names.iter().any(|name| matches(pattern, name)) {
            return Err(no_match(pattern, &names, files));
        }
    }
    let is_selected = |name: &&str| patterns.iter().any(|pattern| matches(pattern, name));
    Ok(names.into_iter().filter(is_selected).collect())
}

fn no_match(pattern: &str, names: &[&str], files: &SharedFiles) -> ProfilesError {
    let names: Vec<String> = names.iter().map(|name| shown(name)).collect();
    let near = did_you_mean(&near_matches(pattern, names.iter().map(String::as_str)));
    let names = list(names, MAX_NAMED);
    ProfilesError::NoMatch {
        pattern: shown(pattern),
        config: files.config.to_string(),
        credentials: files.credentials.to_string(),
        found: match names.as_str() {
            "" => String::new(),
            names => format!(" (found: {names}{near})"),
        },
    }
}

/// Returns true if `name` matches `pattern`: `*` matches any text, `?` one character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    // The position after the last `*`, and the position in the name from which it is tried.
    let mut star = None;
    let (mut p, mut n) = (0, 0);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((after, from)) = star else {
                    return false;
                };
                star = Some((after, from + 1));
                (p, n) = (after, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// A profile with its account, or with the reason why it cannot be used.
pub struct CheckedProfile {
    /// The name.
    pub name: String,
    /// The account that the settings of the profile name.
    pub expected: Option<AccountId>,
    /// The client and the account, or the status and the reason.
    pub result: Result<UsableProfile, (AccountStatus, String)>,
}

/// A profile that can be used.
pub struct UsableProfile {
    /// The client.
    pub client: Arc<Client>,
    /// The region of its first calls.
    pub region: Region,
    /// The account.
    pub account: AccountId,
}

/// A profile that cannot be used, and whose account is counted with no other profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableProfile {
    /// The account, if the settings of the profile name it.
    pub account: Option<AccountId>,
    /// The access: `profile NAME`.
    pub access: String,
    /// The status.
    pub status: AccountStatus,
    /// The reason and what to do about it.
    pub detail: String,
}

/// The accounts of profiles.
pub struct ProfileAccounts {
    /// The accounts that can be counted, in the order of their profiles.
    pub members: Vec<MemberAccount>,
    /// The profiles that cannot be used.
    pub unusable: Vec<UnusableProfile>,
    /// The access to the accounts.
    pub access: ProfileAccess,
}

/// The profile of each account.
pub struct ProfileAccess {
    profiles: BTreeMap<AccountId, ProfileClient>,
    start_region: Region,
}

struct ProfileClient {
    name: String,
    region: Region,
    client: Mutex<Option<Arc<Client>>>,
}

impl ProfileAccess {
    /// Describes the access to an account: `profile NAME`.
    #[must_use]
    pub fn describe(&self, account: &AccountId) -> String {
        let profile = self.profiles.get(account);
        profile.map_or(String::new(), |profile| describe(&profile.name))
    }

    /// Returns the region of the first calls in an account.
    #[must_use]
    pub fn region(&self, account: &AccountId) -> &Region {
        let profile = self.profiles.get(account);
        profile.map_or(&self.start_region, |profile| &profile.region)
    }

    /// Returns the client of an account, unless it was released.
    #[must_use]
    pub fn client(&self, account: &AccountId) -> Option<Arc<Client>> {
        lock(&self.profiles.get(account)?.client).clone()
    }

    /// Drops the credentials of an account.
    pub fn release(&self, account: &AccountId) {
        if let Some(profile) = self.profiles.get(account) {
            lock(&profile.client).take();
        }
    }
}

impl ProfileAccounts {
    /// Groups `profiles`, in the order of the files, by account.
    #[must_use]
    pub fn new(profiles: Vec<CheckedProfile>, selection: &Selection, start_region: Region) -> Self {
        let mut found = BTreeMap::new();
        let mut accounts = Vec::new();
        let mut others: BTreeMap<AccountId, Vec<String>> = BTreeMap::new();
        let mut failed = Vec::new();
        for profile in profiles {
            match profile.result {
                Ok(usable) if found.contains_key(&usable.account) => {
                    others
                        .entry(usable.account)
                        .or_default()
                        .push(shown(&profile.name));
                }
                Ok(usable) => {
                    accounts.push(usable.account.clone());
                    let client = ProfileClient {
                        name: profile.name,
                        region: usable.region,
                        client: Mutex::new(Some(usable.client)),
                    };
                    found.insert(usable.account, client);
                }
                Err((status, detail)) => failed.push(UnusableProfile {
                    account: profile.expected,
                    access: describe(&profile.name),
                    status,
                    detail,
                }),
            }
        }
        let access = ProfileAccess {
            profiles: found,
            start_region,
        };
        let unusable = access.without_counted(failed, selection, &mut others);
        let member = |id: AccountId| MemberAccount {
            note: others.get(&id).map_or(String::new(), |names| note(names)),
            ..MemberAccount::new(id)
        };
        let accounts = accounts.into_iter().filter(|id| selection.names(id));
        Self {
            members: accounts.map(member).collect(),
            unusable,
            access,
        }
    }
}

impl ProfileAccess {
    /// Returns the failed profiles whose account is selected and has no other profile; adds the others to `others`.
    fn without_counted(
        &self,
        failed: Vec<UnusableProfile>,
        selection: &Selection,
        others: &mut BTreeMap<AccountId, Vec<String>>,
    ) -> Vec<UnusableProfile> {
        let mut unusable: Vec<UnusableProfile> = Vec::new();
        for profile in failed {
            let same = |other: &&mut UnusableProfile| {
                other.account.is_some() && other.account == profile.account
            };
            match &profile.account {
                Some(account) if self.profiles.contains_key(account) => {
                    let name = profile.access.trim_start_matches("profile ");
                    let text = format!("{name} (cannot be used: {})", profile.detail);
                    others.entry(account.clone()).or_default().push(text);
                }
                Some(account) if !selection.names(account) => {}
                _ => match unusable.iter_mut().find(same) {
                    Some(first) => first.detail = format!("{}; {}", first.detail, profile.detail),
                    None => unusable.push(profile),
                },
            }
        }
        unusable
    }
}

fn describe(name: &str) -> String {
    format!("profile {}", shown(name))
}

/// Returns the name of a profile as it is shown and written to files.
#[must_use]
pub fn shown(name: &str) -> String {
    sanitize(&redact::setting(name), MAX_NAME)
}

/// Names the other profiles of an account.
fn note(names: &[String]) -> String {
    let noun = if names.len() == 1 {
        "profile"
    } else {
        "profiles"
    };
    format!("other {noun} of this account: {}", list(names, MAX_NAMED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_matches_whole_name() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "any", true),
            ("team-*", "team-1", true),
            ("team-*", "team-", true),
            ("team-*", "a-team-1", false),
            ("*-audit", "a-audit-audit", true),
            ("*-audit", "a-audit-x", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("te?m", "team", true),
            ("te?m", "tem", false),
            ("é?", "éa", true),
            ("exact", "exact", true),
            ("exact", "exactly", false),
            ("[ab]", "a", false),
            ("[ab]", "[ab]", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn unusable_profile_without_other_profile_is_kept() {
        let id = |text: &str| text.parse::<AccountId>().unwrap();
        let failed = |name: &str, expected: Option<&str>| CheckedProfile {
            name: name.to_owned(),
            expected: expected.map(id),
            result: Err((AccountStatus::Failed, "no credentials".to_owned())),
        };
        let profiles = vec![
            failed("a", None),
            failed("b", Some("111111111111")),
            failed("c", Some("222222222222")),
        ];
        let selection = Selection {
            excluded: [id("222222222222")].into(),
            ..Selection::default()
        };
        let accounts = ProfileAccounts::new(profiles, &selection, "us-east-1".parse().unwrap());
        assert!(accounts.members.is_empty());
        let found: Vec<_> = accounts
            .unusable
            .iter()
            .map(|profile| (profile.access.as_str(), profile.account.clone()))
            .collect();
        assert_eq!(
            found,
            [("profile a", None), ("profile b", Some(id("111111111111")))]
        );
    }
}
