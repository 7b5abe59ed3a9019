//! The lines of the summary of many accounts.

use super::figures::{AccountTally, by_unit, figures, largest};
use super::input::AccountsSummary;
use super::problems::problems;
use crate::text::{list, number_of, pluralize};

/// The maximum number of files that are named.
const NAMED_FILES: usize = 4;

/// Returns the lines of the summary: the figures, the largest accounts and units, a paragraph for each problem, and
/// whether the totals are complete.
#[must_use]
pub fn accounts_summary(summary: &AccountsSummary) -> Vec<String> {
    let accounts = &summary.accounts;
    let numbers = AccountTally::new(accounts);
    let mut lines = vec!["Summary".to_owned()];
    lines.extend(figures(summary, &numbers));
    lines.extend(largest(accounts));
    lines.extend(by_unit(accounts, summary.unit_names));
    lines.extend(problems(summary));
    lines.push(String::new());
    lines.extend(earlier(summary));
    lines.extend(summary.exit.clone());
    lines.push(conclusion(summary, &numbers));
    lines
}

/// Names the files of accounts of the list that are not of this run.
fn earlier(summary: &AccountsSummary) -> Option<String> {
    let files = summary.earlier;
    (!files.is_empty()).then(|| {
        let names = list(files, NAMED_FILES);
        let number = number_of(files.len(), "file");
        format!("{number} of earlier runs, which this run has not written: {names}")
    })
}

/// Returns whether the totals are complete.
fn conclusion(summary: &AccountsSummary, numbers: &AccountTally) -> String {
    let sum = |class: usize| {
        summary
            .accounts
            .iter()
            .map(|a| a.counts[class])
            .sum::<usize>()
    };
    let stale = match sum(1) + sum(2) {
        0 => String::new(),
        n => format!(
            " {} may be out of date (stale or unverified).",
            number_of(n, "count")
        ),
    };
    if numbers.is_complete() {
        return format!("The totals are complete: every active account was counted.{stale}");
    }
    let parts = [
        (numbers.not_counted, "not counted"),
        (numbers.partial, "counted in part"),
    ];
    let parts = parts.into_iter().filter(|(n, _)| *n > 0);
    let parts: Vec<String> = parts
        .map(|(n, how)| {
            format!(
                "{} {} {how}",
                pluralize(n, "account"),
                if n == 1 { "was" } else { "were" }
            )
        })
        .collect();
    format!("The totals are not complete: {}.{stale}", parts.join(", "))
}
