//! The token request of an `aws login` session: CreateOAuth2Token with a refresh token.
//!
//! <https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html>

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::dpop::ProofKey;
use super::fetch::Fetch;
use super::provider::ProviderContext;
use crate::aws::endpoint::EndpointError;
use crate::aws::error::FetchError;
use crate::aws::operation::Service;
use crate::http::{Private, Response};
use crate::model::Region;
use crate::secret::Secret;

/// A token request.
pub struct TokenRequest {
    key: ProofKey,
    client: String,
    refresh_token: Secret,
    /// The region of the sign-in; old caches do not have it.
    region: Option<Region>,
}

/// The response to a token request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInResponse {
    /// The credentials.
    pub access_token: AccessToken,
    /// Their lifetime, in seconds.
    pub expires_in: i64,
    /// The refresh token of the next request.
    pub refresh_token: Secret,
}

/// The credentials in a response.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// The access key ID.
    pub access_key_id: Secret,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
}

/// The reason why there is no new token.
pub enum Refused {
    /// The session has ended, with this error code.
    SignInAgain(String),
    /// Any other response.
    Other(String),
    /// The endpoint is unknown.
    Endpoint(EndpointError),
    /// There is no response.
    Fetch(FetchError),
}

/// An error response. Only its code is shown.
#[derive(Deserialize)]
struct ErrorResponse {
    error: String,
}

impl TokenRequest {
    /// Reads the members of the cache that a token request needs.
    ///
    /// # Errors
    /// One is missing or invalid; the text says which.
    pub fn from_cache(members: &Map<String, Value>) -> Result<Self, String> {
        let text = |name: &str| {
            let text = members.get(name).and_then(Value::as_str);
            text.filter(|text| !text.trim().is_empty())
        };
        let required = |name| text(name).ok_or_else(|| format!("it has no {name}"));
        Ok(Self {
            client: required("clientId")?.to_owned(),
            refresh_token: required("refreshToken")?.into(),
            key: ProofKey::from_pem(required("dpopKey")?).ok_or("its dpopKey is invalid")?,
            region: text("signInRegion").and_then(|region| region.trim().parse().ok()),
        })
    }

    /// Sends the request, with up to three attempts.
    ///
    /// # Errors
    /// The service returned an error, or the request failed.
    pub fn send(&self, context: &ProviderContext) -> Result<SignInResponse, Refused> {
        let transport = context.transport;
        let region = self.region.as_ref().unwrap_or(context.region);
        let endpoint = transport.endpoints.resolve(Service::SignIn, region);
        let endpoint = endpoint.map_err(Refused::Endpoint)?;
        let uri = format!("{}v1/token", endpoint.uri);
        let body = serde_json::json!({
            "clientId": self.client,
            "grantType": "refresh_token",
            "refreshToken": self.refresh_token.expose(),
        });
        let fetch = Fetch {
            method: "POST",
            uri: uri.clone(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            timeout: Duration::from_secs(30),
            private: Private {
                response: true,
                path: endpoint.has_path(),
            },
            max_attempts: 3,
            connect_attempts: 3,
            is_ready: |_| true,
        };
        let proof = || {
            let proof = self.key.proof("POST", &uri, transport.clock.now());
            vec![("dpop", proof.unwrap_or_default())]
        };
        let response = fetch.send_signed(transport, &proof);
        let response = response.map_err(Refused::Fetch)?;
        if response.status != 200 {
            return Err(refusal(&response));
        }
        let problem = "the token service returned an unexpected response (HTTP 200)";
        serde_json::from_slice(&response.body).map_err(|_| Refused::Other(problem.to_owned()))
    }
}

/// Converts an error response. The body may repeat the request, so only a plain code is quoted.
fn refusal(response: &Response) -> Refused {
    let body: Option<ErrorResponse> = serde_json::from_slice(&response.body).ok();
    let is_code = |code: &String| {
        let is_plain = |b: u8| b.is_ascii_alphabetic() || b == b'_';
        code.len() <= 40 && code.bytes().all(is_plain)
    };
    let code = body.map(|body| body.error).filter(is_code);
    match code.as_deref() {
        Some("TOKEN_EXPIRED" | "USER_CREDENTIALS_CHANGED" | "invalid_grant") => {
            Refused::SignInAgain(code.unwrap_or_default())
        }
        Some("INSUFFICIENT_PERMISSIONS") => Refused::Other(
            "the token service refused the refresh (INSUFFICIENT_PERMISSIONS): the identity needs \
             signin:CreateOAuth2Token, for example from the policy SignInLocalDevelopmentAccess"
                .to_owned(),
        ),
        Some(code) => Refused::Other(format!("the token service returned {code}")),
        None => Refused::Other(format!(
            "the token service returned HTTP {}",
            response.status
        )),
    }
}
