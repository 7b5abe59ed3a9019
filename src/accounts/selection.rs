//! Selects accounts from a list.

use std::collections::BTreeSet;

use super::list_error::ListError;
use super::member::MemberAccount;
use super::units::UnitTree;
use crate::model::{AccountId, RoleName};
use crate::options::Selection;

/// The units of a selection, by ID.
#[derive(Debug, Default)]
pub struct Units {
    /// Accounts in or below them are selected; if empty, all.
    included: Vec<String>,
    /// Accounts in or below them are skipped.
    excluded: Vec<String>,
    /// The accounts in or below the units, from the tree; `None` until it is needed.
    tree: Option<(BTreeSet<AccountId>, BTreeSet<AccountId>)>,
}

impl Units {
    /// Creates the units with these IDs. A path and an ID may name the same unit.
    #[must_use]
    pub fn new(mut included: Vec<String>, excluded: Vec<String>) -> Self {
        // The order of the options does not change the names of the files.
        included.sort_unstable();
        included.dedup();
        Self {
            included,
            excluded,
            tree: None,
        }
    }

    /// Returns the IDs of the units whose accounts are selected; empty for all accounts.
    #[must_use]
    pub fn included(&self) -> &[String] {
        &self.included
    }

    /// Fetches the accounts below the units, once. Accounts without a path in the list need them.
    ///
    /// # Errors
    /// The tree could not be fetched completely.
    pub fn find_accounts(&mut self, tree: &mut UnitTree) -> Result<(), ListError> {
        if self.tree.is_none() {
            let included = tree.accounts_below(&self.included)?;
            self.tree = Some((included, tree.accounts_below(&self.excluded)?));
        }
        Ok(())
    }

    /// Returns true if `member` is in or below a unit whose accounts are selected.
    #[must_use]
    pub fn includes(&self, member: &MemberAccount) -> bool {
        let below = self.tree.as_ref().map(|(included, _)| included);
        self.included.is_empty() || is_below(member, &self.included, below)
    }

    /// Returns true if `member` is in or below a unit whose accounts are skipped.
    #[must_use]
    pub fn excludes(&self, member: &MemberAccount) -> bool {
        let below = self.tree.as_ref().map(|(_, excluded)| excluded);
        is_below(member, &self.excluded, below)
    }
}

/// Returns true if `member` is in or below one of the units `ids`: by its path, else by the accounts `below` them.
fn is_below(member: &MemberAccount, ids: &[String], below: Option<&BTreeSet<AccountId>>) -> bool {
    if member.units.is_empty() {
        below.is_some_and(|below| below.contains(&member.id))
    } else {
        ids.iter().any(|id| member.units.contains(id))
    }
}

/// Returns the accounts that the selection names, without those that it excludes.
#[must_use]
pub fn named(selection: &Selection) -> Vec<MemberAccount> {
    let named = selection.only.iter().flatten();
    let named = named.filter(|(id, _)| !selection.excluded.contains(*id));
    let member = |(id, role): (&AccountId, &Option<RoleName>)| MemberAccount {
        role: role.clone(),
        ..MemberAccount::new(id.clone())
    };
    named.map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, units: &[&str]) -> MemberAccount {
        MemberAccount {
            units: units.iter().map(|unit| (*unit).to_owned()).collect(),
            ..MemberAccount::new(id.parse().unwrap())
        }
    }

    fn units(included: &[&str], excluded: &[&str]) -> Units {
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        Units {
            included: ids(included),
            excluded: ids(excluded),
            tree: None,
        }
    }

    #[test]
    fn units_select_accounts_below_them() {
        let accounts = [
            member("111111111111", &["r-ab12"]),
            member("222222222222", &["r-ab12", "ou-ab12-11111111"]),
            member(
                "333333333333",
                &["r-ab12", "ou-ab12-11111111", "ou-ab12-22222222"],
            ),
        ];
        for (included, excluded, expected) in [
            (vec![], vec![], [true, true, true]),
            (vec!["r-ab12"], vec![], [true, true, true]),
            (vec!["ou-ab12-11111111"], vec![], [false, true, true]),
            (vec![], vec!["ou-ab12-22222222"], [true, true, false]),
            (vec!["ou-ab12-1111111"], vec![], [false, false, false]),
        ] {
            let units = units(&included, &excluded);
            let found = accounts
                .each_ref()
                .map(|account| units.includes(account) && !units.excludes(account));
            assert_eq!(found, expected, "{included:?} {excluded:?}");
        }
    }

    #[test]
    fn accounts_without_path_are_looked_up_in_tree() {
        let mut units = units(&["ou-ab12-11111111"], &[]);
        let account = member("111111111111", &[]);
        assert!(!units.includes(&account));
        units.tree = Some(([account.id.clone()].into(), BTreeSet::new()));
        assert!(units.includes(&account) && !units.excludes(&account));
    }

    #[test]
    fn named_accounts_may_have_a_role() {
        let role: RoleName = "Audit".parse().unwrap();
        let (first, second) = (
            "111111111111".parse().unwrap(),
            "222222222222".parse().unwrap(),
        );
        let selection = Selection {
            only: Some([(first, Some(role.clone())), (second, None)].into()),
            excluded: ["222222222222".parse().unwrap()].into(),
            ..Selection::default()
        };
        let found = named(&selection);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].role.as_ref(), Some(&role));
        assert!(!selection.names(&"333333333333".parse().unwrap()));
    }
}
