//! Counts the resources that AWS Config has discovered in an AWS account, by region and resource type.
//! A count is complete or absent; the log says why it is absent.
//!
//! The program is a thin binary over this library, which is not a stable API. A module imports only from lower layers
//! or from its own files, and no files import each other (`tests/architecture.rs`):
//!
//! | layer | module | owns |
//! |---|---|---|
//! | 14 | `main.rs` | the real clock, environment, network and terminal; the exit code |
//! | 13 | [`cli`] | the command line: clap → a typed command |
//! | 12 | [`commands`] | one file per command, readable as the steps of the specification |
//! | 11 | [`preflight`] | the eight checks, joined in display order |
//! | 11 | [`scan`] | the scheduler, one region's steps and result, what to do after an error |
//! | 11 | [`console`] | check marks, progress bar, summary |
//! | 11 | [`output`] | rows, CSV, JSON report, table |
//! | 10 | [`session`] | profile, start region, endpoints, trust, proxies, credentials → a client |
//! | 9 | [`advice`] | error → what the user can do; below `cli`, only this module gives advice about options |
//! | 9 | [`runtime`] | environment, clock, interrupt and network of a run, or its recording |
//! | 8 | [`accounts`] | the accounts of a run of many: where the list comes from, how each is accessed |
//! | 7 | [`options`] | what a run is asked to do, typed |
//! | 7 | [`coverage`] | the status of every region and type, and the reason for every missing count |
//! | 6 | [`inventory`] | one file per way to count; the methods |
//! | 5 | [`aws`] | one call: sign, send, classify, retry, refresh; operations, credentials, endpoints |
//! | 4 | [`recording`] | cassettes, the recording and the replaying client, the replay's clock and environment |
//! | 3 | [`http`] | request, response, the [`http::HttpClient`] trait; the ureq client, proxies, TLS |
//! | 4 | [`error_file`] | the error file of a run |
//! | 3 | [`error_log`] | the ten error types, the log line |
//! | 2 | [`atomic_file`], [`run_lock`], [`clock`], [`env`](mod@env) | files written in one step, the lock of the output directory, time, environment |
//! | 2 | [`model`], [`untrusted`] | the nouns, text from the network |
//! | 1 | [`interrupt`], [`redact`] | signals, redaction |
//! | 0 | [`process_tree`], [`secret`], [`sync`], [`text`], [`workers`] | signals to commands, secrets, locks, text, the rayon pool |
//!
//! A run in one sentence: options → session → checks → workers take steps of regions and count them through
//! [`aws::client::Client`] → results travel over one channel to the main thread, which draws the bar, writes the log and
//! builds the coverage → rows → bytes → atomic files → summary.
//!
//! Three traits are the seams for tests: [`http::HttpClient`], [`clock::Clock`] and [`env::Env`]. Whatever is not
//! passed in cannot be reached.
//!
//! To add
//! - an AWS operation: one file in `aws/ops/`, one `mod` line, one fixture;
//! - a credential provider: one file in `aws/credentials/`, one line in the chain, one directory in
//!   `tests/credentials/`;
//! - a way to count: one file in `inventory/`, one arm of [`inventory::Method`];
//! - a table or report format: one file in `output/`, one arm in `commands/outputs.rs`;
//! - a command: one file in `commands/`, one in `cli/`.

pub mod accounts;
pub mod advice;
pub mod atomic_file;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod console;
pub mod coverage;
pub mod env;
pub mod error_file;
pub mod error_log;
pub mod http;
pub mod interrupt;
pub mod inventory;
pub mod model;
pub mod options;
pub mod output;
pub mod preflight;
pub mod process_tree;
pub mod recording;
pub mod redact;
pub mod run_lock;
pub mod runtime;
pub mod scan;
pub mod secret;
pub mod session;
pub mod sync;
pub mod text;
pub mod untrusted;
pub mod workers;
