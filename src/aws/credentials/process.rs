//! Credentials that an external command prints.
//!
//! Settings:
//! - `credential_process` of the profile: the command, run by `sh -c`, as in the Rust SDK.
//!
//! The command prints JSON with Version 1. Its stdout is never shown or logged. If it fails, its
//! stderr is part of the message.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use serde::Deserialize;

use super::json_credentials::{JsonKeys, json};
use super::provider::{Context, Found, Provider};
use crate::aws::credential_cache::CredentialsError;
use crate::text::sanitize;

/// The provider of the credentials that a command prints.
pub struct Process;

#[derive(Deserialize)]
struct ProcessOutput {
    #[serde(rename = "Version")]
    version: u32,
    #[serde(flatten)]
    keys: JsonKeys,
}

impl Provider for Process {
    fn name(&self) -> &'static str {
        "credential_process"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let Some(command) = context.setting("credential_process") else {
            return Ok(Found::NotConfigured(
                "the profile has no credential_process",
            ));
        };
        let profile = &context.profile.name;
        let origin = format!("credential_process of profile {profile}");
        let failed = |why: &str| Err(CredentialsError(format!("{origin} {why}")));
        let output = match context.env.run(command) {
            Ok(output) => output,
            Err(e) => return failed(&format!("could not be run: {e}")),
        };
        if !output.ok {
            let stderr = sanitize(output.stderr.trim(), 400);
            return match stderr.as_str() {
                "" => failed("failed without output"),
                text => failed(&format!("failed: {text}")),
            };
        }
        let parsed: ProcessOutput = json(output.stdout.as_bytes(), &format!("output of {origin}"))?;
        if parsed.version != 1 {
            return failed("printed an unsupported Version (expected 1)");
        }
        parsed.keys.into_credentials(&origin).map(Found::Keys)
    }
}
