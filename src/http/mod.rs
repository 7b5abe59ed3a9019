//! HTTP: requests, responses, the trait [`HttpClient`] that sends them, and the client of the network.

mod ca_bundle;
mod client;
mod connections;
#[cfg(test)]
pub(crate) mod fake;
mod no_proxy;
mod proxy;
mod proxy_connector;
mod race;
mod request;
mod resolver;
mod response;
mod settings;
mod signatures;
mod tcp;
mod time_left;
mod tls;
mod tls_error;
mod transport_error;
mod ureq_client;
mod verifier;

pub use ca_bundle::{CaBundle, InvalidBundle};
pub use client::HttpClient;
pub use proxy::{InvalidProxyUrl, Proxies, Proxy, ProxyError};
pub use request::{Private, Request};
pub use response::{MAX_BODY, Response};
pub use settings::{InvalidSettings, Settings};
pub use transport_error::{TransportError, TransportErrorKind};
pub use ureq_client::UreqClient;
