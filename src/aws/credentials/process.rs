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
use super::provider::{Found, Provider, ProviderContext};
use crate::aws::error::CredentialsError;
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

    fn load(&self, context: &ProviderContext) -> Result<Found, CredentialsError> {
        let Some(command) = context.setting("credential_process") else {
            return Ok(Found::NotConfigured(
                "the profile has no credential_process",
            ));
        };
        let origin = format!("credential_process of profile {}", context.profile.name);
        let output = context.env.run(command).map_err(|source| {
            let what = format!("{origin} could not be run");
            CredentialsError::Io { what, source }
        })?;
        let refused = |why| Err(CredentialsError::Refused(format!("{origin} {why}")));
        if !output.ok {
            return match sanitize(output.stderr.trim(), 400).as_str() {
                "" => refused("failed without output".to_owned()),
                stderr => refused(format!("failed: {stderr}")),
            };
        }
        let stdout = output.stdout.expose().as_bytes();
        let parsed: ProcessOutput = json(stdout, &format!("output of {origin}"))?;
        if parsed.version != 1 {
            return refused("printed an unsupported Version (expected 1)".to_owned());
        }
        parsed.keys.into_credentials(&origin).map(Found::Keys)
    }
}
