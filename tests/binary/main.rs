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

use support::Account;

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
