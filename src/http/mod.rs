//! HTTP: requests, responses, the trait [`HttpClient`] that sends them, and the client of the network.

mod client;
mod connections;
#[cfg(test)]
pub(crate) mod fake;
mod no_proxy;
mod proxy;
mod request;
mod resolver;
mod response;
mod settings;
mod tls;
mod transport_error;
mod ureq_client;

pub use client::HttpClient;
pub use proxy::{InvalidProxyUrl, Proxies, Proxy, ProxyError};
pub use request::Request;
pub use response::{MAX_BODY, Response};
pub use settings::{CaBundle, InvalidSettings, Settings};
pub use transport_error::{TransportError, TransportErrorKind};
pub use ureq_client::UreqClient;
