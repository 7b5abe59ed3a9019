//! The shared files `~/.aws/config` and `~/.aws/credentials`, read as the AWS CLI does.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>. The parser is part of this
//! project: no general INI parser passes the SDKs' own test cases, and the best ones silently
//! change values.

mod shared_files;
mod shell_words;
mod syntax;

pub use shared_files::{FileKind, ProfileFile, SharedFiles, SharedFilesError, expand_home};
pub use syntax::{Section, SyntaxError, nested, parse};

#[cfg(test)]
mod tests;
