//! The form of the lines in the error log.

use std::collections::BTreeSet;

use aws_config_resource_count::error_log::ErrorType;
use aws_config_resource_count::model::{Region, ResourceType};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::outcome::TIMESTAMP_LEN;
use crate::recordings::{CASES, text};

/// Returns true if a line has the form `[time] [TYPE] Region: …, Resource: …, Message: …`. Region and
/// resource type are optional.
fn is_log_line(line: &str) -> bool {
    let parse = || {
        let (time, rest) = line.strip_prefix('[')?.split_once("] [")?;
        let utc = time.len() == 24 && time.ends_with('Z');
        OffsetDateTime::parse(time, &Rfc3339).ok().filter(|_| utc)?;
        let (kind, mut rest) = rest.split_once("] ")?;
        ErrorType::ALL.iter().find(|t| t.to_string() == kind)?;
        if let Some(after) = rest.strip_prefix("Region: ") {
            let (region, after) = after.split_once(", ")?;
            region.parse::<Region>().ok()?;
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("Resource: ") {
            let (resource_type, after) = after.split_once(", ")?;
            resource_type.parse::<ResourceType>().ok()?;
            rest = after;
        }
        let message = rest.strip_prefix("Message: ")?;
        (!message.is_empty() && !message.contains(char::is_control)).then_some(())
    };
    parse().is_some()
}

#[test]
fn expected_errors_have_specified_form() {
    let mut kinds = BTreeSet::new();
    for case in CASES {
        let errors = case
            .expected("expected_errors.txt")
            .map(|bytes| text(&bytes));
        let errors = errors.unwrap_or_default();
        assert!(errors.is_empty() || errors.ends_with('\n'), "{}", case.name);
        for line in errors.lines() {
            assert!(is_log_line(line), "{}: {line}", case.name);
            kinds.insert(line[TIMESTAMP_LEN..].split(']').next().unwrap().to_owned());
        }
    }
    assert_eq!(
        kinds.len(),
        ErrorType::ALL.len(),
        "expected all ten types: {kinds:?}"
    );
    for line in [
        "",
        "[2026-11-24T12:00:00.000Z] [OTHER] Message: m",
        "[2026-11-24 12:00:00] [FATAL] Message: m",
        "[2026-11-24T12:00:00.000Z] [FATAL] Resource: AWS::S3::Bucket, Region: x, Message: m",
        "[2026-11-24T12:00:00.000Z] [FATAL] Message: a\u{7}",
        "[2026-11-24T12:00:00.000Z] [FATAL] Message: ",
    ] {
        assert!(!is_log_line(line), "{line}");
    }
}
