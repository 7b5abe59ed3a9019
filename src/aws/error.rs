//! Errors of AWS calls and of credentials. They are in one file because each may be the source of
//! the other.

use std::fmt;
use std::io;
use std::sync::Arc;

use thiserror::Error;

use super::config_file::{SharedFiles, SharedFilesError};
use super::endpoint::{CustomEndpoint, EndpointError};
pub use super::error_kind::ErrorKind;
use super::identity_flag::IdentityFlag;
use super::operation::Service;
use crate::http::{TransportError, TransportErrorKind};
use crate::model::{AccountId, Region, ResourceType};
use crate::redact;
use crate::text::{did_you_mean, list, near_matches, sanitize};

/// The cause of a failed call.
#[derive(Debug, Clone)]
pub enum Cause {
    /// The service returned an error.
    Service {
        /// The kind of the error.
        kind: ErrorKind,
        /// The error code, without secrets and control characters; empty if the response has none.
        code: String,
        /// The service's message, without secrets and control characters; may be empty.
        message: String,
        /// The HTTP status.
        status: u16,
    },
    /// The signature was rejected because this machine's clock is wrong.
    ClockSkew {
        /// The error code.
        code: String,
        /// The local time minus the service's time, in minutes.
        offset_minutes: i64,
        /// The HTTP status.
        status: u16,
    },
    /// A 2xx response that is not a response of the operation.
    Unreadable {
        /// The maximum number of retries after such a response.
        max_retries: u32,
        /// The parser's reason and the start of the body, with secrets redacted.
        reason: String,
        /// The HTTP status.
        status: u16,
    },
    /// No complete response was received.
    Transport(TransportError),
    /// The request could not be signed.
    Signing(SigningError),
    /// There are no valid credentials to sign with: they expired, or changed to another account.
    Credentials(Arc<CredentialsError>),
}

/// The reason why a request could not be signed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SigningError {
    /// The endpoint of the service is unknown.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The signer's reason, which quotes no part of the request.
    #[error("{0}")]
    Signer(String),
}

/// The time limit that ended a call before its attempts were used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// The time of the call.
    Call,
    /// The region was abandoned: no call to it has succeeded for two minutes.
    Region,
    /// The time of the scan.
    Scan,
}

impl Cause {
    /// Returns the kind of the service's error; `None` if the service did not return one.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Service { kind, .. } => Some(*kind),
            _ => None,
        }
    }

    /// Returns true if no connection to the host could be opened.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        use TransportErrorKind::{Connect, Dns};
        matches!(self, Self::Transport(error) if matches!(error.kind, Connect | Dns))
    }

    /// Returns true if the response is one of the operation, with an item that is not valid.
    #[must_use]
    pub fn has_invalid_item(&self) -> bool {
        matches!(self, Self::Unreadable { max_retries: 1, .. })
    }

    /// Returns true if the host could not be reached, did not answer in time or closed the connection.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        let is_closed = |error: &TransportError| error.kind == TransportErrorKind::Connection;
        let is_closed = matches!(self, Self::Transport(error) if is_closed(error));
        is_closed || self.is_timeout() || self.is_unreachable()
    }

    /// Returns true if there was no response in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Transport(error) if error.kind == TransportErrorKind::Timeout)
    }
}

/// A call that failed after all its attempts.
#[derive(Debug, Clone)]
pub struct CallError {
    /// The service that was called.
    pub service: Service,
    /// The operation that was called.
    pub operation: &'static str,
    /// The region of the call.
    pub region: Region,
    /// The resource type that the call is about.
    pub resource_type: Option<ResourceType>,
    /// The number of attempts.
    pub attempts: u32,
    /// The request ID of the last response, without secrets and control characters.
    pub request_id: Option<String>,
    /// The reason why expired credentials could not be refreshed.
    pub refresh_error: Option<Arc<CredentialsError>>,
    /// The time limit that ended the call, if one did.
    pub bound: Option<Bound>,
    /// The endpoint that the user set; `None` for AWS's own.
    pub endpoint: Option<CustomEndpoint>,
    /// True once the credentials have been accepted.
    pub identity: IdentityFlag,
    /// The cause of the last attempt's failure.
    pub cause: Cause,
}

impl CallError {
    /// Returns the kind of the service's error; `None` if the service did not return one.
    #[must_use]
    pub fn kind(&self) -> Option<ErrorKind> {
        self.cause.kind()
    }

    /// Returns true if the service rejects the input, such as a resource type that it does not know.
    #[must_use]
    pub fn is_rejected_input(&self) -> bool {
        matches!(&self.cause, Cause::Service { code, .. } if code == "ValidationException")
    }

    /// Returns true if a recording has no response for this call.
    #[must_use]
    pub fn not_recorded(&self) -> bool {
        matches!(&self.cause, Cause::Transport(t) if t.kind == TransportErrorKind::NotRecorded)
    }
}

/// Formats the operation, the attempts, the cause and the request ID, without the advice.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{} ", self.service.name(), self.operation)?;
        match (&self.cause, self.attempts) {
            (_, 2..) => write!(f, "failed after {} attempts: ", self.attempts)?,
            (Cause::Signing(_) | Cause::Credentials(_), _) => f.write_str("failed: ")?,
            _ => f.write_str("failed with ")?,
        }
        let id = match &self.request_id {
            Some(id) => format!(", request id {id}"),
            None => String::new(),
        };
        match &self.cause {
            Cause::Service {
                code,
                message,
                status,
                ..
            } => {
                match code.as_str() {
                    "" => write!(f, "HTTP {status} (no error code{id})")?,
                    code => write!(f, "{code} (HTTP {status}{id})")?,
                }
                match message.as_str() {
                    "" => Ok(()),
                    // AWS names the action twice.
                    message => {
                        let action =
                            format!("the {}:{} action", self.service.name(), self.operation);
                        write!(f, ": {}", message.replace(&action, "it"))
                    }
                }
            }
            Cause::ClockSkew {
                code,
                offset_minutes,
                status,
            } => {
                let direction = if *offset_minutes < 0 {
                    "behind"
                } else {
                    "ahead of"
                };
                write!(
                    f,
                    "{code} (HTTP {status}{id}): this machine's clock is {} minutes {direction} AWS's",
                    offset_minutes.abs()
                )
            }
            Cause::Unreadable { reason, status, .. } => {
                write!(f, "an unreadable response (HTTP {status}{id}): {reason}")
            }
            Cause::Transport(error) => {
                write!(f, "no response: {}", sanitize(&error.message, 400))
            }
            Cause::Signing(why @ SigningError::Endpoint(_)) => write!(f, "{why}"),
            Cause::Signing(why) => write!(f, "cannot sign the request: {why}"),
            Cause::Credentials(why) => write!(f, "no valid credentials: {why}"),
        }
    }
}

impl std::error::Error for CallError {}

/// The maximum number of profiles that an error names.
const MAX_PROFILES: usize = 10;

/// The reason why there are no credentials, and what the user can do about it; the advice for a
/// failed call is not part of the text.
#[derive(Debug, Error)]
pub enum CredentialsError {
    /// A shared file cannot be used.
    #[error(transparent)]
    SharedFiles(#[from] SharedFilesError),
    /// A setting is missing, invalid, or contradicts another one.
    #[error("{0}")]
    Setting(String),
    /// A file cannot be read, or a command cannot be run.
    #[error("{what}: {source}")]
    Io {
        /// The file or the command.
        what: String,
        /// The reason.
        source: io::Error,
    },
    /// A file, an output or a response is not the expected JSON. Nothing of it is quoted.
    #[error("{origin} is not the expected JSON (line {line}, column {column})")]
    Json {
        /// The source of the JSON.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// The user must sign in again.
    #[error("{problem}; {action}")]
    SignIn {
        /// The reason.
        problem: String,
        /// The command to run.
        action: String,
    },
    /// A call of STS failed.
    #[error("{origin}: {source}")]
    Call {
        /// The role.
        origin: String,
        /// The failed call.
        source: Box<CallError>,
    },
    /// A request of a provider failed.
    #[error("{origin}: {source}")]
    Fetch {
        /// The provider.
        origin: String,
        /// The failed request.
        source: FetchError,
    },
    /// The endpoint of a provider is unknown.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The source refused to return credentials, or returned invalid ones.
    #[error("{0}")]
    Refused(String),
    /// A permission set is not assigned to the user.
    #[error("{0}")]
    NotAssigned(String),
    /// The source of a role's credentials failed.
    #[error("{role}: {source}")]
    RoleSource {
        /// The role.
        role: String,
        /// The error of the source.
        source: Box<Self>,
    },
    /// The credentials have no provider that could refresh them.
    #[error("these credentials cannot be refreshed")]
    NotRefreshable,
    /// The credentials expired and were already refreshed before.
    #[error("the refreshed credentials have expired")]
    ExpiredAgain,
    /// The account of the credentials changed during the run.
    #[error(
        "{provider} returned credentials of another account, {found}; this run counts the account \
         {expected}"
    )]
    OtherAccount {
        /// The description of the provider.
        provider: String,
        /// The account of the run.
        expected: AccountId,
        /// The account of the new credentials.
        found: AccountId,
    },
    /// The run was interrupted before a refresh.
    #[error("the run was interrupted")]
    Interrupted,
    /// The refresh panicked.
    #[error("internal error: the refresh of the credentials ended early")]
    Panicked,
    /// The provider returned the expired credentials again.
    #[error("{provider} returned expired credentials again")]
    Unchanged {
        /// The description of the provider.
        provider: String,
    },
}

impl CredentialsError {
    /// Creates the error of a profile that is not in `files`; `what` names the profile and its setting.
    pub fn no_profile(what: &str, profile: &str, files: &SharedFiles) -> Self {
        let mut names = files.profiles_in_order();
        names.sort_unstable();
        let names = names.into_iter();
        let names: Vec<_> = names
            .map(|name| sanitize(&redact::setting(name), 80))
            .collect();
        let near = did_you_mean(&near_matches(profile, names.iter().map(String::as_str)));
        let found = match list(names, MAX_PROFILES).as_str() {
            "" => String::new(),
            names => format!(" (found: {names}{near})"),
        };
        let (config, credentials) = (&files.config, &files.credentials);
        let profile = redact::setting(profile);
        Self::Setting(format!(
            "{what} not found in {config} or {credentials}{found}; create it with `aws configure \
             --profile {profile}`"
        ))
    }

    /// Creates the error of a setting; `what` names it.
    pub fn setting(what: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::Setting(format!("{what}: {problem}"))
    }

    /// Returns a function that creates the error of a request; `origin` names the provider.
    pub fn fetch(origin: &str) -> impl Fn(FetchError) -> Self {
        move |source| Self::Fetch {
            origin: origin.to_owned(),
            source,
        }
    }

    /// Creates the error of a source; `origin` names it.
    pub fn refused(origin: impl fmt::Display, problem: impl fmt::Display) -> Self {
        Self::Refused(format!("{origin}: {problem}"))
    }

    /// Returns the failed call, if a call is the reason.
    #[must_use]
    pub fn call(&self) -> Option<&CallError> {
        match self {
            Self::Call { source, .. } => Some(source),
            Self::RoleSource { source, .. } => source.call(),
            _ => None,
        }
    }
}

/// The error of an unsigned request without a usable response.
#[derive(Debug, Error)]
#[error("{method} {uri}: {cause}")]
pub struct FetchError {
    /// The method of the request.
    pub method: &'static str,
    /// The URI of the request.
    pub uri: String,
    /// The result of the last attempt.
    #[source]
    pub cause: FetchCause,
}

/// The reason why a response is not usable.
#[derive(Debug, Error)]
pub enum FetchCause {
    /// The response has this error status.
    #[error("HTTP {0}")]
    Status(u16),
    /// There is no complete response.
    #[error("{}", sanitize(&.0.message, 200))]
    Transport(#[from] TransportError),
}
