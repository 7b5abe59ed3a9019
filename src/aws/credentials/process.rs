//! `credential_process`: a command of the profile prints the keys.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>. Run by a
//! shell, as the Rust SDK does; what it prints is never shown, what it complains of is.

use serde::Deserialize;

use super::answer::{Keys, json};
use super::{Context, CredentialsError, Found, Provider};
use crate::model::clean;

pub struct Process;

#[derive(Deserialize)]
struct Printed {
    #[serde(rename = "Version")]
    version: u32,
    #[serde(flatten)]
    keys: Keys,
}

impl Provider for Process {
    fn name(&self) -> &'static str {
        "credential_process"
    }

    fn load(&self, context: &Context) -> Result<Found, CredentialsError> {
        let Some(command) = context.setting("credential_process") else {
            return Ok(Found::Nothing("the profile has no credential_process"));
        };
        let profile = &context.profile.name;
        let origin = format!("credential_process of profile {profile}");
        let failed = |why: &str| Err(CredentialsError(format!("{origin} {why}")));
        let ran = match context.env.run(command) {
            Ok(ran) => ran,
            Err(e) => return failed(&format!("could not be run: {e}")),
        };
        if !ran.ok {
            let complaint = clean(ran.stderr.trim(), 400);
            return match complaint.as_str() {
                "" => failed("failed and said nothing"),
                said => failed(&format!("failed; it said: {said}")),
            };
        }
        let printed: Printed = json(ran.stdout.as_bytes(), &format!("what {origin} printed"))?;
        if printed.version != 1 {
            return failed("printed another Version than 1");
        }
        printed.keys.resolved(&origin).map(Found::Keys)
    }
}
