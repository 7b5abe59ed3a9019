//! AWS calls: credentials, endpoints, signatures, protocols, retries and operations.

pub mod client;
pub mod config_file;
pub mod credential_cache;
pub mod credentials;
pub mod endpoint;
pub mod error;
mod error_kind;
pub mod identity_flag;
pub mod limiter;
pub mod operation;
pub mod ops;
pub mod page;
pub mod partition;
pub mod protocol;
pub mod retry;
mod sign;
pub mod usage;
