//! The kinds of error responses, from their codes and statuses.

/// The kind of an error response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Too many requests; retried.
    Throttling,
    /// A temporary fault of the service; retried.
    Transient,
    /// The caller lacks the permission.
    AccessDenied,
    /// The region has no configuration recorder.
    NoRecorder,
    /// The account is not subscribed to the service in this region.
    OptInRequired,
    /// The service does not recognize the access key ID. If other regions accept it, this region is
    /// not enabled.
    UnrecognizedClient,
    /// The credentials have expired.
    Expired,
    /// The signature was rejected.
    BadSignature,
    /// No resources of the type were discovered in this region.
    ResourceNotDiscovered,
    /// The page token is not valid, for example because it has expired.
    InvalidPageToken,
    /// Any other error.
    Other,
}

/// The throttling codes of the SDKs' standard mode.
///
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const THROTTLING: [&str; 13] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "EC2ThrottledException",
];

impl ErrorKind {
    /// Returns the kind of `code`; if the code has no kind of its own, the kind of the HTTP
    /// `status`.
    #[must_use]
    pub fn from_code(code: &str, status: u16) -> Self {
        match code {
            code if THROTTLING.contains(&code) => Self::Throttling,
            "RequestTimeout"
            | "RequestTimeoutException"
            | "PriorRequestNotComplete"
            | "IDPCommunicationError"
            // AWS Organizations: "try again later".
            | "ServiceException" => Self::Transient,
            "NoAvailableConfigurationRecorderException"
            | "NoSuchConfigurationRecorderException" => Self::NoRecorder,
            "UnauthorizedOperation" | "AuthorizationError" => Self::AccessDenied,
            code if code.starts_with("AccessDenied") => Self::AccessDenied,
            "OptInRequired" | "SubscriptionRequiredException" | "RegionDisabledException" => {
                Self::OptInRequired
            }
            "UnrecognizedClientException" | "InvalidClientTokenId" | "AuthFailure" => {
                Self::UnrecognizedClient
            }
            "RequestExpired" => Self::Expired,
            code if code.starts_with("ExpiredToken") => Self::Expired,
            "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "RequestTimeTooSkewed"
            | "RequestInTheFuture" => Self::BadSignature,
            "ResourceNotDiscoveredException" => Self::ResourceNotDiscovered,
            "InvalidNextTokenException" => Self::InvalidPageToken,
            _ => match status {
                429 => Self::Throttling,
                500 | 502 | 503 | 504 => Self::Transient,
                _ => Self::Other,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_have_their_kinds() {
        for (code, status, kind) in [
            ("ThrottlingException", 400, ErrorKind::Throttling),
            ("RequestLimitExceeded", 503, ErrorKind::Throttling),
            ("", 429, ErrorKind::Throttling),
            ("InternalFailure", 500, ErrorKind::Transient),
            ("", 503, ErrorKind::Transient),
            ("RequestTimeout", 400, ErrorKind::Transient),
            ("ServiceException", 400, ErrorKind::Transient),
            ("TooManyRequestsException", 400, ErrorKind::Throttling),
            ("AccessDenied", 403, ErrorKind::AccessDenied),
            ("AccessDeniedException", 400, ErrorKind::AccessDenied),
            ("UnauthorizedOperation", 403, ErrorKind::AccessDenied),
            (
                "NoAvailableConfigurationRecorderException",
                400,
                ErrorKind::NoRecorder,
            ),
            (
                "NoSuchConfigurationRecorderException",
                400,
                ErrorKind::NoRecorder,
            ),
            ("OptInRequired", 401, ErrorKind::OptInRequired),
            (
                "UnrecognizedClientException",
                400,
                ErrorKind::UnrecognizedClient,
            ),
            ("InvalidClientTokenId", 403, ErrorKind::UnrecognizedClient),
            ("AuthFailure", 401, ErrorKind::UnrecognizedClient),
            ("ExpiredToken", 403, ErrorKind::Expired),
            ("ExpiredTokenException", 400, ErrorKind::Expired),
            ("RequestExpired", 400, ErrorKind::Expired),
            ("SignatureDoesNotMatch", 403, ErrorKind::BadSignature),
            (
                "ResourceNotDiscoveredException",
                400,
                ErrorKind::ResourceNotDiscovered,
            ),
            ("ValidationException", 400, ErrorKind::Other),
            ("", 418, ErrorKind::Other),
        ] {
            assert_eq!(ErrorKind::from_code(code, status), kind, "{code} {status}");
        }
    }
}
