//! Parses a list of accounts: IDs, or a file of them.

use csv::{ReaderBuilder, StringRecord, Trim};
use thiserror::Error;

use super::name_file::{NameFileError, read_text};
use crate::model::{AccountId, ParseNameError, RoleName};

/// An account and its own role.
pub(super) type NamedAccount = (AccountId, Option<RoleName>);

/// The reason why a list of accounts is invalid.
#[derive(Debug, Error)]
pub(super) enum AccountListError {
    #[error(transparent)]
    Name(#[from] ParseNameError),
    #[error(transparent)]
    File(#[from] NameFileError),
    #[error("{0}: {1}")]
    Table(String, #[source] csv::Error),
    #[error("{0} contains no account IDs")]
    Empty(String),
}

/// Parses one comma-separated item; `@FILE` reads the file immediately.
///
/// # Errors
/// `text` is not an account ID, or the file cannot be read, is larger than 16 MiB, or contains no account IDs or an
/// invalid one.
pub(super) fn parse_accounts(text: &str) -> Result<Vec<NamedAccount>, AccountListError> {
    match text.trim().strip_prefix('@') {
        None => Ok(vec![(text.trim().parse()?, None)]),
        Some(path) => parse_table(path, &read_text(path)?),
    }
}

/// Parses a table whose first column has the account IDs. A line without an ID is the header; its column `role`, if it
/// has one, has the roles. Without a header, a line may have several IDs. `#` begins a comment.
fn parse_table(path: &str, text: &str) -> Result<Vec<NamedAccount>, AccountListError> {
    let text = text.trim_start_matches('\u{feff}');
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let rows: Result<Vec<_>, _> = reader.into_records().collect();
    let rows = rows.map_err(|e| AccountListError::Table(path.to_owned(), e))?;
    let mut rows = rows.iter().filter(|row| !is_blank(row)).peekable();
    let header = rows.next_if(|row| is_header(&row[0]));
    let role_column = header.and_then(|header| {
        let mut names = header.iter();
        names.position(|name| name.eq_ignore_ascii_case("role"))
    });
    let mut accounts = Vec::new();
    for row in rows {
        accounts.push(parse_row(path, row, role_column)?);
        for id in other_ids(row).filter(|_| header.is_none()) {
            accounts.push((parse_id(path, row, id)?, None));
        }
    }
    match accounts.len() {
        0 => Err(AccountListError::Empty(path.to_owned())),
        _ => Ok(accounts),
    }
}

/// Returns true for a line without text, and for an indented comment.
fn is_blank(row: &StringRecord) -> bool {
    row[0].starts_with('#') || row.iter().all(str::is_empty)
}

/// Returns true for the name of a column: letters, unlike a misspelled ID.
fn is_header(cell: &str) -> bool {
    cell.chars().next().is_some_and(char::is_alphabetic)
}

fn parse_row(
    path: &str,
    row: &StringRecord,
    role_column: Option<usize>,
) -> Result<NamedAccount, NameFileError> {
    let role = role_column.and_then(|column| row.get(column));
    // The subcommand accounts writes an apostrophe before a formula; no role name begins with one.
    let role = role.map(|role| role.strip_prefix('\'').unwrap_or(role));
    let role = role.filter(|role| !role.is_empty()).map(str::parse);
    let id = parse_id(path, row, &row[0])?;
    let role = role.transpose().map_err(|e| invalid(path, row, e))?;
    Ok((id, role))
}

fn parse_id(path: &str, row: &StringRecord, cell: &str) -> Result<AccountId, NameFileError> {
    let id = without_comment(cell).parse();
    id.map_err(|e| invalid(path, row, e))
}

fn invalid(path: &str, row: &StringRecord, why: ParseNameError) -> NameFileError {
    let line = row.position().map_or(0, csv::Position::line);
    NameFileError::new(path, line, why)
}

/// Returns the cells after the first one if the line is a list of numbers, not an ID with other columns.
fn other_ids(row: &StringRecord) -> impl Iterator<Item = &str> {
    let is_number = |cell: &str| without_comment(cell).bytes().all(|b| b.is_ascii_digit());
    let is_list = row.iter().all(is_number) && !row[0].contains('#');
    let others = row.iter().skip(1).filter(|cell| !cell.is_empty());
    others.filter(move |_| is_list)
}

fn without_comment(cell: &str) -> &str {
    cell.split('#').next().unwrap_or_default().trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<NamedAccount>, String> {
        parse_table("F", text).map_err(|e| e.to_string())
    }

    #[test]
    fn role_with_apostrophe_is_that_of_a_formula() {
        let id = |text: &str| text.parse::<AccountId>().unwrap();
        let parsed = parse("account,name,role\n111111111111,'=x,'@audit/Read\n222222222222,,'\n");
        let role = Some("@audit/Read".parse::<RoleName>().unwrap());
        assert_eq!(
            parsed,
            Ok(vec![(id("111111111111"), role), (id("222222222222"), None)])
        );
    }

    #[test]
    fn table_may_have_header_and_roles() {
        let id = |text: &str| text.parse::<AccountId>().unwrap();
        let role = |text: &str| Some(text.parse::<RoleName>().unwrap());
        assert_eq!(
            parse("111111111111\r\n# no\n\n  # no\n   \n012345678901 # yes, it is\n"),
            Ok(vec![(id("111111111111"), None), (id("012345678901"), None)])
        );
        assert_eq!(
            parse("\u{feff}account,name,role\n111111111111,\"a, b\nc\",Audit\n222222222222,x,\n"),
            Ok(vec![
                (id("111111111111"), role("Audit")),
                (id("222222222222"), None)
            ])
        );
    }

    #[test]
    fn line_without_header_may_have_several_ids() {
        let ids = |ids: &[&str]| Ok(ids.iter().map(|id| (id.parse().unwrap(), None)).collect());
        for (text, expected) in [
            (
                "111111111111,222222222222, 333333333333 # three\n444444444444,\n",
                &[
                    "111111111111",
                    "222222222222",
                    "333333333333",
                    "444444444444",
                ][..],
            ),
            // The lines of a table whose header is missing.
            (
                "111111111111,7,ACTIVE\n222222222222,a\n",
                &["111111111111", "222222222222"],
            ),
            (
                "account,name\n111111111111,222222222222\n",
                &["111111111111"],
            ),
            (
                "111111111111 # 222222222222, 333333333333\n",
                &["111111111111"],
            ),
        ] {
            assert_eq!(parse(text), ids(expected), "{text}");
        }
    }

    #[test]
    fn invalid_lines_are_named() {
        for (text, expected) in [
            ("", "F contains no account IDs"),
            ("account\n", "F contains no account IDs"),
            (
                "111111111111\n1234\n",
                "F, line 2: \"1234\" is not an account ID of 12 digits",
            ),
            (
                "111111111111,22222222222\n",
                "F, line 1: \"22222222222\" is not an account ID of 12 digits",
            ),
            (",111111111111\n", "F, line 1: \"\" is not an account ID"),
            (
                "id,role\n111111111111,a b\n",
                "F, line 2: \"a b\" is not the name of a role",
            ),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
