//! Shared code of the fuzz targets: example credentials, a fake HTTP client, a search for secrets.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config_resource_count::http::{HttpClient, Request, Response, TransportError};

/// The access key ID of the targets.
pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
/// The secret access key of the targets.
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// The session token of the targets.
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDVuoO8Zq6CmS0XkE5l";

/// Returns the first secret, or part of a secret, that `text` contains after it was made from
/// `input`. Parts are not searched if the input itself contains a separate part of a secret or uses
/// escapes.
#[must_use]
pub fn leak<'a>(text: &str, input: &[u8], secrets: &[&'a str]) -> Option<&'a str> {
    if let Some(secret) = secrets.iter().find(|secret| text.contains(**secret)) {
        return Some(secret);
    }
    let mut rest = String::from_utf8_lossy(input).into_owned();
    for secret in secrets {
        rest = rest.replace(secret, "|");
    }
    if rest.contains(['\\', '&']) || part(&rest, 6, secrets).is_some() {
        return None;
    }
    part(text, 8, secrets)
}

/// Returns a part of a secret, `length` bytes long, that `text` contains.
fn part<'a>(text: &str, length: usize, secrets: &[&'a str]) -> Option<&'a str> {
    secrets
        .iter()
        .flat_map(|secret| (length..=secret.len()).map(|end| &secret[end - length..end]))
        .find(|part| text.contains(part))
}

/// Parses the input as an HTTP-like response: a status, headers, an empty line, the body.
#[must_use]
pub fn response(data: &[u8]) -> Response {
    let mut response = Response::default();
    let mut rest = data;
    let mut line = || {
        let at = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let (line, remaining) = rest.split_at(at);
        rest = remaining.get(1..).unwrap_or_default();
        String::from_utf8_lossy(line).into_owned()
    };
    response.status = line().trim().parse().unwrap_or(400);
    loop {
        let header = line();
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        let pair = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        response.headers.push(pair);
    }
    response.body = rest.to_vec();
    response
}

/// An HTTP client that returns the same response to every request.
pub struct Always(pub Response);

impl HttpClient for Always {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

/// A unique directory, in memory if the system supports it; removed on drop.
pub struct TempDir(pub PathBuf);

impl TempDir {
    /// Returns the path of a new directory, without creating it.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fuzz-{}-{n}", std::process::id());
        Self(parent.join(name))
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
