//! Secret text: passwords, secret access keys and tokens.

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
}
