//! The account IDs of a recording, and what replaces each.
//!
//! The caller's account becomes the given ID. Each other account ID gets an ID of its own that
//! occurs nowhere else, so that different names stay different and equal ones equal. Other texts of
//! twelve digits are unchanged. In a recording of many accounts, names are replaced too.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::cassette::{Cassette, Interaction};
use super::names::Names;

/// The length of an account ID, in digits.
const LENGTH: usize = 12;

/// The first ID that replaces another account than the caller's.
const FIRST_REPLACEMENT: u64 = 900_000_000_001;

/// The same in a recording of many accounts.
const FIRST_OF_MANY: u64 = 100_000_000_001;

/// The words before an account ID, in lower case; `ID`, `IDs` and `number` may follow.
const WORDS: [&str; 5] = ["account", "accounts", "owner", "principal", "principals"];

/// The replacement of each account ID of a recording, and of the names in a recording of many accounts.
#[derive(Debug, Default, Serialize)]
pub(super) struct Accounts {
    #[serde(rename = "accounts")]
    ids: BTreeMap<String, String>,
    #[serde(flatten)]
    names: Names,
}

impl Accounts {
    /// Finds the account IDs in a recording; `caller` replaces the one that GetCallerIdentity
    /// returned, or else the first one.
    pub(super) fn new(
        cassettes: &mut BTreeMap<String, Cassette>,
        environment: &mut BTreeMap<String, String>,
        caller: &str,
        of_many: bool,
    ) -> Self {
        let mut found = FoundIds::default();
        let mut own = None;
        let mut names = Names::default();
        {
            let mut interactions = in_order(cassettes);
            for interaction in &interactions {
                own = own.or_else(|| caller_of(interaction));
            }
            if of_many {
                names = Names::new(&mut interactions, environment.values());
            }
        }
        visit(cassettes, environment, &mut |name, text| {
            found.add(name, text);
            None
        });
        for name in cassettes.keys() {
            found.add("", name);
        }
        let own = own.or_else(|| found.accounts.first().cloned());
        let ids = if of_many {
            assign_in_order(&found, own.as_deref(), caller)
        } else {
            assign(&found, own.as_deref(), caller)
        };
        Self { ids, names }
    }

    /// Replaces all account IDs and names of a recording.
    pub(super) fn rewrite(
        &self,
        cassettes: BTreeMap<String, Cassette>,
        environment: &mut BTreeMap<String, String>,
    ) -> BTreeMap<String, Cassette> {
        let renamed = cassettes
            .into_iter()
            .map(|(name, c)| (self.replace(&name), c));
        let mut cassettes = renamed.collect();
        for interaction in in_order(&mut cassettes) {
            self.names.rewrite(interaction);
        }
        visit(&mut cassettes, environment, &mut |_, text| {
            Some(self.replace(text))
        });
        cassettes
    }

    /// Returns `text` with its account IDs and names replaced.
    fn replace(&self, text: &str) -> String {
        let text = self.names.replace(text);
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for start in runs(&text) {
            let id = &text[start..start + LENGTH];
            out.push_str(&text[done..start]);
            out.push_str(self.ids.get(id).map_or(id, String::as_str));
            done = start + LENGTH;
        }
        out + &text[done..]
    }
}

/// Returns the replacements in the order in which the accounts occur; `caller` replaces `own`.
fn assign_in_order(found: &FoundIds, own: Option<&str>, caller: &str) -> BTreeMap<String, String> {
    let mut replacements = BTreeMap::new();
    let accounts = &found.accounts;
    let mut free = (FIRST_OF_MANY..)
        .map(|n| format!("{n:0LENGTH$}"))
        .filter(|n| {
            // Another text of twelve digits is not replaced.
            n != caller && (accounts.contains(n) || !found.occurring.contains(n))
        });
    for id in accounts.iter().chain(found.occurring.get(caller)) {
        if own == Some(id) {
            replacements.insert(id.clone(), caller.to_owned());
        } else if !replacements.contains_key(id) {
            replacements.extend(free.next().map(|n| (id.clone(), n)));
        }
    }
    replacements
}

/// Returns the replacements; the lowest free ID is for the lowest account, and `caller` replaces `own`.
fn assign(found: &FoundIds, own: Option<&str>, caller: &str) -> BTreeMap<String, String> {
    let mut others: BTreeSet<&str> = found.accounts.iter().map(String::as_str).collect();
    // Another resource or account has the ID that the caller gets.
    others.extend(found.occurring.get(caller).map(String::as_str));
    let mut replacements = BTreeMap::new();
    if let Some(own) = own {
        others.remove(own);
        replacements.insert(own.to_owned(), caller.to_owned());
    } else {
        others.remove(caller);
    }
    let mut free = (FIRST_REPLACEMENT..).map(|n| format!("{n:0LENGTH$}"));
    for id in others {
        let is_free = |n: &String| n != caller && (n == id || !found.occurring.contains(n));
        replacements.extend(free.find(is_free).map(|n| (id.to_owned(), n)));
    }
    replacements
}

/// Returns the interactions in the order of time.
fn in_order(cassettes: &mut BTreeMap<String, Cassette>) -> Vec<&mut Interaction> {
    let interactions = cassettes.values_mut().flat_map(|c| &mut c.interactions);
    let mut interactions: Vec<_> = interactions.collect();
    interactions.sort_by_key(|interaction| interaction.order);
    interactions
}

/// The texts of twelve digits in a recording.
#[derive(Default)]
struct FoundIds {
    /// The account IDs, in the order in which they occur.
    accounts: Vec<String>,
    occurring: BTreeSet<String>,
}

impl FoundIds {
    /// Adds the IDs in the value `text` of the field `name`.
    fn add(&mut self, name: &str, text: &str) {
        let mut last_end = None;
        for start in runs(text) {
            let end = start + LENGTH;
            let id = &text[start..end];
            self.occurring.insert(id.to_owned());
            let follows_account = last_end.is_some_and(|last| {
                let between: &str = &text[last..start];
                !between.contains(char::is_alphanumeric)
            });
            if is_word(text, start) && (follows_account || is_account(name, &text[..start])) {
                last_end = Some(end);
                if !self.accounts.iter().any(|known| known == id) {
                    self.accounts.push(id.to_owned());
                }
            }
        }
    }
}

/// Iterates over the starts of the longest runs of digits that have exactly 12.
fn runs(text: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let start = at;
            while is_digit(at) {
                at += 1;
            }
            let length = at - start;
            let is_percent = bytes.get(at) == Some(&b'%');
            let is_hex = |n: usize| bytes.get(at + n).is_some_and(u8::is_ascii_hexdigit);
            // The digits of `%20` do not belong to a run.
            at += if is_percent && is_hex(1) && is_hex(2) {
                3
            } else {
                1
            };
            if length == LENGTH {
                return Some(start);
            }
        }
        None
    })
}

/// Returns true if the run of digits at `start` is a word, and not a part of a name or a UUID.
fn is_word(text: &str, start: usize) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let before = &text[..start];
    let is_encoded = before.len() >= 3 && before.as_bytes()[before.len() - 3] == b'%';
    let starts = is_encoded || !before.ends_with(is_part);
    let after = &text[start + LENGTH..];
    // A full stop ends a sentence.
    let after = after.strip_prefix('.').unwrap_or(after);
    starts && !after.starts_with(is_part)
}

/// Returns true if an account ID follows `before` in the value of the field `name`.
fn is_account(name: &str, before: &str) -> bool {
    let mut start = before.len().saturating_sub(200);
    while !before.is_char_boundary(start) {
        start += 1;
    }
    let before = before[start..].to_ascii_lowercase().replace("%3a", ":");
    let word = before.rsplit(|c: char| c.is_whitespace() || "\"'<>&=".contains(c));
    let word = word.into_iter().next().unwrap_or_default();
    let parts: Vec<&str> = word.split(':').collect();
    let is_arn = matches!(parts[..], [.., arn, _, _, _, ""] if arn.ends_with("arn"));
    if is_arn || word.contains(":account/") {
        return true;
    }
    let name = name.to_ascii_lowercase();
    let text = if before.contains(char::is_alphanumeric) {
        before.as_str()
    } else {
        name.as_str()
    };
    let text = text.trim_end_matches(|c: char| !c.is_alphanumeric());
    let mut ends = ["ids", "id", "number"].iter();
    let stem = ends.find_map(|end| text.strip_suffix(end)).unwrap_or(text);
    let stem = stem.trim_end_matches(|c: char| !c.is_alphanumeric());
    let is_policy = name == "aws" && text == name;
    is_policy || WORDS.iter().any(|word| stem.ends_with(word))
}

/// Returns the account that GetCallerIdentity returned; `None` for another operation.
fn caller_of(interaction: &Interaction) -> Option<String> {
    let form = interaction.request.body.body.as_ref()?.as_str()?;
    if !form
        .split('&')
        .any(|pair| pair == "Action=GetCallerIdentity")
    {
        return None;
    }
    let body = &interaction.response.as_ref()?.body;
    let text = String::from_utf8_lossy(body.file_content.as_deref()?);
    let (_, rest) = text.split_once("Account>")?;
    let start = runs(rest).next()?;
    Some(rest[start..start + LENGTH].to_owned())
}

/// Calls `change` with each text of a recording and the name of its field; a result replaces the
/// text.
fn visit(
    cassettes: &mut BTreeMap<String, Cassette>,
    environment: &mut BTreeMap<String, String>,
    change: &mut dyn FnMut(&str, &str) -> Option<String>,
) {
    for (name, value) in environment {
        change_text(name, value, change);
    }
    for interaction in in_order(cassettes) {
        let request = &mut interaction.request;
        if let Some(account) = &mut request.account {
            change_text("account", account, change);
        }
        change_text("uri", &mut request.uri, change);
        let response = interaction.response.iter_mut();
        let (headers, bodies): (Vec<_>, Vec<_>) =
            response.map(|r| (&mut r.headers, &mut r.body)).unzip();
        let headers = headers.into_iter().chain([&mut request.headers]);
        for (name, value) in headers.flatten() {
            change_text(name, value, change);
        }
        for body in bodies.into_iter().chain([&mut request.body]) {
            if let Some(value) = &mut body.body {
                change_json("", value, change);
            }
            if let Some(bytes) = &mut body.file_content {
                change_bytes(bytes, change);
            }
        }
        if let Some(error) = &mut interaction.error {
            change_text("error", &mut error.message, change);
        }
    }
}

type Change<'a> = &'a mut dyn FnMut(&str, &str) -> Option<String>;

fn change_text(name: &str, text: &mut String, change: Change) {
    if let Some(changed) = change(name, text) {
        *text = changed;
    }
}

fn change_json(name: &str, value: &mut Value, change: Change) {
    match value {
        Value::Object(members) => {
            let resource_type = members.get("resourceType").and_then(Value::as_str);
            let is_account = resource_type.is_some_and(|t| t.ends_with("::Account"));
            let mut changed = Map::new();
            let list = name;
            for (mut name, mut value) in std::mem::take(members) {
                let context = match name.as_str() {
                    "resourceId" | "resourceName" if is_account => "account",
                    "Id" if list == "Accounts" => "account",
                    other => other,
                };
                change_json(context, &mut value, change);
                change_text("", &mut name, change);
                changed.insert(name, value);
            }
            *members = changed;
        }
        Value::Array(list) => {
            for value in list {
                change_json(name, value, change);
            }
        }
        Value::String(text) => change_text(name, text, change),
        Value::Number(number) => {
            // A number does not begin with a zero.
            let changed = change(name, &number.to_string());
            let changed = changed.filter(|text| !text.starts_with('0'));
            if let Some(number) = changed.and_then(|text| text.parse::<u64>().ok()) {
                *value = number.into();
            }
        }
        Value::Bool(_) | Value::Null => {}
    }
}

fn change_bytes(bytes: &mut Vec<u8>, change: Change) {
    // Maps each byte to one character and back.
    let characters: String = bytes.iter().copied().map(char::from).collect();
    if let Some(changed) = change("", &characters) {
        *bytes = changed.chars().flat_map(u8::try_from).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Vec<String> {
        let mut found = FoundIds::default();
        found.add(name, text);
        found.accounts
    }

    #[test]
    fn account_ids_are_found_by_their_context() {
        for (name, text) in [
            ("", "arn:aws:iam::111122223333:role/x"),
            ("", "arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2Fx"),
            ("", "arn:aws:organizations::o:account/o-abc/111122223333"),
            ("", "<Account>111122223333</Account>"),
            ("", "<ownerId>111122223333</ownerId>"),
            ("", "role_name=x&account_id=111122223333"),
            ("", "not authorized in account 111122223333."),
            ("", "Account ID: 111122223333"),
            ("accountId", "111122223333"),
            ("awsAccountId", "111122223333"),
            ("AWS", "111122223333"),
        ] {
            assert_eq!(found(name, text), ["111122223333"], "{name} {text}");
        }
        let list = "accounts 111122223333, 444455556666";
        assert_eq!(found("", list), ["111122223333", "444455556666"]);
        for text in [
            "id-999999999999",
            "8a0c-123412341234",
            "1700000000000",
            "1a2345678901",
            "resource 111122223333",
            "202611241200",
            "account-2026-111122223333",
        ] {
            assert_eq!(found("resourceId", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn each_account_has_its_own_replacement() {
        let mut all = FoundIds::default();
        for id in ["333322221111", "111122223333", "900000000001"] {
            all.add("accountId", id);
        }
        for name in ["backup-900000000002", "123456789012"] {
            all.add("resourceId", name);
        }
        let accounts = Accounts {
            ids: assign(&all, Some("111122223333"), "123456789012"),
            names: Names::default(),
        };
        for (text, expected) in [
            ("111122223333", "123456789012"),
            ("logs-111122223333", "logs-123456789012"),
            // The lowest free ID for the lowest account.
            ("123456789012", "900000000003"),
            ("333322221111", "900000000004"),
            ("900000000001", "900000000005"),
            ("backup-900000000002", "backup-900000000002"),
            ("1111222233334", "1111222233334"),
            (
                "%3A111122223333%20333322221111",
                "%3A123456789012%20900000000004",
            ),
            ("id-999999999999", "id-999999999999"),
        ] {
            assert_eq!(accounts.replace(text), expected);
        }
    }

    #[test]
    fn many_accounts_are_numbered_in_their_order() {
        let mut all = FoundIds::default();
        for id in [
            "999999999999",
            "111122223333",
            "100000000001",
            "123456789012",
        ] {
            all.add("accountId", id);
        }
        all.add("resourceId", "100000000003");
        let ids = assign_in_order(&all, Some("111122223333"), "123456789012");
        let expected = [
            ("100000000001", "100000000002"),
            ("111122223333", "123456789012"),
            // Another text is 100000000003.
            ("123456789012", "100000000004"),
            ("999999999999", "100000000001"),
        ];
        assert!(
            ids.iter().map(|(a, b)| (&**a, &**b)).eq(expected),
            "{ids:?}"
        );
    }

    #[test]
    fn numbers_and_leading_zeros_are_replaced() {
        let mut value =
            serde_json::json!({"accountId": 111_122_223_333_u64, "111122223333": "x", "n": 1.5});
        let mut all = FoundIds::default();
        all.add("accountId", "111122223333");
        let accounts = |caller| Accounts {
            ids: assign(&all, Some("111122223333"), caller),
            names: Names::default(),
        };
        let mut changed = value.clone();
        let numbers = accounts("123456789012");
        change_json("", &mut changed, &mut |_, text| Some(numbers.replace(text)));
        let expected =
            serde_json::json!({"accountId": 123_456_789_012_u64, "123456789012": "x", "n": 1.5});
        assert_eq!(changed, expected);
        let zeros = accounts("012345678901");
        change_json("", &mut value, &mut |_, text| Some(zeros.replace(text)));
        assert_eq!(value["012345678901"], "x");
    }
}
