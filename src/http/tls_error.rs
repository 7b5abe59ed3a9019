//! The errors of TLS in words.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error};
use time::OffsetDateTime;

/// The keys and signatures that are supported; see `docs/dependencies.md`.
const UNSUPPORTED: &str = "its certificate, or that of its CA, has a key or signature that this \
                           program does not support; supported are RSA with 2048 to 8192 bits, \
                           ECDSA on P-256, P-384 and P-521, and Ed25519, with SHA-256, SHA-384 or \
                           SHA-512";

/// Returns true if another CA bundle or server certificate could prevent `error`.
pub(super) fn is_about_trust(error: &io::Error) -> bool {
    matches!(of_io(error), Some(Error::InvalidCertificate(error)) if !is_unsupported(error))
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
                names => names.join(", "),
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
        Certificate::Other(why) if why.to_string() == "CaUsedAsEndEntity" => {
            "its certificate is one of a CA (CA:TRUE), which is accepted only if the CA bundle \
             contains it"
                .to_owned()
        }
        error => format!("its certificate is not accepted: {error}"),
    }
}

/// Returns the date of a time, in UTC.
fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let time = OffsetDateTime::from_unix_timestamp(seconds);
    time.map_or_else(|_| "an invalid date".to_owned(), |t| t.date().to_string())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;

    use super::*;

    fn described(error: Error) -> String {
        describe(&io::Error::new(io::ErrorKind::InvalidData, error)).unwrap()
    }

    #[test]
    fn tls_errors_are_described_in_words() {
        let time = |s| UnixTime::since_unix_epoch(std::time::Duration::from_secs(s));
        let name = ServerName::try_from("a.example").unwrap();
        let other = CertificateError::NotValidForNameContext {
            expected: name,
            presented: vec!["DnsName(\"b.example\")".to_owned()],
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
                "not valid for a.example, only for DnsName(\"b.example\")",
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
