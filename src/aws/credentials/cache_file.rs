//! Files in the caches of the AWS CLI.

use std::fmt::Write;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Returns a file name in a cache of the AWS CLI: the hash of `key` in lower-case hex, and `.json`.
pub fn cache_name(algorithm: &'static aws_lc_rs::digest::Algorithm, key: &str) -> String {
    let hash = aws_lc_rs::digest::digest(algorithm, key.as_bytes());
    let mut name = String::new();
    for byte in hash.as_ref() {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".json"
}

/// Returns a time in whole seconds, as the AWS CLI writes it.
pub fn cache_time(time: OffsetDateTime) -> String {
    let seconds = time.replace_nanosecond(0).unwrap_or(time);
    seconds.format(&Rfc3339).unwrap_or_default()
}
