//! The CA certificates that a client trusts.

use std::sync::Arc;

use thiserror::Error;
use ureq::tls::{PemItem, RootCerts, parse_pem};

use super::settings::CaBundle;

/// The error of a file without usable CA certificates.
#[derive(Debug, Error)]
pub enum CaBundleError {
    /// The file is not in PEM format.
    #[error("{name}: not a PEM file: {source}")]
    NotPem {
        /// [`CaBundle::name`].
        name: String,
        /// The error of the parser.
        source: ureq::Error,
    },
    /// The file contains no certificate.
    #[error("{name}: contains no certificate")]
    Empty {
        /// [`CaBundle::name`].
        name: String,
    },
}

/// Parses the certificates of `bundle`; keys in it are ignored.
pub(super) fn root_certificates(bundle: &CaBundle) -> Result<RootCerts, CaBundleError> {
    let name = bundle.name.clone();
    let mut certificates = Vec::new();
    for item in parse_pem(&bundle.pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(source) => return Err(CaBundleError::NotPem { name, source }),
        }
    }
    if certificates.is_empty() {
        return Err(CaBundleError::Empty { name });
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bundle_without_certificate_is_rejected() {
        let broken = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
        for (pem, expected) in [
            ("", "bundle.pem: contains no certificate"),
            ("hello", "bundle.pem: contains no certificate"),
            (broken, "bundle.pem: not a PEM file: "),
        ] {
            let (name, pem) = ("bundle.pem".to_owned(), pem.as_bytes().to_vec());
            let error = root_certificates(&CaBundle { name, pem }).unwrap_err();
            let text = error.to_string();
            assert!(text.starts_with(expected), "{text}");
        }
    }
}
