//! The built binary against a server in this process: sockets, TLS, time-outs and signals are real.

#[path = "../support/mod.rs"]
mod support;

mod server;
