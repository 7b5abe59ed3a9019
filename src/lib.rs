//! Counts.
pub mod aws;
pub mod clock;
pub mod count;
pub mod env;
pub mod error_log;
pub mod export;
pub mod http;
pub mod interrupt;
pub mod model;
pub mod scan;
