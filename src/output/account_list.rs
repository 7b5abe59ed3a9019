//! The list of the accounts of a run, as CSV, JSON or a table.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use super::combined::as_text;
use crate::text::{aligned, pluralize, sanitize};

/// The columns of a list, and those of a check of the access.
const COLUMNS: [&str; 2] = ["account,name,ou_path,state,role", "access,status,detail"];

/// The minimum width of a shortened column of the table.
const MIN_WIDTH: usize = 8;

/// The number of spaces between two columns of the table.
const GAP: usize = 2;

/// An account of the list. Texts that are not known are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedAccount {
    /// The account ID.
    pub account: String,
    /// The name in the organization, as one line.
    pub name: Option<String>,
    /// The IDs of the root and the units above the account.
    pub ou_path: Option<String>,
    /// The state in the organization.
    pub state: Option<String>,
    /// The account's own role.
    pub role: Option<String>,
    /// The result of the check of the access, if there was one.
    #[serde(flatten)]
    pub check: Option<AccessCheck>,
}

/// The result of a check of the access to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessCheck {
    /// The way in which the account is accessed: `caller` or `role NAME`; `None` if it was not tried.
    pub access: Option<String>,
    /// `ok`, or the status of the account in a run.
    pub status: &'static str,
    /// The reason why there is no access, and what to do about it.
    pub detail: Option<String>,
}

/// Returns the first line of the CSV, which `--accounts @FILE` accepts.
#[must_use]
pub fn header(has_checks: bool) -> String {
    let columns = if has_checks { 2 } else { 1 };
    COLUMNS[..columns].join(",")
}

/// Returns the cells of an account in the CSV.
#[must_use]
pub fn row(account: &ListedAccount, has_checks: bool) -> Vec<Cow<'_, str>> {
    let mut row = vec![
        account.account.as_str(),
        known(account.name.as_ref()),
        known(account.ou_path.as_ref()),
        known(account.state.as_ref()),
        known(account.role.as_ref()),
    ];
    if has_checks {
        let check = account.check.as_ref();
        row.extend([
            check.map_or("", |check| known(check.access.as_ref())),
            check.map_or("", |check| check.status),
            check.map_or("", |check| known(check.detail.as_ref())),
        ]);
    }
    row.into_iter().map(as_text).collect()
}

fn known(text: Option<&String>) -> &str {
    text.map_or("", String::as_str)
}

/// Returns the list as a JSON array.
///
/// # Errors
/// Only what the serializer returns.
pub fn json(accounts: &[ListedAccount]) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(accounts)?;
    text.push(b'\n');
    Ok(text)
}

/// The end of a text that is removed where a column is too narrow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shorten {
    Never,
    Start,
    End,
}

/// Returns the list as a table of at most `width` columns: names and paths are shortened.
#[must_use]
pub fn table(accounts: &[ListedAccount], width: usize) -> String {
    let cell = |text: &Option<String>| text.clone().unwrap_or_default();
    let of = |title: &str, shorten, text: &dyn Fn(&ListedAccount) -> String| {
        let cells = accounts.iter().map(text);
        let cells: Vec<String> = std::iter::once(title.to_owned()).chain(cells).collect();
        (shorten, cells)
    };
    let status = |a: &ListedAccount| a.check.as_ref().map_or("", |check| check.status).to_owned();
    let mut columns = vec![
        of("account", Shorten::Never, &|a| a.account.clone()),
        of("state", Shorten::Never, &|a| cell(&a.state)),
        of("status", Shorten::Never, &status),
        of("name", Shorten::End, &|a| cell(&a.name)),
        of("role", Shorten::End, &|a| cell(&a.role)),
        of("ou_path", Shorten::Start, &|a| cell(&a.ou_path)),
    ];
    columns.retain(|(_, cells)| cells[1..].iter().any(|text| !text.is_empty()));
    let widths = widths(&columns, width);
    let rows = (0..=accounts.len()).map(|row| {
        let columns = columns.iter().zip(&widths);
        let cells =
            columns.map(|((shorten, cells), width)| shortened(&cells[row], *width, *shorten));
        cells.collect::<Vec<_>>()
    });
    let table = aligned(&rows.collect::<Vec<_>>(), &[]).join("\n");
    let active = accounts
        .iter()
        .filter(|a| a.state.as_deref() == Some(crate::accounts::ACTIVE));
    let active = match active.count() {
        0 => String::new(),
        n => format!(", {n} active"),
    };
    format!(
        "{table}\n\n{}{active}\n",
        pluralize(accounts.len(), "account")
    )
}

/// Returns the widths of the columns; the widest of those that may be shortened are, until the table has at most `width`
/// columns.
fn widths(columns: &[(Shorten, Vec<String>)], width: usize) -> Vec<usize> {
    let longest = |cells: &[String]| cells.iter().map(|text| text.chars().count()).max();
    let mut widths: Vec<usize> = columns
        .iter()
        .map(|(_, cells)| longest(cells).unwrap_or(0))
        .collect();
    let gaps = GAP * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let flexible = (0..columns.len()).filter(|n| columns[*n].0 != Shorten::Never);
        match flexible.max_by_key(|n| widths[*n]) {
            Some(widest) if widths[widest] > MIN_WIDTH => widths[widest] -= 1,
            _ => break,
        }
    }
    widths
}

/// Returns `text` in at most `width` characters.
fn shortened(text: &str, width: usize, shorten: Shorten) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    match shorten {
        Shorten::Start => {
            let end: String = text.chars().skip(length + 1 - width).collect();
            format!("…{end}")
        }
        Shorten::Never | Shorten::End => sanitize(text, width - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str, name: &str) -> ListedAccount {
        ListedAccount {
            account: id.to_owned(),
            name: Some(name.to_owned()),
            ou_path: Some("/r-ab12/ou-ab12-11111111/ou-ab12-22222222".to_owned()),
            state: Some("ACTIVE".to_owned()),
            role: None,
            check: None,
        }
    }

    #[test]
    fn table_shortens_names_and_paths() {
        let accounts = [
            account("111111111111", &"n".repeat(128)),
            account("222222222222", "payments"),
        ];
        for width in 50..200 {
            let table = table(&accounts, width);
            for line in table.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(table.contains("222222222222  ACTIVE  payments"), "{table}");
            assert!(table.contains("-22222222\n"), "{table}");
            assert!(!table.contains("role"), "{table}");
            assert!(table.ends_with("\n\n2 accounts, 2 active\n"), "{table}");
        }
    }

    #[test]
    fn csv_marks_formulas_and_json_does_not() {
        let mut listed = account("111111111111", "=1+1");
        listed.role = Some("@Audit".to_owned());
        let path = "/r-ab12/ou-ab12-11111111/ou-ab12-22222222";
        let expected = ["111111111111", "'=1+1", path, "ACTIVE", "'@Audit"];
        assert_eq!(row(&listed, false), expected);
        assert_eq!(header(false), "account,name,ou_path,state,role");
        let text = json(&[listed]).unwrap();
        let parsed: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(parsed[0]["name"], "=1+1");
        assert_eq!(parsed[0]["role"], "@Audit");
        assert_eq!(parsed[0].get("status"), None);
    }

    #[test]
    fn check_adds_columns() {
        let mut listed = account("111111111111", "a");
        listed.check = Some(AccessCheck {
            access: Some("role Audit".to_owned()),
            status: "access_denied",
            detail: Some("no, \"never\"".to_owned()),
        });
        let names = "account,name,ou_path,state,role,access,status,detail";
        assert_eq!(header(true), names);
        let cells = row(&listed, true);
        assert_eq!(cells[5..], ["role Audit", "access_denied", "no, \"never\""]);
        assert!(table(&[listed], 80).contains("ACTIVE  access_denied  a"));
    }
}
