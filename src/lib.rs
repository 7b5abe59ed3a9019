//! Counts the resources that AWS Config has discovered, per region and resource type, in every
//! enabled region of an account. Every count is exact, or it is absent and the error log gives the
//! reason.
//!
//! The program is a thin binary over this library. Its layers, from the top; a module imports only
//! from its own layer or a lower one, which `tests/architecture.rs` checks:
//!
//! | layer | module | owns |
//! |---|---|---|
//! | 4 | `main.rs` | connects the real clock, environment and network; the exit code |
//! | 4 | [`cli`] | the command line → one validated, typed [`options::Options`] |
//! | 3 | [`app`] | the steps of the specification, in order |
//! | 3 | [`preflight`] | the eight checks; the scan reuses their results |
//! | 3 | [`options`] | the options of one run |
//! | 3 | [`runtime`] | environment, time and network of a run, or the recording that replaces them |
//! | 3 | [`console`] | check marks, the progress bar, the summary |
//! | 3 | [`output`] | rows → bytes, one file per format; the report of a run |
//! | 3 | [`iam_policy`] | the smallest IAM policy that a run needs |
//! | 2 | [`scan`] | the tasks of each region, on their own thread pool; how errors are handled |
//! | 2 | [`advice`] | what the user can do about an error or a missing count |
//! | 2 | [`coverage`] | the status of every region and type, and the reason for every missing count |
//! | 2 | [`inventory`] | the calls that count a region's types, one file each; the methods |
//! | 2 | [`error_log`] | the ten error types, the log line, the error file |
//! | 1 | [`aws`] | one API call: sign, send, classify, retry; operations, credentials, endpoints |
//! | 0 | [`http`] | requests, responses, the [`http::HttpClient`] trait; the client of the network, proxies |
//! | 0 | [`recording`] | cassettes, the recording and the replaying client, the replay's clock and environment |
//! | 0 | [`clock`], [`env`](mod@env), [`interrupt`], [`atomic_file`], [`model`], [`redact`], [`secret`], [`sync`], [`text`], [`untrusted`] | time, environment, Ctrl-C, files, domain types |
//!
//! The data flow of a run: command line → [`options::Options`] → [`preflight`] returns credentials,
//! account, alias and regions → [`scan`] counts each region through [`aws::client::Client::call`]
//! and requests the region's recorder at the same time → a channel carries the results to the main
//! thread, the only one that draws the bar and writes the log → [`coverage`] sets the status of
//! each count → bytes → atomic write → summary.
//!
//! Network, time and environment are reached only through three traits: [`http::HttpClient`],
//! [`clock::Clock`] and [`env::Env`]. Tests pass a recording, a clock that does not wait, and a
//! directory.
//!
//! To add
//! - an AWS operation: a file in `aws/ops/`, a `mod` line, a fixture;
//! - a credential provider: a file in `aws/credentials/`, a line in the chain, a directory in
//!   `tests/credentials/`;
//! - an output format: a file in `output/`, a line in `app/outputs.rs`;
//! - another output file: a struct in `output/rows.rs`, a line in `app/outputs.rs`;
//! - a way to count: an arm of [`inventory::Method`]; if it needs another call, a file in
//!   `inventory/` and a function of [`inventory::CountResources`].

pub mod advice;
pub mod atomic_file;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod console;
pub mod coverage;
pub mod env;
pub mod error_log;
pub mod http;
pub mod interrupt;
pub mod inventory;
pub mod model;
pub mod options;
pub mod output;
pub mod preflight;
pub mod recording;
pub mod redact;
pub mod runtime;
pub mod scan;
pub mod secret;
pub mod session;
pub mod sync;
pub mod text;
pub mod untrusted;
pub mod workers;
