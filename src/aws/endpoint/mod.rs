//! The endpoints of the services, and the regions that requests are signed for.

mod configured;
mod endpoints;
mod error;
mod url;

pub use endpoints::{CustomEndpoint, Endpoint, Endpoints};
pub use error::EndpointError;
pub use url::{EndpointUrl, ParseUrlError};

#[cfg(test)]
mod tests;
