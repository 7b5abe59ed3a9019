//! The trait of all HTTP clients.

use std::io;

use super::request::Request;
use super::response::Response;
use super::transport_error::TransportError;

/// An HTTP client: the network, a client that records, or the replay of a recording.
pub trait HttpClient: Send + Sync {
    /// Sends a request and reads the complete response; any status is `Ok`.
    ///
    /// # Errors
    /// No complete response was received; [`TransportError::kind`] is the reason.
    fn send(&self, request: &Request) -> Result<Response, TransportError>;

    /// Ends a run: a recording client writes its recording.
    ///
    /// # Errors
    /// The recording cannot be written.
    fn finish(&self) -> io::Result<()> {
        Ok(())
    }
}
