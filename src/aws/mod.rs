//! AWS: credentials, endpoints, signatures, protocols, retries and the operations.

pub mod client;
pub mod config_file;
pub mod credentials;
pub mod endpoint;
pub mod error;
pub mod keyring;
pub mod limit;
pub mod operation;
pub mod ops;
pub mod partition;
pub mod protocol;
pub mod retry;
mod sign;
pub mod usage;
