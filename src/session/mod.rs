//! A session: what makes a client, from the command line, the environment and the profile (boto3's term).

mod client;
mod recorded_home;
mod settings;

pub use client::{Session, SessionParts};
pub use settings::{DEFAULT_REGION, SettingsError, default_region};
