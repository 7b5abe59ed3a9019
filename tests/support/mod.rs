//! What tests and benchmarks run the program against: an HTTP server in their own process that
//! speaks AWS or misbehaves as it is told, and a way to run the built binary.
//!
//! Blocking, on `std::net`, a thread per connection: sockets, time-outs, resets and TLS are real.
//! A test hands a closure to [`Server`]: [`Call`] in, [`Reply`] out. [`Account`] is such a closure
//! for a whole AWS account, and a test only says where it differs.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses its own part"
)]

mod account;
mod answers;
mod call;
mod connection;
mod identifiers;
mod journal;
mod outcome;
mod program;
mod proxy;
mod reply;
mod server;
mod tls;

pub use account::{Account, Recorder};
pub use answers::Answers;
pub use call::Call;
pub use outcome::Outcome;
pub use program::{Program, Running};
pub use proxy::Proxy;
pub use reply::{Reply, Then, escape};
pub use server::Server;
pub use tls::Certificate;
