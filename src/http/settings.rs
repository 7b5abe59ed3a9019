//! The network settings of a run, and the settings of ureq that they become.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use ureq::ProxyProtocol;
use ureq::config::Config;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Transport};

use super::ca_bundle::CaBundle;
use super::connections::Connections;
use super::proxy::{Proxies, Proxy};
use super::proxy_connector::ProxyConnector;
use super::tcp::TcpConnector;
use super::tls::TlsConnector;
use crate::interrupt::Interrupt;

/// The size of the read buffer, in bytes.
const INPUT_BUFFER: usize = 12 * 1024;

/// The maximum size of the headers of a response, in bytes; AWS sends about 500.
///
/// Must be smaller than the read buffer: headers that fill the buffer look like a closed
/// connection, which would be retried.
const MAX_HEAD: usize = 8 * 1024;

/// The network settings of a [`UreqClient`](super::UreqClient).
#[derive(Debug, Clone)]
pub struct Settings {
    /// The time-out to connect, TLS included, and the time-out to resolve the host. Default: 5 s.
    pub connect_timeout: Duration,
    /// The read time-out: the time without a response after which an attempt fails. Default: 30 s.
    pub read_timeout: Duration,
    /// The CA certificates to trust. Default: the built-in Mozilla roots.
    pub ca_bundle: Option<CaBundle>,
    /// The advice in the error about a certificate that is not trusted.
    pub ca_advice: &'static str,
    /// The proxies to use. Default: none.
    pub proxies: Proxies,
    /// The `User-Agent` header of every request.
    pub user_agent: String,
    /// The maximum number of open connections, idle ones included; at least 1.
    pub max_connections: usize,
}

/// The error of settings that a client cannot use.
#[derive(Debug, Error)]
pub enum InvalidSettings {
    /// The TLS settings are invalid.
    #[error("TLS: {0}")]
    Tls(#[source] io::Error),
    /// The proxy is invalid.
    #[error("{0}: {1}")]
    Proxy(Proxy, #[source] ureq::Error),
}

/// The settings of direct connections (`None`) and of connections through each proxy.
pub(super) struct Routes(Vec<(Option<Proxy>, Config)>);

impl Routes {
    /// Creates the routes that `settings` describe.
    pub(super) fn new(settings: &Settings) -> Result<Self, InvalidSettings> {
        let mut routes = vec![(None, ureq_config(settings, None))];
        for proxy in settings.proxies.iter() {
            let built = ureq_proxy(proxy).map_err(|e| InvalidSettings::Proxy(proxy.clone(), e))?;
            let config = ureq_config(settings, Some(built));
            routes.push((Some(proxy.clone()), config));
        }
        Ok(Self(routes))
    }

    /// Returns the settings of connections through `proxy`; `None` for direct ones.
    pub(super) fn config(&self, proxy: Option<&Proxy>) -> &Config {
        let route = self.0.iter().find(|(p, _)| p.as_ref() == proxy);
        &route.unwrap_or(&self.0[0]).1
    }
}

fn ureq_config(settings: &Settings, proxy: Option<ureq::Proxy>) -> Config {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        // Disables ureq's own proxy variables, which differ from those of the AWS CLI.
        .proxy(proxy)
        .user_agent(&settings.user_agent)
        .input_buffer_size(INPUT_BUFFER)
        .max_response_header_size(MAX_HEAD)
        .output_buffer_size(4 * 1024)
        .timeout_resolve(Some(settings.connect_timeout))
        .timeout_connect(Some(settings.connect_timeout))
        .timeout_send_request(Some(settings.read_timeout))
        .timeout_send_body(Some(settings.read_timeout))
        .timeout_recv_response(Some(settings.read_timeout))
        .timeout_recv_body(Some(settings.read_timeout))
        .build()
}

fn ureq_proxy(proxy: &Proxy) -> Result<ureq::Proxy, ureq::Error> {
    use ProxyProtocol::{Http, Https};
    let protocol = if proxy.tls { Https } else { Http };
    let mut builder = ureq::Proxy::builder(protocol).host(&proxy.host);
    builder = builder.port(proxy.port);
    if let Some((user, password)) = &proxy.credentials {
        builder = builder.username(user).password(password.expose());
    }
    builder.build()
}

/// The connector of all agents: through a proxy or directly, then TLS. It stores the TLS sessions that
/// later connections resume.
#[derive(Debug, Clone)]
pub(super) struct SharedConnector(Arc<dyn Connector<Out = Box<dyn Transport>>>);

impl SharedConnector {
    /// Creates the connector that `settings` describe; `interrupt` ends attempts to connect. Its sockets count as
    /// `connections`.
    ///
    /// # Errors
    /// The CA bundle has no usable certificate.
    pub(super) fn new(
        settings: &Settings,
        connections: &Arc<Connections>,
        interrupt: &Interrupt,
    ) -> Result<Self, InvalidSettings> {
        let tls = TlsConnector::new(settings.ca_bundle.as_ref()).map_err(InvalidSettings::Tls)?;
        let chain = ().chain(ProxyConnector::default());
        let tcp = TcpConnector::new(connections.clone(), interrupt.clone());
        Ok(Self(Arc::new(chain.chain(tcp).chain(tls))))
    }
}

impl Connector for SharedConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        self.0.connect(details, chained)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn ureq_proxy_has_the_configured_parts() {
        let own = |(a, b): (&str, &str)| (a.to_owned(), Secret::from(b));
        for (tls, host, credentials) in [
            (false, "proxy.example", None),
            (true, "proxy_1.example", Some(("DOM\\u@x", "p:/% +é#?"))),
            (false, "[::1]", Some(("", "p"))),
            (false, "10.0.0.1", Some(("u", ""))),
        ] {
            let proxy = Proxy {
                variable: "HTTPS_PROXY",
                tls,
                host: host.to_owned(),
                port: 3128,
                credentials: credentials.map(own),
            };
            let built = ureq_proxy(&proxy).unwrap();
            assert_eq!((built.host(), built.port()), (host, 3128));
            assert_eq!(built.protocol() == ProxyProtocol::Https, tls);
            let user = built.username().zip(built.password());
            assert_eq!(user, credentials, "{host}");
            assert_eq!(
                built,
                ureq_proxy(&proxy).unwrap(),
                "equal, so that connections are shared"
            );
        }
    }
}
