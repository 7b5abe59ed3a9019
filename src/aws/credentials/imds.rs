//! The role of an EC2 instance, through version 2 of the metadata service.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>.
//! A machine that has no such service is the usual case, so that a failure to reach it passes on.

use std::time::Duration;

use serde::Deserialize;

use super::answer::{Keys, json};
use super::fetch::Fetch;
use super::{Context, CredentialsError, Found, Provider};

pub struct Imds;

/// How often the service is asked: four times, as the Rust SDK does, and once where nothing
/// answers, as botocore does.
const ATTEMPTS: &str = "AWS_METADATA_SERVICE_NUM_ATTEMPTS";

const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Code")]
    code: Option<String>,
    #[serde(flatten)]
    keys: Keys,
}

impl Provider for Imds {
    fn name(&self) -> &'static str {
        "the instance metadata service"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let var = |name| context.env.var(name);
        if var("AWS_EC2_METADATA_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
            return Ok(Found::Nothing("AWS_EC2_METADATA_DISABLED is true"));
        }
        let service = Service::of(context)?;
        let Ok((200, token)) = service.ask(context, "PUT", "/latest/api/token", None) else {
            return Ok(Found::Nothing("there is none"));
        };
        let token = token.trim();
        if !is_token(token) {
            return Ok(Found::Nothing("what answers there gives no token"));
        }
        let role = match service.ask(context, "GET", ROLES, Some(token))? {
            (200, role) if !role.trim().is_empty() => {
                role.trim().lines().next().unwrap_or_default().to_owned()
            }
            _ => return Ok(Found::Nothing("the instance has no role")),
        };
        // Not quoted: it may be as long as an answer, or the token.
        if !is_role(&role) {
            return Err(CredentialsError(
                "the instance metadata service named a role that is none: something answers in its \
                 place (a proxy, a captive portal); check AWS_EC2_METADATA_SERVICE_ENDPOINT, or set \
                 AWS_EC2_METADATA_DISABLED=true"
                    .to_owned(),
            ));
        }
        let path = format!("{ROLES}{role}");
        let (status, body) = service.ask(context, "GET", &path, Some(token))?;
        let origin = format!("the instance metadata service (role {role})");
        if status != 200 {
            return Err(CredentialsError(format!("{origin}: HTTP {status}")));
        }
        let answer: Answer = json(body.as_bytes(), &origin)?;
        match answer.code.as_deref() {
            None | Some("Success") => answer.keys.resolved(&origin).map(Found::Keys),
            Some(code) => {
                let code = code.replace(token, "****");
                let code = crate::model::clean(&code, 80);
                Err(CredentialsError(format!("{origin} answered {code}")))
            }
        }
    }
}

/// Whether a header can bear it: those of the service are Base64, of some sixty characters.
fn is_token(text: &str) -> bool {
    (1..=1024).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether IAM could call a role so, and the path of its keys is one: `[\w+=,.@-]{1,64}`.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html>
fn is_role(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    (1..=64).contains(&name.len()) && name.bytes().all(letter)
}

/// Where the service is and how patiently it is asked.
struct Service {
    base: String,
    timeout: Duration,
    tries: u32,
    reach: u32,
}

impl Service {
    fn of(context: &Context) -> Result<Self, CredentialsError> {
        let var = |name: &str| context.env.var(name);
        let number = |name: &str, default: u32| match var(name) {
            None => Ok(default),
            Some(text) => text.trim().parse().ok().filter(|n| *n > 0).ok_or_else(|| {
                CredentialsError(format!("{name}: \"{text}\" is not a number, 1 or more"))
            }),
        };
        let ipv6 = var("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
            .is_some_and(|mode| mode.eq_ignore_ascii_case("ipv6"));
        let base = var("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| {
            let host = if ipv6 {
                "[fd00:ec2::254]"
            } else {
                "169.254.169.254"
            };
            format!("http://{host}")
        });
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            timeout: Duration::from_secs(number("AWS_METADATA_SERVICE_TIMEOUT", 1)?.into()),
            tries: number(ATTEMPTS, 4)?,
            // A machine without the service is the usual case, and nobody is to wait for it.
            reach: number(ATTEMPTS, 1)?,
        })
    }

    fn ask(
        &self,
        context: &Context,
        method: &'static str,
        path: &str,
        token: Option<&str>,
    ) -> Result<(u16, String), CredentialsError> {
        let header = match token {
            None => ("x-aws-ec2-metadata-token-ttl-seconds", "21600".to_owned()),
            Some(token) => ("x-aws-ec2-metadata-token", token.to_owned()),
        };
        // One that has given a token is there: a connection that it has closed meanwhile, or a moment's
        // silence, is no reason to have no credentials.
        let reach = token.map_or(self.reach, |_| self.tries);
        let fetch = Fetch {
            method,
            uri: &format!("{}{path}", self.base),
            headers: vec![header],
            body: Vec::new(),
            timeout: self.timeout,
            tries: self.tries,
            reach,
            is_answer: |_| true,
        };
        let sent = fetch.send(context.net);
        let response =
            sent.map_err(|e| CredentialsError(format!("the instance metadata service: {e}")))?;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        Ok((response.status, body))
    }
}
