//! Parses the command line with clap.

mod accept_missing;
mod account_args;
mod account_list;
mod accounts;
mod command;
mod completions;
mod format;
mod help;
mod iam_policy;
mod man;
mod name_file;
mod path;
mod region;
mod resource_types;
mod resume_command;
mod scan_args;

pub use command::{Command, color, command, parse};
pub use scan_args::OutputOptions;

#[cfg(test)]
mod tests;
