//! Certificates made for one test.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;

/// A server's certificate, and the authority that signed it.
pub struct Certificate {
    /// The authority's own certificate, for `--ca-bundle`.
    pub ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Certificate {
    /// A certificate for the address that servers here listen on.
    pub fn right() -> Self {
        Self::for_host("127.0.0.1")
    }

    /// A certificate, just as valid, for another host.
    pub fn for_wrong_host() -> Self {
        Self::for_host("elsewhere.example")
    }

    /// A certificate that is valid between these days, counted from today.
    pub fn of_days(first: i64, last: i64) -> Self {
        let day = |n| OffsetDateTime::now_utc() + time::Duration::days(n);
        let mut leaf = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        (leaf.not_before, leaf.not_after) = (day(first), day(last));
        Self::of(&leaf)
    }

    /// A certificate for `host`.
    pub fn for_host(host: &str) -> Self {
        Self::of(&CertificateParams::new([host.to_owned()]).unwrap())
    }

    fn of(leaf: &CertificateParams) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "An authority for one test");
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = leaf.signed_by(&key, &ca).unwrap();
        Self {
            ca_pem: ca.pem(),
            chain: vec![leaf.der().clone()],
            key: key.serialize_der(),
        }
    }

    /// How a server shows it.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
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
