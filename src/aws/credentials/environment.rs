//! Keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>

use super::{Context, CredentialsError, Found, NamedBy, Provider, Resolved};

pub struct Environment;

impl Provider for Environment {
    fn name(&self) -> &'static str {
        "the environment"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        if context.profile.named_by == NamedBy::Flag {
            return Ok(Found::Nothing("--profile goes before it"));
        }
        let var = |name| context.env.var(name);
        let Some(id) = var("AWS_ACCESS_KEY_ID") else {
            return Ok(Found::Nothing("AWS_ACCESS_KEY_ID is not set"));
        };
        let secret = var("AWS_SECRET_ACCESS_KEY").ok_or_else(|| {
            CredentialsError(
                "AWS_ACCESS_KEY_ID is set in the environment and AWS_SECRET_ACCESS_KEY is not; set \
                 both, or neither"
                    .to_owned(),
            )
        })?;
        let token = var("AWS_SESSION_TOKEN").or_else(|| var("AWS_SECURITY_TOKEN"));
        let provider = "environment variables".to_owned();
        Ok(Found::Keys(Resolved::new(
            &id,
            &secret,
            token.as_deref(),
            provider,
        )))
    }
}
