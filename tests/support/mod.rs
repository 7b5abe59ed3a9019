//! An HTTP server for tests and benchmarks that acts as AWS or fails as configured, and a runner of
//! the built binary.
//!
//! The server is in the process of the test: blocking, on `std::net`, with a thread per connection.
//! Sockets, time-outs, resets and TLS are real. A test passes a handler to [`Server`], which maps a
//! [`Call`] to a [`Reply`]. [`Account`] is such a handler for a whole AWS account; a test overrides
//! single replies with [`Account::serve_with`].

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses a part of the module"
)]

mod account;
mod call;
mod connection;
mod defaults;
mod identifiers;
mod in_process;
mod latch;
mod organization;
mod outcome;
mod program;
mod proxy;
mod reply;
mod request_log;
mod responder;
mod server;
mod tls;

pub use account::{Account, Recorder};
pub use call::Call;
pub use defaults::{DEFAULT_REGIONS, DEFAULT_TYPES};
pub use latch::Latch;
pub use organization::{ORGANIZATION, Organization, assumed_role};
pub use outcome::Outcome;
pub use program::{Program, Running};
pub use proxy::Proxy;
pub use reply::{FollowUp, Reply, escape};
pub use responder::Responder;
pub use server::Server;
pub use tls::Certificate;

/// Creates a FIFO at `path`. Opening it blocks until its other end is opened.
pub fn make_fifo(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success(), "mkfifo {}", path.display());
}
