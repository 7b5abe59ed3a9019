//! The command that continues a run of many accounts, for a POSIX shell.

use std::ffi::OsString;

use crate::redact;
use crate::text::sanitize;

/// The maximum length of an argument, in characters: that of 10,000 account IDs.
const MAX_ARGUMENT: usize = 200_000;

const RESUME: &str = "--resume";

/// Returns the command line `args`, which begins with the program name, with `--resume`. The user name and password of a
/// URL are redacted.
pub(super) fn resume_command(args: &[OsString]) -> String {
    let is_resume = |arg: &&OsString| {
        let arg = arg.to_string_lossy();
        arg == RESUME || arg.starts_with("--resume=")
    };
    let words = args.iter().filter(|arg| !is_resume(arg)).map(|arg| {
        let arg = arg.to_string_lossy();
        let has_secret = arg.contains("://") && arg.contains(['@', '?']);
        let shown = if has_secret {
            redact::setting(&arg)
        } else {
            arg.into_owned()
        };
        quoted(&sanitize(&shown, MAX_ARGUMENT))
    });
    words
        .chain([RESUME.to_owned()])
        .collect::<Vec<_>>()
        .join(" ")
}

/// Quotes a word if the shell would change it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./,:@%+=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_quoted_and_resumes_once() {
        for (args, expected) in [
            (
                vec!["aws-config-resource-count", "--organization"],
                "aws-config-resource-count --organization --resume",
            ),
            (
                vec!["p", "--ou", "/Prod/EU West", "--resume=a b"],
                "p --ou '/Prod/EU West' --resume",
            ),
            (
                vec!["p", "--resume", "--output-dir", "it's", "--profile", ""],
                r"p --output-dir 'it'\''s' --profile '' --resume",
            ),
            (
                vec!["p", "--endpoint-url", "http://user:secret@localhost:1/"],
                "p --endpoint-url http://localhost:1 --resume",
            ),
        ] {
            let args: Vec<OsString> = args.into_iter().map(OsString::from).collect();
            assert_eq!(resume_command(&args), expected);
        }
    }
}
