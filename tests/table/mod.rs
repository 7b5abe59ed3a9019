//! Runs the rows of a test table in parallel and names every row that fails.
//!
//! `CASE=NAME cargo test --test TARGET` runs only the row with this name. An unknown name fails.

#![allow(dead_code, reason = "each test program uses its own part")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The environment variable that selects one row.
const VARIABLE: &str = "CASE";

/// A row of a test table.
pub trait Row: Sync {
    /// The name of the row, unique in its table.
    fn name(&self) -> &str;
}

/// Returns true if no single row is selected, so that a test may assert on the whole table.
pub fn is_complete() -> bool {
    std::env::var_os(VARIABLE).is_none()
}

/// Runs `check` on every row of `table`, or only on the row that `CASE` names.
///
/// # Panics
///
/// With the name and the message of every row whose check panics, and for an unknown name.
pub fn check_rows<T: Row>(table: &[T], check: impl Fn(&T) + Sync) {
    let selected = select(table, std::env::var(VARIABLE).ok().as_deref());
    let failures = failures(&selected, check);
    assert!(
        failures.is_empty(),
        "{} of {} rows failed:\n{}",
        failures.len(),
        selected.len(),
        failures.join("\n")
    );
}

fn select<'a, T: Row>(table: &'a [T], name: Option<&str>) -> Vec<&'a T> {
    let is_selected = |row: &&T| name.is_none_or(|name| row.name() == name);
    let selected: Vec<&T> = table.iter().filter(is_selected).collect();
    assert!(!selected.is_empty(), "no row is named {name:?}");
    selected
}

/// Checks the rows on one thread per processor; returns one line per failed row, in table order.
fn failures<T: Row>(rows: &[&T], check: impl Fn(&T) + Sync) -> Vec<String> {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads.min(rows.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(row) = rows.get(index) else { return };
                    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| check(row))) {
                        let line = format!("{}: {}", row.name(), message(payload.as_ref()));
                        failures.lock().unwrap().push((index, line));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    failures.into_iter().map(|(_, line)| line).collect()
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("panicked")
}

impl Row for &str {
    fn name(&self) -> &str {
        self
    }
}

#[test]
fn failed_rows_are_reported_by_name() {
    let rows = ["first", "second", "third"];
    let check = |row: &&str| assert_eq!(*row, "second", "not equal");
    let failures = failures(&rows.iter().collect::<Vec<_>>(), check);
    assert_eq!(failures.len(), 2, "{failures:?}");
    assert!(failures[0].starts_with("first: ") && failures[0].contains("not equal"));
    assert!(failures[1].starts_with("third: "));
}

#[test]
fn case_name_selects_one_row() {
    assert_eq!(select(&["first", "second"], Some("second")), [&"second"]);
    assert_eq!(select(&["first", "second"], None).len(), 2);
}

#[test]
#[should_panic(expected = "no row is named Some(\"third\")")]
fn unknown_case_name_fails() {
    select(&["first", "second"], Some("third"));
}
