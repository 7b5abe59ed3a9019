//! The errors of the accounts on a terminal.

use std::collections::{BTreeMap, BTreeSet};

use crate::error_log::{Entry, ErrorType, timestamp};
use crate::model::Region;
use crate::text::pluralize;

/// The errors that a terminal shows: one line for each account, region, error type and reason. Request IDs, texts of AWS and
/// advice are in the first line with a reason; the log has them in every line.
#[derive(Debug, Default)]
pub struct AccountErrors {
    shown: BTreeSet<(ErrorType, String, String)>,
}

impl AccountErrors {
    /// Returns the lines of an account's errors, with the number of types.
    pub fn lines(&mut self, account: &str, entries: &[Entry]) -> Vec<String> {
        let mut groups: Vec<(&Entry, usize)> = Vec::new();
        let mut indexes: BTreeMap<(Option<&Region>, ErrorType, &str), usize> = BTreeMap::new();
        for entry in entries {
            let reason = reason(&entry.message);
            let key = (entry.region.as_ref(), entry.error_type, reason);
            let index = *indexes.entry(key).or_insert_with(|| {
                groups.push((entry, 0));
                groups.len() - 1
            });
            groups[index].1 += 1;
        }
        let line = |(first, count)| self.line(account, first, count);
        groups.into_iter().map(line).collect()
    }

    fn line(&mut self, account: &str, first: &Entry, count: usize) -> String {
        let mut shown = first.clone();
        shown.message = self.message(first);
        if count == 1 {
            return shown.line_of_account(account);
        }
        let region = first.region.as_ref();
        let region = region.map_or(String::new(), |region| format!("Region: {region}, "));
        let what = if first.resource_type.is_some() {
            pluralize(count, "type")
        } else {
            pluralize(count, "error")
        };
        let (time, error_type, message) = (timestamp(first.at), first.error_type, shown.message());
        format!("[{time}] [{error_type}] Account: {account}, {region}{what}, the first: {message}")
    }

    /// Returns the message; only its reason if a line with the same reason and advice was shown.
    fn message(&mut self, entry: &Entry) -> String {
        let message = &entry.message;
        let reason = reason(message);
        let advice = message.rsplit("; ").next().unwrap_or_default();
        let key = (entry.error_type, reason.to_owned(), advice.to_owned());
        if reason == message || self.shown.insert(key) {
            message.clone()
        } else {
            format!("{reason} (as above)")
        }
    }
}

/// Returns the start of a message: the operation and the error code.
pub(super) fn reason(message: &str) -> &str {
    let ends = [" (HTTP ", "; "].map(|end| message.find(end));
    let end = ends.into_iter().flatten().min();
    &message[..end.unwrap_or(message.len())]
}
