//! Recordings: a client that records requests and results, a client that replays them, and the clock
//! and the environment of a replay.

mod accounts;
pub mod cassette;
mod clock;
mod credentials;
mod demo;
mod environment;
mod files;
mod names;
mod record;
mod replay;
mod secrets;
mod signers;
mod source;

pub use clock::VirtualClock;
pub use environment::RecordedEnv;
pub use files::mapping_path;
pub use record::RecordingClient;
pub use replay::ReplayClient;
pub use secrets::Content;
pub use source::{CREDENTIALS_FILE, INTERACTIONS_DIR, Source};
