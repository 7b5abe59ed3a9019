//! Tests of the built binary against a server in the process of the test: sockets, TLS, time-outs
//! and signals are real.

#[path = "../support/mod.rs"]
mod support;

mod accepted;
mod account_id;
mod advice;
mod completions;
mod connections;
mod control_tower;
mod coverage;
mod credential_output;
mod credential_process;
mod credentials;
mod demo;
mod endpoints;
mod file_names;
mod format;
mod guidance;
mod help;
mod listings;
mod methods;
mod names;
mod network;
mod nothing_counted;
mod outputs;
mod proxy;
mod recorded_accounts;
mod recorders;
mod refresh;
mod rejected;
mod rejected_settings;
mod report;
mod run;
mod secrets;
mod server;
mod shared_files;
mod sign_in;
mod signals;
mod streams;
mod summary;
mod tls;

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use support::{Account, Call, Server};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";
const TYPES: [&str; 2] = ["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];

/// Returns an account with two regions, two types, and three pages of buckets in us-east-1.
fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region("us-east-1", &[(VPC, 2), (BUCKET, 250)])
        .region("eu-west-1", &[(VPC, 1), (BUCKET, 7)])
}

/// Returns `csv` without the rows of `region`.
fn without_region(csv: &str, region: &str) -> String {
    let row = format!(",{region},");
    let other_rows = csv
        .split_inclusive("\r\n")
        .filter(|line| !line.contains(&row));
    other_rows.collect()
}

/// Returns `csv` without the row of one type in one region.
fn without_cell(csv: &str, region: &str, resource_type: &str) -> String {
    let row = format!(",{region},{resource_type},");
    let other_rows = csv
        .split_inclusive("\r\n")
        .filter(|line| !line.contains(&row));
    other_rows.collect()
}

/// Serves `account`, and holds the replies to all requests with a key until `n` different keys have
/// arrived.
///
/// The receiver gets true for each of these requests if the keys arrived within 20 seconds.
fn serve_at_once<T: Ord + Send + 'static>(
    account: &Account,
    n: usize,
    key_of: impl Fn(&Call) -> Option<T> + Send + Sync + 'static,
) -> (Server, Receiver<bool>) {
    let arrived = (Mutex::new(BTreeSet::new()), Condvar::new());
    let (results, in_time) = channel();
    let results = Mutex::new(results);
    let server = account.serve_with(move |call| {
        if let Some(key) = key_of(call) {
            let (keys, added) = &arrived;
            let mut keys = keys.lock().unwrap();
            keys.insert(key);
            added.notify_all();
            let timeout = Duration::from_secs(20);
            let waited = added.wait_timeout_while(keys, timeout, |keys| keys.len() < n);
            let is_in_time = !waited.unwrap().1.timed_out();
            results.lock().unwrap().send(is_in_time).unwrap();
        }
        None
    });
    (server, in_time)
}
