//! The endpoints of the services, and the regions that requests are signed for.

mod configured;
mod endpoints;
mod error;
mod url;

pub use configured::CustomEndpoint;
pub use endpoints::{Endpoint, Endpoints};
pub use error::EndpointError;
pub use url::{EndpointUrl, ParseUrlError};

#[cfg(test)]
mod tests;
