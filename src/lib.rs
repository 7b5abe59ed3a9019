//! Counts.
pub mod app;
pub mod aws;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod count;
pub mod env;
pub mod error_log;
pub mod export;
pub mod http;
pub mod interrupt;
pub mod model;
pub mod preflight;
pub mod scan;
