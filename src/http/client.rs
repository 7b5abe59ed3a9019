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

    /// Notes that an access key, with or without a session token, is that of a profile: a recording client records who
    /// signed a request.
    fn note_profile(&self, _profile: &str, _access_key: &str, _has_token: bool) {}

    /// Ends a run: a recording client writes its recording.
    ///
    /// # Errors
    /// The recording cannot be written.
    fn finish(&self) -> io::Result<()> {
        Ok(())
    }
}
