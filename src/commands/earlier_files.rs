//! The files of accounts in the output directory that are not of this run.

use std::collections::BTreeMap;

use super::account_tally::Tally;
use super::combined;
use super::context::Context;
use crate::console::AccountSummary;
use crate::inventory::Method;
use crate::options::{AccountOptions, Options};

/// The starts of the names of the files of an account, before the account ID.
const PREFIXES: [&str; 3] = [
    "aws_config_resource_count_",
    "aws_config_coverage_",
    "aws_config_verify_",
];

/// Returns the names of the files that earlier runs have left: of accounts that were not counted now, listed or not, or
/// with another alias, and the combined ones that this run does not write.
pub(super) fn earlier_files(
    context: &Context,
    accounts: &AccountOptions,
    tally: &Tally,
    scope: &str,
) -> Vec<String> {
    let options = context.options;
    let by_id = tally.summaries().map(|a| (a.account.as_str(), a));
    let by_id: BTreeMap<&str, &AccountSummary> = by_id.collect();
    let is_counted = tally.counted() > 0;
    let kinds = [
        ("count", is_counted),
        ("accounts", is_counted),
        ("coverage", is_counted && options.coverage),
    ];
    let is_kept = |name: &String| {
        let mut kept = kinds.iter().filter(|(_, is_written)| !is_written);
        kept.any(|(kind, _)| *name == combined::name(kind, scope, "csv"))
    };
    let is_earlier = |name: &String| {
        let is_of_run = |id| {
            let account = by_id.get(id);
            accounts.account_files && account.is_some_and(|a| is_of_run(options, a, name))
        };
        is_kept(name) || account_of(name).is_some_and(|id| !is_of_run(id))
    };
    let names = context.file_names().into_iter();
    names.filter(is_earlier).collect()
}

/// Returns the account ID in the name of a file of an account.
fn account_of(name: &str) -> Option<&str> {
    let rest = PREFIXES
        .iter()
        .find_map(|prefix| name.strip_prefix(prefix))?;
    let (id, end) = rest.split_at_checked(12)?;
    let is_id = id.bytes().all(|b| b.is_ascii_digit());
    (is_id && end.starts_with(['.', '_'])).then_some(id)
}

/// Returns true if this run has written the file `name` of the account, or has removed it.
fn is_of_run(options: &Options, account: &AccountSummary, name: &str) -> bool {
    let [count, coverage, verify] = PREFIXES;
    let is = |prefix: &str, end: &str| name == format!("{prefix}{}{end}", account.file_stem);
    let is_scanned = account.counts.iter().sum::<usize>() > 0;
    let is_counted = account.total.is_some();
    (is_scanned && is(count, "_errors.txt"))
        || (is_counted && is(count, ".csv"))
        || (is_counted && options.coverage && is(coverage, ".csv"))
        || (is_counted && options.method == Method::Verify && is(verify, ".csv"))
}
