//! Parses the command line with clap.

mod command;
mod region;
mod resource_types;
mod scan_args;

pub use command::{Command, command, parse};
pub use scan_args::OutputOptions;

#[cfg(test)]
mod tests;
