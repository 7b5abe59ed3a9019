//! The built binary against a server in this process: sockets, TLS, time-outs and signals are real.

#[path = "../support/mod.rs"]
mod support;

mod coverage;
mod methods;
mod network;
mod proxy;
mod report;
mod run;
mod secrets;
mod server;
mod signals;
mod streams;
mod tls;

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use support::{Account, Call, Server};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";
const TYPES: [&str; 2] = ["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];

/// Two regions, two types, three pages of buckets.
fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region("us-east-1", &[(VPC, 2), (BUCKET, 250)])
        .region("eu-west-1", &[(VPC, 1), (BUCKET, 7)])
}

/// `csv` without the rows of `region`.
fn without_region(csv: &str, region: &str) -> String {
    let row = format!(",{region},");
    let others = csv
        .split_inclusive("\r\n")
        .filter(|line| !line.contains(&row));
    others.collect()
}

/// The rows of `csv` but that of one type in one region.
fn without_cell(csv: &str, region: &str, resource_type: &str) -> String {
    let row = format!(",{region},{resource_type},");
    let others = csv
        .split_inclusive("\r\n")
        .filter(|line| !line.contains(&row));
    others.collect()
}

/// Serves `account`, and answers the calls that `of` knows once `n` different ones of them have come; tells
/// of each answer whether they did in time.
fn answering_at_once<T: Ord + Send + 'static>(
    account: &Account,
    n: usize,
    of: impl Fn(&Call) -> Option<T> + Send + Sync + 'static,
) -> (Server, Receiver<bool>) {
    let come = (Mutex::new(BTreeSet::new()), Condvar::new());
    let (waits, in_time) = channel();
    let waits = Mutex::new(waits);
    let server = account.serve_but(move |call| {
        if let Some(key) = of(call) {
            let (keys, grown) = &come;
            let mut keys = keys.lock().unwrap();
            keys.insert(key);
            grown.notify_all();
            let patience = Duration::from_secs(20);
            let waited = grown.wait_timeout_while(keys, patience, |keys| keys.len() < n);
            let all_came = !waited.unwrap().1.timed_out();
            waits.lock().unwrap().send(all_came).unwrap();
        }
        None
    });
    (server, in_time)
}
