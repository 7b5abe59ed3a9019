//! TLS: the last connector of ureq's chain.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{default_provider, kx_group};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::ca_bundle::CaBundle;
use super::signatures;
use super::time_left::time_left;
use super::verifier::Verifier;

/// Encrypts the connections to `https` hosts. Its settings are shared by all connections, which
/// resume each other's sessions.
#[derive(Debug)]
pub(super) struct TlsConnector(Arc<ClientConfig>);

impl TlsConnector {
    /// Creates a connector that trusts the certificates of `bundle`, else Mozilla's.
    ///
    /// # Errors
    /// The bundle has no usable certificate.
    pub(super) fn new(bundle: Option<&CaBundle>) -> io::Result<Self> {
        let provider = Arc::new(provider());
        let (roots, trusted) = bundle.map_or_else(mozilla, CaBundle::anchors);
        let verifier = Verifier::new(roots, trusted, provider.clone()).map_err(io::Error::other)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// Returns Mozilla's root certificates, and no other certificates.
fn mozilla() -> (RootCertStore, Vec<CertificateDer<'static>>) {
    let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
    (RootCertStore { roots }, Vec::new())
}

/// Returns the cryptography of all connections.
fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: vec![kx_group::X25519, kx_group::SECP256R1, kx_group::SECP384R1],
        signature_verification_algorithms: *signatures::ALL,
        ..default_provider()
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(transport.boxed()));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned());
        let name = name.map_err(|_| ureq::Error::Tls("the host name is not valid"))?;
        let mut conn = ClientConnection::new(self.0.clone(), name).map_err(io::Error::other)?;
        let mut sock = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        sock.set_timeout(time_left(details));
        conn.complete_io(&mut sock)?;
        let config = details.config;
        Ok(Some(Box::new(TlsTransport {
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            stream: StreamOwned { conn, sock },
        })))
    }
}

/// An encrypted connection.
struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Returns false also if bytes are left that belong to no response: they would answer the next request. They are in
    /// the socket, in the buffer of the encrypted bytes, or decrypted and not read.
    fn is_open(&mut self) -> bool {
        let socket = self.stream.sock.get_mut();
        let is_clean = socket.buffers().input().is_empty() && socket.is_open();
        let state = self.stream.conn.process_new_packets();
        is_clean && state.is_ok_and(|state| state.plaintext_bytes_to_read() == 0)
    }

    fn is_tls(&self) -> bool {
        true
    }
}
