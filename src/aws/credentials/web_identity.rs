//! A role for an identity token in a file, as CI systems and Kubernetes hand it out.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/access-assume-role-web.html>

use super::{
    Context, CredentialsError, Found, Keyring, NamedBy, Provider, Resolved, role_keys, session_name,
};
use crate::aws::config_file::expand_home;
use crate::aws::ops::assume_role_with_web_identity::AssumeRoleWithWebIdentity;

pub struct WebIdentity;

impl Provider for WebIdentity {
    fn name(&self) -> &'static str {
        "a web identity"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        // An explicit --profile goes before the environment; else it wins, key by key.
        let explicit = context.profile.named_by == NamedBy::Flag;
        let setting = |variable: &str, key: &str| {
            let own = || context.setting(key).map(str::to_owned);
            let var = context.env.var(variable).filter(|_| !explicit);
            var.or_else(own)
        };
        let file = "AWS_WEB_IDENTITY_TOKEN_FILE";
        let Some(path) = setting(file, "web_identity_token_file") else {
            return Ok(Found::Nothing("no token file is named"));
        };
        let path = expand_home(context.env, &path);
        let origin = format!("the web identity in {}", path.display());
        let role_arn = setting("AWS_ROLE_ARN", "role_arn").ok_or_else(|| {
            CredentialsError(format!(
                "{origin}: set AWS_ROLE_ARN (or role_arn) beside it"
            ))
        })?;
        let token = context.env.read(&path);
        let token = token.map_err(|e| CredentialsError(format!("{origin}: {e}")))?;
        let token = String::from_utf8_lossy(&token).trim().to_owned();
        if token.is_empty() {
            return Err(CredentialsError(format!("{origin}: the file is empty")));
        }
        let named = setting("AWS_ROLE_SESSION_NAME", "role_session_name");
        let call = AssumeRoleWithWebIdentity {
            role_arn: &role_arn,
            session_name: &named.unwrap_or_else(|| session_name(context)),
            token: &token,
        };
        // The call carries the token in its body; there are no keys to sign with.
        let secret = Resolved::new("", &token, None, String::new());
        let answered = context
            .net
            .client(Keyring::fixed(secret))
            .call(&context.net.region, &call);
        role_keys(answered, format!("{origin}, role {role_arn}")).map(Found::Keys)
    }
}
