//! The rows of the combined file of the accounts of a run of many.

use std::borrow::Cow;

use serde::Serialize;

use super::run_file::AccountRecord;

/// The first line of the file of the accounts.
pub const ACCOUNTS_HEADER: &str = "account,alias,name,ou_path,state,access,status,regions,counts_known,counts_stale,\
                                   counts_unverified,counts_missing,total,detail";

/// The status of an account.
#[derive(Serialize)]
pub struct CombinedAccountRow<'a> {
    account: &'a str,
    alias: Cow<'a, str>,
    name: Cow<'a, str>,
    ou_path: &'a str,
    state: Cow<'a, str>,
    access: &'a str,
    status: &'a str,
    regions: usize,
    known: usize,
    stale: usize,
    unverified: usize,
    missing: usize,
    total: Option<u64>,
    detail: Cow<'a, str>,
}

/// Returns the row of the account.
#[must_use]
pub fn account_row(record: &AccountRecord) -> CombinedAccountRow<'_> {
    let [known, stale, unverified, missing] = record.counts;
    CombinedAccountRow {
        account: &record.account,
        alias: as_text(&record.alias),
        name: as_text(&record.name),
        ou_path: &record.ou_path,
        state: as_text(&record.state),
        access: &record.access,
        status: record.status.as_str(),
        regions: record.regions,
        known,
        stale,
        unverified,
        missing,
        total: record.total,
        detail: as_text(&record.detail),
    }
}

/// Returns a free text as spreadsheets show it: they run a text that begins with `=`, `+`, `-` or `@` as a formula, so
/// it gets an apostrophe.
#[must_use]
pub fn as_text(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formula_gets_apostrophe() {
        for (text, expected) in [
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("-1", "'-1"),
            ("+1", "'+1"),
            ("payments", "payments"),
            ("", ""),
            ("a=1", "a=1"),
        ] {
            assert_eq!(as_text(text), expected);
        }
    }
}
