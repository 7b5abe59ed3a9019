//! The errors of TLS in words.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};
use time::OffsetDateTime;

use crate::text::list;

/// The keys and signatures that are supported; see `docs/dependencies.md`.
const UNSUPPORTED: &str = "its certificate, or that of its CA, has a key or signature that this \
                           program does not support; supported are RSA with 2048 to 8192 bits, \
                           ECDSA on P-256, P-384 and P-521, and Ed25519, with SHA-256, SHA-384 or \
                           SHA-512";

/// The reason of webpki for a certificate of a CA as that of a server.
const CA_AS_SERVER: &str = "CaUsedAsEndEntity";

/// The maximum number of names of a certificate in a message.
const MAX_NAMES: usize = 5;

/// Returns true if another CA bundle could prevent `error`.
pub(super) fn is_about_trust(error: &io::Error) -> bool {
    use CertificateError as Certificate;
    match of_io(error) {
        Some(Error::InvalidCertificate(Certificate::Other(why))) => why.to_string() == CA_AS_SERVER,
        Some(Error::InvalidCertificate(error)) => {
            matches!(
                error,
                Certificate::UnknownIssuer | Certificate::BadSignature
            )
        }
        _ => false,
    }
}

fn is_unsupported(error: &CertificateError) -> bool {
    use CertificateError as Certificate;
    matches!(
        error,
        Certificate::UnsupportedSignatureAlgorithmContext { .. }
            | Certificate::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    )
}

/// Describes the error of a TLS connection; `None` for other errors.
pub(super) fn describe(error: &io::Error) -> Option<String> {
    Some(match of_io(error)? {
        Error::InvalidCertificate(error) if is_unsupported(error) => UNSUPPORTED.to_owned(),
        Error::InvalidCertificate(error) => describe_certificate(error),
        Error::AlertReceived(AlertDescription::HandshakeFailure) => {
            "the server refused the TLS handshake: it has no TLS version, cipher or kind of \
             certificate in common with this program"
                .to_owned()
        }
        Error::AlertReceived(alert) => format!("the server refused the TLS handshake ({alert:?})"),
        Error::InvalidMessage(_) => "the server's response is not TLS".to_owned(),
        Error::PeerIncompatible(why) => {
            format!("the server has no TLS version or cipher in common with this program ({why:?})")
        }
        error => error.to_string(),
    })
}

fn of_io(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn describe_certificate(error: &CertificateError) -> String {
    use CertificateError as Certificate;
    match error {
        Certificate::UnknownIssuer => "its certificate is not signed by a trusted CA".to_owned(),
        Certificate::ExpiredContext { not_after, .. } => {
            format!("a certificate expired on {}", date(*not_after))
        }
        Certificate::NotValidYetContext { not_before, .. } => {
            let date = date(*not_before);
            format!("a certificate is not valid before {date}; check this machine's clock")
        }
        Certificate::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names = match presented.as_slice() {
                [] => "no name".to_owned(),
                names => list(names.iter().map(|name| bare_name(name)), MAX_NAMES),
            };
            format!(
                "its certificate is not valid for {}, only for {names}",
                expected.to_str()
            )
        }
        // A key whose size is not supported gives the same error.
        Certificate::BadSignature => {
            "the signature of a certificate does not belong to the key of its CA, or the key is an \
             RSA key of fewer than 2048 or more than 8192 bits"
                .to_owned()
        }
        Certificate::InvalidPurposeContext { .. } => {
            "its certificate is not one for TLS servers".to_owned()
        }
        Certificate::BadEncoding => "a certificate is not valid".to_owned(),
        Certificate::Other(why) if why.to_string() == CA_AS_SERVER => {
            "its certificate is one of a CA (CA:TRUE), which is accepted only if the CA bundle \
             contains it"
                .to_owned()
        }
        Certificate::Other(why) => not_accepted(&why.to_string()),
        error => not_accepted(&error.to_string()),
    }
}

/// Returns the message of another error, whose name, such as `NameConstraintViolation`, is split into words.
fn not_accepted(name: &str) -> String {
    let mut text = "its certificate, or that of its CA, is not accepted:".to_owned();
    for c in name.chars() {
        if c.is_uppercase() {
            text.push(' ');
        }
        text.extend(c.to_lowercase());
    }
    text
}

/// Returns a name of a certificate without its type: `DnsName("a.example")`, `IpAddress(127.0.0.1)`.
fn bare_name(name: &str) -> &str {
    let value = name.split_once('(').map_or(name, |(_, value)| value);
    value.trim_end_matches(')').trim_matches('"')
}

/// Returns the date of a time, in UTC.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds);
    time.map_or_else(|_| "an invalid date".to_owned(), |t| t.date().to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;
    use rustls::pki_types::ServerName;

    use super::*;

    fn described(error: Error) -> String {
        describe(&io::Error::new(io::ErrorKind::InvalidData, error)).unwrap()
    }

    /// Returns the error of webpki with this name, which rustls has no name for.
    fn webpki(name: &str) -> CertificateError {
        CertificateError::Other(OtherError(Arc::new(io::Error::other(name.to_owned()))))
    }

    #[test]
    fn trust_is_named_only_where_it_helps() {
        for (error, is_trust) in [
            (CertificateError::UnknownIssuer, true),
            (CertificateError::BadSignature, true),
            (webpki(CA_AS_SERVER), true),
            (webpki("UnsupportedCertVersion"), false),
            (CertificateError::Expired, false),
            (CertificateError::NotValidForName, false),
        ] {
            let text = format!("{error:?}");
            let error = io::Error::new(io::ErrorKind::InvalidData, Error::from(error));
            assert_eq!(is_about_trust(&error), is_trust, "{text}");
        }
    }

    #[test]
    fn tls_errors_are_described_in_words() {
        let time = |s| UnixTime::since_unix_epoch(std::time::Duration::from_secs(s));
        let name = ServerName::try_from("a.example").unwrap();
        let other = CertificateError::NotValidForNameContext {
            expected: name,
            presented: ["DnsName(\"b.example\")", "IpAddress(127.0.0.1)"]
                .map(str::to_owned)
                .into(),
        };
        let expired = CertificateError::ExpiredContext {
            time: time(0),
            not_after: time(86_400),
        };
        let unsupported = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![6, 3, 43, 101, 113],
            supported_algorithms: Vec::new(),
        };
        for (error, part) in [
            (
                other.into(),
                "not valid for a.example, only for b.example, 127.0.0.1",
            ),
            (expired.into(), "a certificate expired on 1970-01-02"),
            (
                CertificateError::UnknownIssuer.into(),
                "not signed by a trusted CA",
            ),
            (
                unsupported.into(),
                "a key or signature that this program does not support",
            ),
            (CertificateError::Revoked.into(), "is not accepted: revoked"),
            (
                webpki("NameConstraintViolation").into(),
                "is not accepted: name constraint violation",
            ),
            (
                Error::AlertReceived(AlertDescription::HandshakeFailure),
                "no TLS version, cipher or kind of certificate in common",
            ),
            (
                Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType),
                "the server's response is not TLS",
            ),
        ] {
            let text = described(error);
            assert!(text.contains(part), "{text}");
            assert!(!text.contains(['[', ']']), "no byte arrays: {text}");
        }
        assert_eq!(describe(&io::Error::other("x")), None);
    }
}
