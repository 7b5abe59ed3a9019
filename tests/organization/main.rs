//! Tests of runs of many accounts: the built binary against a server that acts as AWS for an organization.

#[path = "../support/mod.rs"]
mod support;

mod access;
mod combined;
mod connections;
mod isolation;
mod manage;
mod profiles;
mod recorded_sources;
mod recording;
mod regions;
mod report;
mod resume;
mod selection;
mod sources;
mod sso;
mod strict;
mod time_limit;
mod units;

use support::{Account, Organization, Outcome, Program, Server};

const VPC: &str = "AWS::EC2::VPC";
const BUCKET: &str = "AWS::S3::Bucket";

/// Returns an organization of `n` accounts with two regions; each account has other numbers.
fn organization(n: usize) -> Organization {
    Organization::new(n, |number| {
        Account::new()
            .alias(&format!("alias-{number}"))
            .region("us-east-1", &[(VPC, number), (BUCKET, number + 1)])
            .region("eu-west-1", &[(VPC, 1), (BUCKET, 0)])
    })
}

/// Runs the program for two types with `args`.
fn run(server: &Server, args: &[&str]) -> Outcome {
    let types = format!("{VPC},{BUCKET}");
    let program = Program::new(server).args(["--resource-types", &types]);
    program.args(args).run()
}

/// Returns the content of an output file.
fn file(run: &Outcome, name: &str) -> Option<String> {
    let path = run.files().into_iter().find(|path| path.ends_with(name))?;
    Some(std::fs::read_to_string(run.directory().join(path)).unwrap())
}

/// Returns the statuses of the accounts, in the order of the accounts file.
fn statuses(run: &Outcome, scope: &str) -> Vec<(String, String)> {
    let table = file(run, &format!("aws_config_combined_accounts_{scope}.csv"));
    let table = table.unwrap_or_else(|| panic!("{}", run.describe()));
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let status = reader
        .headers()
        .unwrap()
        .iter()
        .position(|name| name == "status")
        .unwrap();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| (row[0].to_owned(), row[status].to_owned()))
        .collect()
}
