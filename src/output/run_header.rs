//! The header of a run file: the program version, the accounts and the options that determine the results.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use crate::model::{AccountId, ResourceTypes};
use crate::options::{AccountOptions, Options};
use crate::text::sanitize;

/// The maximum length of a value in a message, in characters.
const MAX_SHOWN: usize = 80;

/// The header of a run file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunHeader {
    /// The program version.
    pub version: String,
    /// The time when the first account was scanned.
    pub started: String,
    /// The scope of the accounts, which is in the file names.
    pub scope: String,
    /// The account of the caller; empty with profiles.
    pub caller: String,
    /// The options that determine which accounts, regions and types are counted, and how; empty without the option.
    ///
    /// The external ID is not among them: it only decides whether an account can be accessed.
    pub options: BTreeMap<String, String>,
}

impl RunHeader {
    /// Creates the header of a run.
    #[must_use]
    pub fn new(
        options: &Options,
        accounts: &AccountOptions,
        scope: &str,
        caller: Option<&AccountId>,
        started: String,
    ) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started,
            scope: scope.to_owned(),
            caller: caller.map(ToString::to_string).unwrap_or_default(),
            options: result_options(options, accounts),
        }
    }

    /// Describes the first difference of `new` from this header; `None` if the results of both can be combined.
    #[must_use]
    pub fn difference(&self, new: &Self) -> Option<String> {
        let old = |name: &str| self.options.get(name).map_or("", String::as_str);
        let facts = [
            ("the program version", &*self.version, &*new.version),
            ("the scope of the accounts", &self.scope, &new.scope),
            ("the caller's account", &self.caller, &new.caller),
        ];
        let removed = self.options.iter();
        let removed = removed.filter(|(name, _)| !new.options.contains_key(*name));
        let options = new.options.iter();
        facts
            .into_iter()
            .chain(options.map(|(name, value)| (&**name, old(name), &**value)))
            .chain(removed.map(|(name, value)| (&**name, &**value, "")))
            .find(|(_, old, new)| old != new)
            .map(|(name, old, new)| format!("{name} was {}, and is now {}", shown(old), shown(new)))
    }
}

fn shown(value: &str) -> String {
    match value {
        "" => "not given".to_owned(),
        value => sanitize(value, MAX_SHOWN),
    }
}

fn result_options(options: &Options, accounts: &AccountOptions) -> BTreeMap<String, String> {
    let selection = &accounts.selection;
    let only = selection.only.iter().flatten();
    let only = only.map(|(id, role)| match role {
        Some(role) => format!("{id} with role {role}"),
        None => id.to_string(),
    });
    let flag = |is_set: bool| if is_set { "given" } else { "" }.to_owned();
    let types = match &options.resource_types {
        ResourceTypes::All => "all".to_owned(),
        ResourceTypes::Named(types) => sorted(types),
    };
    let texts = [
        (
            "--profiles",
            sorted(accounts.source.profiles().unwrap_or_default()),
        ),
        (
            "--sso-session",
            accounts.source.session().unwrap_or_default().to_owned(),
        ),
        ("--accounts", sorted(only)),
        ("--exclude-accounts", sorted(&selection.excluded)),
        ("--ou", sorted(&selection.units)),
        ("--exclude-ous", sorted(&selection.excluded_units)),
        (
            "--organization-role",
            accounts.organization_role.clone().unwrap_or_default(),
        ),
        ("--role-name", accounts.role.to_string()),
        ("--no-account-files", flag(!accounts.account_files)),
        ("--regions", sorted(&options.regions)),
        ("--exclude-regions", sorted(&options.exclude_regions)),
        ("--resource-types", types),
        ("--method", options.method.as_str().to_owned()),
        ("--coverage", flag(options.coverage)),
    ];
    texts
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Returns the values without duplicates, sorted, joined by commas: their order does not matter.
fn sorted(values: impl IntoIterator<Item = impl Display>) -> String {
    let values = values.into_iter().map(|value| value.to_string());
    let values: std::collections::BTreeSet<String> = values.collect();
    values.into_iter().collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(options: &[(&str, &str)]) -> RunHeader {
        let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        RunHeader {
            version: "1.0.0".to_owned(),
            started: "2026-01-02".to_owned(),
            scope: "o-abcdefghij".to_owned(),
            caller: "111111111111".to_owned(),
            options: options.iter().map(option).collect(),
        }
    }

    #[test]
    fn first_difference_is_named() {
        let old = header(&[("--method", "list"), ("--regions", "eu-west-1")]);
        for (new, expected) in [
            (
                RunHeader {
                    version: "1.0.1".to_owned(),
                    ..header(&[])
                },
                "the program version was 1.0.0, and is now 1.0.1",
            ),
            (
                RunHeader {
                    scope: "accounts".to_owned(),
                    ..old.clone()
                },
                "the scope of the accounts was o-abcdefghij, and is now accounts",
            ),
            (
                RunHeader {
                    caller: "222222222222".to_owned(),
                    ..old.clone()
                },
                "the caller's account was 111111111111, and is now 222222222222",
            ),
            (
                header(&[("--method", "counts"), ("--regions", "")]),
                "--method was list, and is now counts",
            ),
            (
                header(&[("--method", "list"), ("--regions", "")]),
                "--regions was eu-west-1, and is now not given",
            ),
            (
                header(&[("--method", "list")]),
                "--regions was eu-west-1, and is now not given",
            ),
            (
                header(&[("--a", "\u{1b}"), ("--method", "list")]),
                "--a was not given, and is now \\u{1b}",
            ),
        ] {
            assert_eq!(old.difference(&new).as_deref(), Some(expected));
        }
    }

    #[test]
    fn time_and_order_of_values_may_differ() {
        let later = RunHeader {
            started: "2026-01-03".to_owned(),
            ..header(&[])
        };
        assert_eq!(header(&[]).difference(&later), None);
        assert_eq!(sorted(["b", "a", "b"]), "a,b");
    }
}
