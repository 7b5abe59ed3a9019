//! Files in the caches of the AWS CLI.

use std::fmt::Write;

/// Returns a file name in a cache of the AWS CLI: the hash of `key` in lower-case hex, and `.json`.
pub fn cache_name(algorithm: &'static ring::digest::Algorithm, key: &str) -> String {
    let hash = ring::digest::digest(algorithm, key.as_bytes());
    let mut name = String::new();
    for byte in hash.as_ref() {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".json"
}
