//! Signature version 4, through aws-sigv4.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as sigv4};
use aws_sigv4::sign::v4;
use time::OffsetDateTime;

use crate::http::Request;
use crate::model::Region;

/// Adds the headers of a signature to `request`, for `service` in `region` at `time`.
///
/// # Errors
/// The request's URI or a header cannot be signed; the text says why and holds no secret.
pub fn sign(
    request: &mut Request,
    credentials: &Credentials,
    service: &str,
    region: &Region,
    time: OffsetDateTime,
) -> Result<(), String> {
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name(service)
        .time(time.into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|e| e.to_string())?
        .into();
    let headers = request.headers.iter().map(|(n, v)| (*n, v.as_str()));
    let body = SignableBody::Bytes(&request.body);
    let signable = SignableRequest::new(request.method, &request.uri, headers, body)
        .map_err(|e| e.to_string())?;
    let (instructions, _) = sigv4(signable, &params)
        .map_err(|e| e.to_string())?
        .into_parts();
    let (signed, _) = instructions.into_parts();
    request
        .headers
        .extend(signed.iter().map(|h| (h.name(), h.value().to_owned())));
    Ok(())
}
