//! The endpoints of the services, and the regions that requests are signed for.

mod configured;
mod endpoints;
mod url;

pub use endpoints::{Endpoint, Endpoints};
pub use url::EndpointUrl;

#[cfg(test)]
mod tests;
