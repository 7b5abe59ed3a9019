//! The errors of an account on a terminal.

use std::collections::BTreeMap;

use crate::error_log::{Entry, ErrorType, timestamp};
use crate::text::pluralize;

/// Returns one line for each region, error type and reason of an account's errors, with the number of types.
#[must_use]
pub fn account_errors(account: &str, entries: &[Entry]) -> Vec<String> {
    let mut groups: Vec<(&Entry, usize)> = Vec::new();
    let mut indexes: BTreeMap<(Option<&str>, ErrorType), usize> = BTreeMap::new();
    for entry in entries {
        let region = entry.region.as_ref().map(crate::model::Region::as_str);
        let index = *indexes
            .entry((region, entry.error_type))
            .or_insert_with(|| {
                groups.push((entry, 0));
                groups.len() - 1
            });
        groups[index].1 += 1;
    }
    groups
        .into_iter()
        .map(|(first, count)| line(account, first, count))
        .collect()
}

fn line(account: &str, first: &Entry, count: usize) -> String {
    if count == 1 {
        return first.line_of_account(account);
    }
    let region = first.region.as_ref();
    let region = region.map_or(String::new(), |region| format!("Region: {region}, "));
    let what = if first.resource_type.is_some() {
        pluralize(count, "type")
    } else {
        pluralize(count, "error")
    };
    let (time, error_type, message) = (timestamp(first.at), first.error_type, first.message());
    format!("[{time}] [{error_type}] Account: {account}, {region}{what}, the first: {message}")
}
