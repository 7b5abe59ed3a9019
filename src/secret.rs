//! Secret text: passwords, secret access keys and tokens.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

/// A secret, which is wiped from memory when it is dropped.
///
/// Has no `Display`; its `Debug` output is `****`. A copy that a parser or a request makes is not
/// wiped.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Returns the secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        secret.to_owned().into()
    }
}

/// Removes known secrets from text.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// The secrets and their replacements, the longest secret first: if a shorter secret is a part
    /// of it, replacing that one would leave the rest.
    secrets: Vec<(Secret, String)>,
}

impl Redactor {
    /// Creates a redactor from secrets and the text that replaces each; empty secrets are ignored.
    pub fn new(secrets: impl IntoIterator<Item = (Secret, String)>) -> Self {
        let mut secrets: Vec<_> = secrets.into_iter().collect();
        secrets.retain(|(secret, _)| !secret.expose().is_empty());
        secrets.sort_by_key(|(secret, _)| Reverse(secret.expose().len()));
        Self { secrets }
    }

    /// Creates a redactor that replaces one secret by `****`.
    #[must_use]
    pub fn for_secret(secret: &Secret) -> Self {
        Self::new([(secret.clone(), "****".to_owned())])
    }

    /// Returns `text` without the secrets; a text without secrets is not copied.
    #[must_use]
    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        for (secret, replacement) in &self.secrets {
            if redacted.contains(secret.expose()) {
                redacted = redacted.replace(secret.expose(), replacement).into();
            }
        }
        redacted
    }

    /// Returns true if `text` contains a secret.
    #[must_use]
    pub fn finds(&self, text: &str) -> bool {
        let mut secrets = self.secrets.iter();
        secrets.any(|(secret, _)| text.contains(secret.expose()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expose_returns_the_secret() {
        let secret = Secret::from("a-token");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "**** Some(****)");
        assert_eq!(secret.expose(), "a-token");
    }

    #[test]
    fn secret_is_read_from_json_string() {
        let secret: Secret = serde_json::from_str("\"a\\\"b\"").unwrap();
        assert_eq!(secret, Secret::from("a\"b".to_owned()));
        let error = serde_json::from_str::<Secret>("7").unwrap_err();
        assert!(error.to_string().contains("expected a string"), "{error}");
    }

    #[test]
    fn overlapping_secrets_are_redacted_completely() {
        let secret = |text: &str, mark: &str| (Secret::from(text), mark.to_owned());
        let redactor = Redactor::new([
            secret("key", "1"),
            secret("", "2"),
            secret("a-key-of-a-test", "3"),
        ]);
        assert_eq!(redactor.apply("key a-key-of-a-test"), "1 3");
        assert!(redactor.finds("a key"));
        let plain = "no secret";
        assert!(!redactor.finds(plain));
        assert!(matches!(redactor.apply(plain), Cow::Borrowed(same) if same == plain));
    }
}
