//! The network settings of a run.

use std::time::Duration;

use super::proxy::Proxies;

/// The network settings of a [`UreqClient`](super::UreqClient).
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time-out to connect, TLS included, and the time-out to resolve the host. Default: 5 s.
    pub connect_timeout: Duration,
    /// The read time-out: the time without a response after which an attempt fails. Default: 30 s.
    pub read_timeout: Duration,
    /// The maximum time of a request with its response.
    pub exchange_limit: Duration,
    /// The CA certificates to trust. Default: the built-in Mozilla roots.
    pub ca_bundle: Option<CaBundle>,
    /// The advice in the error about a certificate that is not trusted.
    pub ca_advice: &'static str,
    /// The proxies to use. Default: none.
    pub proxies: Proxies,
    /// The `User-Agent` header of every request.
    pub user_agent: String,
}

/// A file of CA certificates, which replace the built-in roots.
#[derive(Debug, Clone)]
pub struct CaBundle {
    /// The name of the file in messages.
    pub name: String,
    /// The content: certificates in PEM format.
    pub pem: Vec<u8>,
}
