//! Verifies server certificates: rustls's verifier, with the differences that OpenSSL makes.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::signatures::PSS_HANDSHAKES;

/// Verifies server certificates.
#[derive(Debug)]
pub(super) struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    /// The certificates of the bundle.
    trusted: Vec<CertificateDer<'static>>,
}

/// The schemes of handshakes with keys of type `id-RSASSA-PSS`, and the same with usual RSA keys.
///
/// <https://www.rfc-editor.org/rfc/rfc8446#section-4.2.3>
const PSS_SCHEMES: [(u16, SignatureScheme); 3] = [
    (0x0809, SignatureScheme::RSA_PSS_SHA256),
    (0x080a, SignatureScheme::RSA_PSS_SHA384),
    (0x080b, SignatureScheme::RSA_PSS_SHA512),
];

impl Verifier {
    /// Creates a verifier that trusts `roots`, and the certificates of the bundle themselves.
    ///
    /// # Errors
    /// There are no roots.
    pub(super) fn new(
        roots: RootCertStore,
        trusted: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        Ok(Self {
            inner: inner.build()?,
            trusted,
        })
    }

    /// Returns true if the only problem is that a server's certificate is one of a CA, and the bundle has
    /// this certificate: `openssl req -x509` creates such certificates for servers.
    fn is_trusted_itself(&self, certificate: &CertificateDer<'_>, error: &Error) -> bool {
        let is_ca = matches!(
            error,
            Error::InvalidCertificate(CertificateError::Other(why))
                if why.to_string() == "CaUsedAsEndEntity"
        );
        is_ca && self.trusted.iter().any(|t| t == certificate)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let inner = &self.inner;
        match inner.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            // The validity has been checked before this error.
            Err(error) if self.is_trusted_itself(certificate, &error) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let inner = &self.inner;
        inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let mut schemes = PSS_SCHEMES.iter();
        match schemes.find(|(id, _)| SignatureScheme::Unknown(*id) == signature.scheme) {
            Some((_, usual)) => {
                let mut signature = signature.clone();
                signature.scheme = *usual;
                // The function for TLS 1.2 tries every notation of the key's type.
                verify_tls12_signature(message, certificate, &signature, &PSS_HANDSHAKES)
            }
            None => self
                .inner
                .verify_tls13_signature(message, certificate, signature),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let usual = self.inner.supported_verify_schemes().into_iter();
        let pss = PSS_SCHEMES.map(|(id, _)| SignatureScheme::Unknown(id));
        usual.chain(pss).collect()
    }
}
