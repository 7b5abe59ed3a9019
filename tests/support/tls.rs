//! TLS certificates, generated for each test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

/// A server certificate, and the certificate authority that signed it.
pub struct Certificate {
    /// The authority's certificate, for `--ca-bundle`.
    pub ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Certificate {
    /// Creates a valid certificate for the servers of tests, on 127.0.0.1.
    pub fn valid() -> Self {
        Self::for_host("127.0.0.1")
    }

    /// Creates a valid certificate for another host.
    pub fn for_wrong_host() -> Self {
        Self::for_host("elsewhere.example")
    }

    /// Creates a certificate that is valid from `first` to `last`, in days from today.
    pub fn valid_between(first: i64, last: i64) -> Self {
        let day = |n| OffsetDateTime::now_utc() + time::Duration::days(n);
        let mut leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        (leaf.not_before, leaf.not_after) = (day(first), day(last));
        Self::from_params(&leaf)
    }

    /// Creates a valid certificate for `host`.
    pub fn for_host(host: &str) -> Self {
        Self::from_params(&CertificateParams::new([host.to_owned()]).unwrap())
    }

    fn from_params(leaf: &CertificateParams) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Test authority");
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = leaf.signed_by(&key, &ca).unwrap();
        Self {
            ca_pem: ca.pem(),
            chain: vec![leaf.der().clone()],
            key: key.serialize_der(),
        }
    }

    /// Returns the TLS configuration of a server with this certificate.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        Arc::new(config)
    }
}
