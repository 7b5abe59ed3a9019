//! The accounts of a run of many as a table for people. `--format table` prints it.

use super::run_file::AccountRecord;
use crate::accounts::AccountStatus;
use crate::text::{aligned, thousands};

/// Returns the table of the accounts of `scope`: account, name, status and total.
///
/// # Errors
/// A record cannot be read.
pub fn accounts_table<E>(
    scope: &str,
    records: impl Iterator<Item = Result<AccountRecord, E>>,
) -> Result<String, E> {
    let mut rows = vec![["account", "name", "status", "total"].map(str::to_owned)];
    let (mut total, mut is_complete) = (0, true);
    for record in records {
        let record = record?;
        total += record.total.unwrap_or_default();
        is_complete &= !record.status.is_missing();
        rows.push(row(&record));
    }
    let mark = if is_complete { " " } else { "+" };
    let total = format!("{}{mark}", thousands(total));
    rows.push(["total".to_owned(), String::new(), String::new(), total]);
    let mut text = format!("Accounts of {scope}\n\n");
    for line in aligned(&rows, &[3]) {
        text += &line;
        text.push('\n');
    }
    if !is_complete {
        text += "\n?  missing: no count\n+  at least: counts are missing\n";
    }
    Ok(text)
}

fn row(record: &AccountRecord) -> [String; 4] {
    let total = match (record.total, record.status) {
        (Some(total), AccountStatus::Complete) => format!("{} ", thousands(total)),
        (Some(total), _) => format!("{}+", thousands(total)),
        (None, AccountStatus::NotActive) => "- ".to_owned(),
        (None, _) => "? ".to_owned(),
    };
    let names = [&record.name, &record.alias];
    let name = match names.into_iter().find(|name| !name.is_empty()) {
        Some(name) => name,
        // The account of a profile may not be known.
        None if record.account.is_empty() => &record.access,
        None => "",
    };
    [
        record.shown_account().to_owned(),
        name.to_owned(),
        record.status.as_str().to_owned(),
        total,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::MemberAccount;

    fn record(number: u64, status: AccountStatus, total: Option<u64>) -> AccountRecord {
        let id = format!("{number:012}").parse().unwrap();
        let member = MemberAccount::new(id);
        let mut record = AccountRecord::not_scanned(&member, String::new(), status, String::new());
        record.name = format!("team {number}");
        record.total = total;
        record
    }

    #[test]
    fn missing_totals_are_marked() {
        let records = [
            record(1, AccountStatus::Complete, Some(1234)),
            record(2, AccountStatus::Partial, Some(1)),
            record(3, AccountStatus::AccessDenied, None),
            record(4, AccountStatus::NotActive, None),
        ];
        let table = accounts_table::<()>("o-a", records.into_iter().map(Ok)).unwrap();
        let expected = "\
Accounts of o-a

account       name    status          total
000000000001  team 1  complete       1,234
000000000002  team 2  partial            1+
000000000003  team 3  access_denied      ?
000000000004  team 4  not_active         -
total                                1,235+

?  missing: no count
+  at least: counts are missing
";
        assert_eq!(table, expected);
    }

    #[test]
    fn complete_table_has_no_marks() {
        let records = [record(1, AccountStatus::Complete, Some(5))];
        let table = accounts_table::<()>("o-a", records.into_iter().map(Ok)).unwrap();
        let expected = "\
Accounts of o-a

account       name    status    total
000000000001  team 1  complete     5
total                              5
";
        assert_eq!(table, expected);
    }
}
