//! What several targets need: keys, a sender that answers from the input, and how secrets are
//! looked for.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config_resource_count::http::{HttpSend, Request, Response, TransportError};

/// The access key id of the targets.
pub const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";
/// Their secret access key.
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
/// Their session token.
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEJr//////////wEaCXVzLWVhc3QtMSJHMEUCIQDVuoO8Zq6CmS0XkE5l";

/// What `text` holds of `secrets`, if it was made from `input`: a whole one, or a piece that is left
/// of one. A piece that stood alone is nobody's to find, nor one that the input writes in escapes.
#[must_use]
pub fn leak<'a>(text: &str, input: &[u8], secrets: &[&'a str]) -> Option<&'a str> {
    if let Some(whole) = secrets.iter().find(|secret| text.contains(**secret)) {
        return Some(whole);
    }
    let mut rest = String::from_utf8_lossy(input).into_owned();
    for secret in secrets {
        rest = rest.replace(secret, "|");
    }
    if rest.contains(['\\', '&']) || piece(&rest, 6, secrets).is_some() {
        return None;
    }
    piece(text, 8, secrets)
}

/// A piece of a secret, `length` bytes long, that `text` holds.
fn piece<'a>(text: &str, length: usize, secrets: &[&'a str]) -> Option<&'a str> {
    secrets
        .iter()
        .flat_map(|secret| (length..=secret.len()).map(|end| &secret[end - length..end]))
        .find(|piece| text.contains(piece))
}

/// The input as an answer, written like one of HTTP: a status, headers, an empty line, the body.
#[must_use]
pub fn response(data: &[u8]) -> Response {
    let mut response = Response::default();
    let mut rest = data;
    let mut line = || {
        let at = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let (line, behind) = rest.split_at(at);
        rest = behind.get(1..).unwrap_or_default();
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

/// Gives every request the same answer.
pub struct Always(pub Response);

impl HttpSend for Always {
    fn send(&self, _: &Request) -> Result<Response, TransportError> {
        Ok(self.0.clone())
    }
}

/// A folder of one's own, in memory where the system has such; it goes with the value.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A folder that is not there yet.
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

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
