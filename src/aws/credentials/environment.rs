//! Keys in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>

use super::{Context, CredentialsError, NamedBy, Provider, Resolved};

pub struct Environment;

impl Provider for Environment {
    fn load(&self, context: &Context) -> Result<Option<Resolved>, CredentialsError> {
        if context.profile.named_by == NamedBy::Flag {
            return Ok(None);
        }
        let var = |name| context.env.var(name);
        let Some(id) = var("AWS_ACCESS_KEY_ID") else {
            return Ok(None);
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
        Ok(Some(Resolved::new(
            &id,
            &secret,
            token.as_deref(),
            provider,
        )))
    }
}
