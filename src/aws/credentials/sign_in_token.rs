//! The token request of an `aws login` session: CreateOAuth2Token with a refresh token.
//!
//! <https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html>

use serde::Deserialize;
use serde_json::{Map, Value};

use super::dpop::ProofKey;
use super::fetch::Fetch;
use super::json_credentials::SessionKeys;
use super::provider::ProviderContext;
use crate::aws::error::CredentialsError;
use crate::aws::operation::Service;
use crate::http::Response;
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
    pub access_token: SessionKeys,
    /// Their lifetime, in seconds.
    pub expires_in: i64,
    /// The refresh token of the next request.
    pub refresh_token: Secret,
}

/// The reason why there is no new token.
pub enum Refused {
    /// The session has ended, with this error code.
    SignInAgain(String),
    /// The request failed, or the service returned another response.
    Failed(CredentialsError),
}

impl<E: Into<CredentialsError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
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

    /// Sends the request, with up to three attempts; `origin` names the sign-in in errors.
    ///
    /// # Errors
    /// The service returned an error, or the request failed.
    pub fn send(&self, context: &ProviderContext, origin: &str) -> Result<SignInResponse, Refused> {
        let transport = context.transport;
        let region = self.region.as_ref().unwrap_or(context.region);
        let endpoint = transport.endpoints.resolve(Service::SignIn, region)?;
        let body = serde_json::json!({
            "clientId": self.client,
            "grantType": "refresh_token",
            "refreshToken": self.refresh_token.expose(),
        });
        let fetch = Fetch::post(&endpoint, "v1/token", &body);
        let uri = fetch.uri.clone();
        let proof = || {
            let proof = self.key.proof("POST", &uri, transport.clock.now());
            vec![("dpop", proof.unwrap_or_default())]
        };
        let response = fetch.send_signed(transport, &proof);
        let response = response.map_err(CredentialsError::fetch(origin))?;
        if response.status != 200 {
            return Err(refusal(&response, origin));
        }
        Ok(serde_json::from_slice(&response.body).map_err(|_| {
            let problem = "the token service returned an unexpected response (HTTP 200)";
            CredentialsError::refused(origin, problem)
        })?)
    }
}

/// Converts an error response. The body may repeat the request, so only a plain code is quoted.
fn refusal(response: &Response, origin: &str) -> Refused {
    let body: Option<ErrorResponse> = serde_json::from_slice(&response.body).ok();
    let is_code = |code: &String| {
        let is_plain = |b: u8| b.is_ascii_alphabetic() || b == b'_';
        code.len() <= 40 && code.bytes().all(is_plain)
    };
    let code = body.map(|body| body.error).filter(is_code);
    let problem = match code.as_deref() {
        Some("TOKEN_EXPIRED" | "USER_CREDENTIALS_CHANGED" | "invalid_grant") => {
            return Refused::SignInAgain(code.unwrap_or_default());
        }
        Some("INSUFFICIENT_PERMISSIONS") => {
            "the token service refused the refresh (INSUFFICIENT_PERMISSIONS): the identity needs \
             signin:CreateOAuth2Token, for example from the policy SignInLocalDevelopmentAccess"
                .to_owned()
        }
        Some(code) => format!("the token service returned {code}"),
        None => format!("the token service returned HTTP {}", response.status),
    };
    CredentialsError::refused(origin, problem).into()
}
