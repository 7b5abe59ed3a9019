//! Credentials that an external command prints.
//!
//! Settings:
//! - `credential_process` of the profile: the command, run by `sh -c`, as in the Rust SDK.
//!
//! The command prints JSON with Version 1, at most 1 MiB, within two minutes. It can read from the terminal. Its stdout is never shown or logged. If it fails, its
//! stderr is part of the message, without anything that looks like a key or a token.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use std::io::ErrorKind;
use std::time::Duration;

use serde::Deserialize;

use super::json_credentials::{JsonKeys, json};
use super::provider::{Found, Provider, ProviderContext};
use crate::aws::error::CredentialsError;
use crate::redact;
use crate::untrusted::Untrusted;

/// Returns `stderr` for a message, without the credentials that a command may print there too.
fn shown(stdout: &str, stderr: &str) -> String {
    let stderr = Untrusted::from(stderr).redact(&redact::secrets_in(stdout));
    stderr.map(redact::source).shown(400)
}

/// The maximum time of a command.
const TIME_LIMIT: Duration = Duration::from_mins(2);

#[derive(Deserialize)]
struct ProcessOutput {
    #[serde(rename = "Version")]
    version: u32,
    #[serde(flatten)]
    keys: JsonKeys,
}

/// The provider of the credentials that a command prints.
pub const PROVIDER: Provider = ("credential_process", load);

fn load(context: &ProviderContext) -> Result<Found, CredentialsError> {
    let Some(command) = context.setting("credential_process") else {
        return Ok(Found::NotConfigured(
            "the profile has no credential_process",
        ));
    };
    let origin = format!("credential_process of profile {}", context.profile.name);
    let elapsed = || context.transport.clock.elapsed();
    let left = context.transport.time_left();
    let limit = left.map_or(TIME_LIMIT, |left| left.min(TIME_LIMIT));
    let output = context
        .env
        .run(&without_comments(command), limit, &elapsed)
        .map_err(|source| {
            let problem = match source.kind() {
                ErrorKind::TimedOut | ErrorKind::FileTooLarge | ErrorKind::Interrupted => {
                    "was ended"
                }
                _ => "could not be run",
            };
            let what = format!("{origin} {problem}");
            CredentialsError::Io { what, source }
        })?;
    let refused = |why| Err(CredentialsError::Refused(format!("{origin} {why}")));
    if !output.ok {
        return match shown(output.stdout.expose(), output.stderr.trim()).as_str() {
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

/// Returns the command for a shell. As for the AWS CLI, a `#` does not start a comment, and a line break is a blank.
fn without_comments(command: &str) -> String {
    let (mut out, mut quote, mut before) = (String::new(), None, ' ');
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None | Some('"'), '\\') => {
                out.push(c);
                out.extend(chars.next());
            }
            (None, '\'' | '"') => {
                quote = Some(c);
                out.push(c);
            }
            (None, '#') if before.is_whitespace() || ";&|()".contains(before) => {
                out.push_str("\\#");
            }
            (None, '\n') => out.push(' '),
            (Some(end), _) => {
                quote = quote.filter(|_| c != end);
                out.push(c);
            }
            (None, _) => out.push(c),
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn number_sign_is_no_comment() {
        for (command, for_shell) in [
            ("tool", "tool"),
            ("tool --color #fff", r"tool --color \#fff"),
            ("tool # a # b", r"tool \# a \# b"),
            ("# tool", r"\# tool"),
            ("tool a#b '# c' \"# d\"", "tool a#b '# c' \"# d\""),
            (r#"tool "a\" # b" # c"#, r#"tool "a\" # b" \# c"#),
            (r"tool 'a\' # b", r"tool 'a\' \# b"),
            (r"tool \' # b", r"tool \' \# b"),
            ("sh -c 'cd /tmp ; tool # x'", "sh -c 'cd /tmp ; tool # x'"),
            ("tool ;#a", r"tool ;\#a"),
            ("tool a\nb 'c\nd'", "tool a b 'c\nd'"),
        ] {
            assert_eq!(without_comments(command), for_shell, "{command}");
        }
    }
}
