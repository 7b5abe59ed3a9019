//! The protocols of the services: AWS JSON 1.1, and AWS Query with XML responses.

mod error;
mod error_body;
pub mod json;
pub mod query;

pub use error::{ErrorBody, ParseError};
pub use error_body::error_body;
