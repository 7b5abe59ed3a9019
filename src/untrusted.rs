//! Text from the network, which may repeat secrets of the request and may contain control
//! characters.
//!
//! The types hold the order in which such text becomes part of a message: first secrets are
//! removed, then control characters, and only then the text is cut. Half a secret would not be
//! found.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::redact;
use crate::secret::Redactor;
use crate::text::sanitize;

/// The maximum length of a text that is redacted, in characters; more than any message shows.
const MAX_CHARS: usize = 16_000;

/// Text as received from the network; it has no `Display`, and its `Debug` output is its length.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Untrusted(String);

impl Untrusted {
    /// Creates the text of `bytes`; invalid UTF-8 is replaced.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Returns the text as received, to compare it; it must not be shown.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Parses the text; the error is dropped, because it may quote the text.
    #[must_use]
    pub fn parse<T: FromStr>(&self) -> Option<T> {
        self.0.parse().ok()
    }

    /// Returns the start of the text without the secrets of `redactor` and without those of a
    /// [`redact::message`].
    #[must_use]
    pub fn redact(&self, redactor: &Redactor) -> Redacted {
        let end = self.0.char_indices().nth(MAX_CHARS).map(|(at, _)| at);
        let start = &self.0[..end.unwrap_or(self.0.len())];
        Redacted(redact::message(&redactor.apply(start)))
    }

    /// Returns the text if it contains no secret of `redactor`.
    #[must_use]
    pub fn without_secret(self, redactor: &Redactor) -> Option<String> {
        Some(self.0).filter(|text| !redactor.finds(text))
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Untrusted({} bytes)", self.0.len())
    }
}

/// Text from the network without secrets; only [`Self::shown`] returns it for a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redacted(String);

impl Redacted {
    /// Returns the text as one line of at most `limit` characters, without control characters; see
    /// [`sanitize`].
    #[must_use]
    pub fn shown(&self, limit: usize) -> String {
        sanitize(&self.0, limit)
    }

    /// Applies `change`, such as a further redaction, to the complete text.
    #[must_use]
    pub fn map(&self, change: impl FnOnce(&str) -> String) -> Self {
        Self(change(&self.0))
    }

    /// Parses the text.
    ///
    /// # Errors
    /// The text is not valid; the error may quote it.
    pub fn parse<T: FromStr>(&self) -> Result<T, T::Err> {
        self.0.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn text_is_redacted_before_it_is_cut() {
        let secret = Secret::from("the-secret-of-a-test");
        let redactor = Redactor::for_secret(&secret);
        let text = Untrusted::from("echo\nthe-secret-of-a-test\u{1b}");
        assert_eq!(format!("{text:?}"), "Untrusted(26 bytes)");
        assert_eq!(text.redact(&redactor).shown(80), "echo ****\\u{1b}");
        assert_eq!(text.redact(&redactor).shown(6), "echo *…");
        assert_eq!(text.without_secret(&redactor), None);
        let plain = Untrusted::from("7");
        assert_eq!(plain.parse(), Some(7));
        assert_eq!(plain.without_secret(&redactor).as_deref(), Some("7"));
    }
}
