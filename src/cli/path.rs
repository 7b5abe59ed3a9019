//! The paths of files and directories on the command line.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use thiserror::Error;

/// The error of a URL where a path is expected. A URL may contain a password, and `https:` would become a directory.
#[derive(Debug, Error)]
#[error("a URL is not a path")]
pub(super) struct UrlAsPath;

/// Parses a path that is not a URL.
pub(super) fn path_parser() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(without_url)
}

fn without_url(path: PathBuf) -> Result<PathBuf, UrlAsPath> {
    let is_url = path.to_string_lossy().contains("://");
    if is_url { Err(UrlAsPath) } else { Ok(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_no_path() {
        for path in ["-", "a", "./https:/a", "C:/a", "a:b@c"] {
            assert_eq!(without_url(path.into()).unwrap(), PathBuf::from(path));
        }
        for url in ["https://host/a", "s3://bucket/a", "FILE:///a", "://a"] {
            without_url(url.into()).unwrap_err();
        }
    }
}
