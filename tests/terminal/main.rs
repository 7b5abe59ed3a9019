//! Runs the built binary in a pseudo-terminal and compares what the terminal shows.
//!
//! Nearly every run replays a recording, so that it sends no request, waits for nothing, and has the same output each
//! time.
//!
//! - `screens.rs`: the rules for every width, every kind of terminal and every set of streams.
//! - `live.rs`: screens of a scan that waits for a region of a local server, and that is interrupted.
//! - `accounts.rs`: screens of a run of many accounts, recorded from a local server and replayed.
//! - `captures.rs`: whole screens in `expected/`. Rewrite them, and review the difference:
//!   `UPDATE_EXPECTED=1 cargo test --locked --test terminal`

#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod captures;
mod live;
mod pty;
mod recording;
mod screen;
mod screens;
mod volatile;
