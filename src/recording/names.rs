//! The names in a recording of many accounts, and what replaces each: names of accounts, e-mail addresses, names of
//! organizational units and names of roles.

use std::collections::BTreeMap;
use std::ops::Range;

use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

use super::cassette::Interaction;

/// The start of the target of a call of AWS Organizations.
const ORGANIZATIONS: &str = "AWSOrganizations";

/// The replacement of each name of a recording.
#[derive(Debug, Default, Serialize)]
pub(super) struct Names {
    #[serde(rename = "names")]
    accounts: BTreeMap<String, String>,
    emails: BTreeMap<String, String>,
    units: BTreeMap<String, String>,
    roles: BTreeMap<String, String>,
}

impl Names {
    /// Finds the names in the interactions, which are in the order of time, and in the files of profiles.
    pub(super) fn new<'a>(
        interactions: &mut [&mut Interaction],
        files: impl Iterator<Item = &'a String>,
    ) -> Self {
        let mut found = Self::default();
        for file in files {
            found.add_roles(file);
        }
        for interaction in interactions {
            found.add_roles(&interaction.request.uri);
            visit_names(interaction, &mut |kind, name| {
                found.add(kind, name);
                None
            });
            let form = interaction.request.body.body.as_ref();
            let form = form.and_then(Value::as_str).unwrap_or_default();
            if form.contains("Action=AssumeRole") || form.contains("Action=GetCallerIdentity") {
                let response = interaction.response.as_ref();
                let xml = response.and_then(|r| r.body.file_content.as_deref());
                let xml = String::from_utf8_lossy(xml.unwrap_or_default());
                found.add_roles(form);
                found.add_roles(&xml);
                found.add_emails(&xml);
            }
        }
        found
    }

    fn add_roles(&mut self, text: &str) {
        for role in roles(text) {
            self.add(NameKind::Role, &role.name);
        }
    }

    /// Adds the e-mail addresses in an identity: the session of a user of IAM Identity Center is often named so.
    fn add_emails(&mut self, identity: &str) {
        for (at, _) in identity.match_indices('@') {
            let range = address_at(identity, at);
            if range.start < at && at + 1 < range.end {
                self.add(NameKind::Email, &identity[range]);
            }
        }
    }

    fn add(&mut self, kind: NameKind, text: &str) {
        let (known, start, end) = match kind {
            NameKind::Account => (&mut self.accounts, "account-", ""),
            NameKind::Email => (&mut self.emails, "account-", "@example.com"),
            NameKind::Unit => (&mut self.units, "ou-", ""),
            NameKind::Role => (&mut self.roles, "role-", ""),
        };
        if !text.is_empty() && !known.contains_key(text) {
            let replacement = format!("{start}{}{end}", known.len() + 1);
            known.insert(text.to_owned(), replacement);
        }
    }

    /// Replaces the names of accounts and organizational units in the fields that have them.
    pub(super) fn rewrite(&self, interaction: &mut Interaction) {
        visit_names(interaction, &mut |kind, name| {
            let known = match kind {
                NameKind::Account => &self.accounts,
                // Replaced in all texts.
                NameKind::Email if address_at(name, name.find('@')?) == (0..name.len()) => {
                    return None;
                }
                NameKind::Email => &self.emails,
                NameKind::Unit => &self.units,
                NameKind::Role => &self.roles,
            };
            known.get(name).cloned()
        });
    }

    /// Returns `text` with its e-mail addresses, and the names of roles in ARNs, replaced.
    pub(super) fn replace(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for role in roles(text) {
            if let Some(replacement) = self.roles.get(&role.name)
                && role.start >= done
            {
                out.push_str(&text[done..role.start]);
                out.push_str(replacement);
                done = role.end;
            }
        }
        out.push_str(&text[done..]);
        self.replace_emails(&out)
    }

    fn replace_emails(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (at, _) in text.match_indices('@') {
            let range = address_at(text, at);
            if let Some(replacement) = self.emails.get(&text[range.clone()])
                && range.start >= done
            {
                out.push_str(&text[done..range.start]);
                out.push_str(replacement);
                done = range.end;
            }
        }
        out + &text[done..]
    }
}

/// Returns the place of the e-mail address around the `@` at `at`.
fn address_at(text: &str, at: usize) -> Range<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let start = text[..at].trim_end_matches(is_part).len();
    let rest = &text[at + 1..];
    let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    // The end of a sentence.
    let length = rest[..end].trim_end_matches('.').len();
    start..at + 1 + length
}

/// The kind of a name.
#[derive(Clone, Copy)]
enum NameKind {
    Account,
    Email,
    Unit,
    Role,
}

/// Calls `change` with each name in the fields of a response of AWS Organizations or of the portal of IAM Identity Center;
/// a result replaces it.
fn visit_names(
    interaction: &mut Interaction,
    change: &mut dyn FnMut(NameKind, &str) -> Option<String>,
) {
    let target = interaction.request.headers.get("x-amz-target");
    let is_organizations = target.is_some_and(|target| target.starts_with(ORGANIZATIONS));
    let response = interaction.response.as_mut();
    let Some(body) = response.and_then(|response| response.body.body.as_mut()) else {
        return;
    };
    let fields: &[(&str, &str, NameKind)] = if is_organizations {
        &[
            ("Accounts", "Name", NameKind::Account),
            ("Accounts", "Email", NameKind::Email),
            ("OrganizationalUnits", "Name", NameKind::Unit),
        ]
    } else {
        &[
            ("accountList", "accountName", NameKind::Account),
            ("accountList", "emailAddress", NameKind::Email),
            ("roleList", "roleName", NameKind::Role),
        ]
    };
    for (list, field, kind) in fields {
        let items = body.get_mut(*list).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten() {
            if let Some(Value::String(name)) = item.get_mut(*field)
                && let Some(changed) = change(*kind, name)
            {
                *name = changed;
            }
        }
    }
}

/// The name of a role in a text, with its path, and its place.
struct Role {
    name: String,
    start: usize,
    end: usize,
}

/// Returns the names after `role/` and `assumed-role/`, and in the query of a portal or the settings of a profile, also if
/// they are percent-encoded.
fn roles(text: &str) -> Vec<Role> {
    let mut found = Vec::new();
    for (mark, is_encoded) in [("role/", false), ("role%2F", true)] {
        for (at, _) in text.match_indices(mark) {
            let start = at + mark.len();
            let is_session = text[..at].ends_with("assumed-");
            let end = start + name_length(&text[start..], is_encoded, is_session);
            let name = percent_decode_str(&text[start..end]).decode_utf8_lossy();
            found.push(Role {
                // The path is a part of the replaced text, and not of the name.
                name: name.rsplit('/').next().unwrap_or_default().to_owned(),
                start,
                end,
            });
        }
    }
    for (at, mark) in text.match_indices("role_name=") {
        let start = at + mark.len();
        let length = text[start..].find(['&', ' ', '\n']);
        let length = length.unwrap_or(text.len() - start);
        found.push(Role {
            name: percent_decode_str(&text[start..start + length])
                .decode_utf8_lossy()
                .into_owned(),
            start,
            end: start + length,
        });
    }
    found.sort_by_key(|role| role.start);
    found
}

/// Returns the length of the name at the start of `text`; with a path unless it is that of a session, whose name follows.
fn name_length(text: &str, is_encoded: bool, is_session: bool) -> usize {
    let mut length = 0;
    loop {
        let rest = &text[length..];
        let encoded = || {
            ["%2B", "%3D", "%2C", "%40"]
                .iter()
                .any(|e| rest.starts_with(e))
        };
        length += match rest.chars().next() {
            Some('+' | '=' | ',' | '@') if !is_encoded => 1,
            Some('.' | '-' | '_') => 1,
            Some(c) if c.is_ascii_alphanumeric() => 1,
            Some('/') if !is_encoded && !is_session => 1,
            Some('%') if is_encoded && encoded() => 3,
            Some('%') if is_encoded && !is_session && rest.starts_with("%2F") => 3,
            _ => break,
        };
    }
    // The end of a sentence.
    text[..length].trim_end_matches(['.', ',']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let mut names = Names::default();
        names.add(NameKind::Role, "Audit");
        names.add(NameKind::Role, "Audit");
        names.add(NameKind::Role, "Admin_x+y");
        names.add(NameKind::Email, "ops@corp.example");
        names.add(NameKind::Email, "aws-ops@corp.example");
        names
    }

    #[test]
    fn roles_and_emails_are_replaced_in_texts() {
        let names = names();
        for (text, expected) in [
            ("arn:aws:iam::1:role/Audit", "arn:aws:iam::1:role/role-1"),
            (
                "arn:aws:iam::1:role/team/a/Audit.",
                "arn:aws:iam::1:role/role-1.",
            ),
            (
                "arn:aws:sts::1:assumed-role/Audit/Audit",
                "arn:aws:sts::1:assumed-role/role-1/Audit",
            ),
            (
                "<Arn>x:assumed-role/Admin_x+y/s</Arn>",
                "<Arn>x:assumed-role/role-2/s</Arn>",
            ),
            (
                "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fteam%2FAdmin_x%2By&X=1",
                "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Frole-2&X=1",
            ),
            (
                "?role_name=Audit&account_id=1",
                "?role_name=role-1&account_id=1",
            ),
            ("sso_role_name=Audit\n[b]", "sso_role_name=role-1\n[b]"),
            ("role/Auditor, role/", "role/Auditor, role/"),
            (
                "from aws-ops@corp.example, ops@corp.example",
                "from account-2@example.com, account-1@example.com",
            ),
            ("role/role/Audit", "role/role-1"),
            ("Audit", "Audit"),
        ] {
            assert_eq!(names.replace(text), expected);
        }
    }
}
