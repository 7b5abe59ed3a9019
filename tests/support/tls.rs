//! TLS certificates, generated for each test.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::RSA_PSS_SHA256;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{ServerConfig, SignatureAlgorithm, SignatureScheme};
use time::OffsetDateTime;

/// A server certificate, and the certificate authority that signed it.
pub struct Certificate {
    /// The authority's certificate, for `--ca-bundle`.
    pub ca_pem: String,
    chain: Vec<CertificateDer<'static>>,
    key: Arc<dyn SigningKey>,
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
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Self {
            ca_pem: ca.pem(),
            chain: vec![leaf.der().clone()],
            key: any_supported_type(&key).unwrap(),
        }
    }

    /// Reads the certificates of a directory of `tests/certificates`.
    pub fn from_directory(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/certificates");
        let read = |file: &str| fs::read(directory.join(name).join(file)).unwrap();
        let server = read("server.pem");
        let chain = CertificateDer::pem_slice_iter(&server);
        let key = PrivateKeyDer::from_pem_slice(&server).unwrap();
        let usual = any_supported_type(&key);
        Self {
            ca_pem: String::from_utf8(read("ca.pem")).unwrap(),
            chain: chain.map(Result::unwrap).collect(),
            key: usual.unwrap_or_else(|_| Arc::new(PssKey::new(&key))),
        }
    }

    /// Returns the TLS configuration of a server with this certificate.
    pub fn server_config(&self) -> Arc<ServerConfig> {
        let key = CertifiedKey::new(self.chain.clone(), self.key.clone());
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        Arc::new(config)
    }
}

/// A key of type `id-RSASSA-PSS`, which rustls does not support.
#[derive(Debug, Clone)]
struct PssKey(Arc<RsaKeyPair>);

/// The schemes of such keys with SHA-256.
const PSS_SCHEME: SignatureScheme = SignatureScheme::Unknown(0x0809);

impl PssKey {
    fn new(key: &PrivateKeyDer<'_>) -> Self {
        // PKCS #8 ends with the usual RSA key: a SEQUENCE that starts with the version 0. It starts
        // with the same bytes itself.
        let bytes = key.secret_der();
        let is_start = |at: &usize| {
            let bytes = &bytes[*at..];
            bytes.starts_with(&[0x30, 0x82]) && bytes[4..].starts_with(&[2, 1, 0])
        };
        let start = (1..bytes.len() - 7).find(is_start).unwrap();
        Self(Arc::new(RsaKeyPair::from_der(&bytes[start..]).unwrap()))
    }
}

impl SigningKey for PssKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let is_offered = offered.contains(&PSS_SCHEME);
        is_offered.then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for PssKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self
            .0
            .sign(&RSA_PSS_SHA256, &random, message, &mut signature);
        signed.map_err(|_| rustls::Error::General("signature".to_owned()))?;
        Ok(signature)
    }

    fn scheme(&self) -> SignatureScheme {
        PSS_SCHEME
    }
}
