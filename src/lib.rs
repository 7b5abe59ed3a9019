//! Counts the resources that AWS Config knows, per region and resource type, in every enabled
//! region of an account. Every number it writes is exact, or it is not there and the log says why.
//!
//! The program is a thin binary over this library. Its floors, from the top; imports point only
//! downwards, which `tests/architecture.rs` holds:
//!
//! | floor | module | owns |
//! |---|---|---|
//! | 4 | `main.rs` | wires the real clock, environment and network; the exit code |
//! | 4 | [`cli`] | the command line → one validated, typed [`config::Config`] |
//! | 3 | [`app`] | the specification's steps in their order |
//! | 3 | [`preflight`] | the eight checks; what they fetch is handed on |
//! | 3 | [`config`] | what one run is asked to do |
//! | 3 | [`world`] | environment, time and network of a run, or the recording in their place |
//! | 3 | [`console`] | check marks, the bar, the summary |
//! | 3 | [`report`] | the machine-readable report of a run |
//! | 3 | [`iam_policy`] | the smallest policy that a run needs |
//! | 2 | [`scan`] | the tasks of each region on a pool of its own; what an answer means |
//! | 2 | [`coverage`] | what is known of every region and type, and why not more |
//! | 2 | [`count`] | how a region's types are counted, one file a call; the methods |
//! | 2 | [`error_log`] | the ten error types, the log line, the error file |
//! | 2 | [`export`] | rows → bytes, one file a format; the atomic write |
//! | 1 | [`aws`] | one call: sign, send, classify, wait; operations, credentials, endpoints |
//! | 0 | [`http`] | requests, responses, the [`http::HttpSend`] seam; network, proxies, record, replay |
//! | 0 | [`clock`], [`env`](mod@env), [`interrupt`], [`model`] | time, environment, Ctrl-C, the nouns |
//!
//! A run, in one line: argv → [`config::Config`] → [`preflight`] hands on credentials, account,
//! alias and regions → [`scan`] counts each region through [`aws::client::Client::call`], and asks for
//! its recorder beside that → results travel over a channel to the main thread, which alone draws
//! the bar and writes the log → [`coverage`] says what is known → bytes → atomic write → summary.
//!
//! Three seams let nothing in that is not handed in: [`http::HttpSend`], [`clock::Clock`] and
//! [`env::Env`]. A test hands in recordings, a clock that nobody waits for, and a folder.
//!
//! To add
//! - an AWS operation: a file in `aws/ops/`, a `mod` line, a fixture;
//! - a credentials provider: a file in `aws/credentials/`, a line in the chain, a folder in
//!   `tests/credentials/`;
//! - an output format: a file in `export/`, an arm of [`export::Format`];
//! - another output: a function of [`export::Table`], a line in `app/outputs.rs`;
//! - a way to count: an arm of [`count::Method`]; where it needs another call, a file in `count/` and
//!   a function of [`count::CountResources`].

pub mod app;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod count;
pub mod coverage;
pub mod env;
pub mod error_log;
pub mod export;
pub mod http;
pub mod iam_policy;
pub mod interrupt;
pub mod model;
pub mod preflight;
pub mod report;
pub mod scan;
pub mod world;
