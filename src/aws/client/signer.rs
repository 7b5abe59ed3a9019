//! The credentials of a client's calls.

use std::time::Duration;

use super::Client;
use super::attempt::interrupted;
use super::transport::Transport;
use crate::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use crate::aws::error::{Bound, CallError, Cause, CredentialsError};
use crate::secret::Redactor;

impl Client {
    /// Returns the credentials that sign the calls.
    #[must_use]
    pub fn credentials(&self) -> &CachedCredentials {
        &self.credentials
    }

    /// Returns true if the calls are signed with a session token.
    #[must_use]
    pub fn has_session_token(&self) -> bool {
        let resolved = self.credentials.current();
        resolved.credentials.session_token().is_some()
    }

    /// Returns the redactor of the credentials that sign the calls.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.credentials.current().redactor()
    }

    /// Returns true if `text`, which comes from the network, contains one of these credentials.
    /// Names from AWS never do.
    #[must_use]
    pub fn holds_key(&self, text: &str) -> bool {
        self.redactor().finds(text)
    }

    /// Returns the credentials of an attempt. A refresh does not count toward the time of the call: it has its own
    /// limits, and ends with the time of the scan.
    pub(super) fn signer(&self) -> Result<(ResolvedCredentials, u64), Cause> {
        if self.transport.interrupt.signal().is_some() {
            return Err(interrupted());
        }
        let signer = self.credentials.for_signing(&*self.transport.clock);
        signer.map_err(|why| match *why {
            CredentialsError::OtherAccount { .. } => Cause::Credentials(why),
            _ if self.is_out_of_time() => Cause::Transport(Transport::out_of_time()),
            _ => Cause::Credentials(why),
        })
    }

    fn is_out_of_time(&self) -> bool {
        self.transport.time_left() == Some(Duration::ZERO)
    }

    /// Refreshes the credentials of `version`, which `expired` found expired.
    ///
    /// # Errors
    /// They cannot be refreshed: `expired` with the reason.
    pub(super) fn refresh(&self, expired: CallError, version: u64) -> Result<(), CallError> {
        let refreshed = self.credentials.refresh(version, &*self.transport.clock);
        refreshed.map_err(|why| match *why {
            _ if self.transport.interrupt.signal().is_some() => CallError {
                cause: interrupted(),
                ..expired
            },
            CredentialsError::OtherAccount { .. } => CallError {
                cause: Cause::Credentials(why),
                ..expired
            },
            _ if self.is_out_of_time() => CallError {
                bound: Some(Bound::Scan),
                ..expired
            },
            _ => CallError {
                refresh_error: Some(why),
                ..expired
            },
        })
    }
}
