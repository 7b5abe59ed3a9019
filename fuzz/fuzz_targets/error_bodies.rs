//! Passes error responses and invalid responses through a call to the log line. The first byte
//! selects the operation; the rest of the input is an HTTP-like response.
#![no_main]

use std::sync::Arc;
use std::time::Duration;

use aws_config_resource_count::advice;
use aws_config_resource_count::aws::client::{CallOutput, Client, Transport};
use aws_config_resource_count::aws::credential_cache::{CachedCredentials, ResolvedCredentials};
use aws_config_resource_count::aws::endpoint::Endpoints;
use aws_config_resource_count::aws::error::{CallError, Cause, ErrorKind};
use aws_config_resource_count::aws::limiter::Limits;
use aws_config_resource_count::aws::ops::describe_regions::DescribeRegions;
use aws_config_resource_count::aws::ops::get_discovered_resource_counts::GetDiscoveredResourceCounts;
use aws_config_resource_count::aws::ops::list_discovered_resources::ListDiscoveredResources;
use aws_config_resource_count::aws::protocol;
use aws_config_resource_count::aws::retry::CALL_LIMIT;
use aws_config_resource_count::error_log::{Entry, ErrorType};
use aws_config_resource_count::interrupt::Interrupt;
use aws_config_resource_count::model::{Region, ResourceType};
use aws_config_resource_count::recording::VirtualClock;
use aws_config_resource_count_fuzz::{Always, KEY_ID, SECRET, TOKEN, leak, response};
use libfuzzer_sys::fuzz_target;
use time::macros::datetime;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else {
        return;
    };
    let response = response(data);
    let input = data.to_vec();
    let parsed = protocol::error_body(&response.body);
    assert_eq!(parsed, protocol::error_body(&response.body));
    assert!(protocol::json::bare_code(parsed.code.raw()).len() <= parsed.code.raw().len());

    let clock = Arc::new(VirtualClock::new(datetime!(2026-11-24 12:00:00 UTC)));
    let credentials = ResolvedCredentials::new(KEY_ID, SECRET, Some(TOKEN), "test".to_owned());
    let transport = Transport {
        http: Arc::new(Always(response.clone())),
        clock: clock.clone(),
        interrupt: Interrupt::default(),
        endpoints: Endpoints::default(),
        max_attempts: 3,
        limits: Limits {
            concurrency: 1,
            rate: None,
        },
        jitter: || 1.0,
        trace: Some(Arc::new(move |line| {
            assert_safe_line(&line.to_string(), &input)
        })),
        activity: Arc::default(),
        ends: Arc::default(),
        hosts: None,
    };
    let client = Client::new(transport, CachedCredentials::fixed(credentials));
    let region: Region = "eu-west-1".parse().unwrap();
    let bucket: ResourceType = "AWS::S3::Bucket".parse().unwrap();
    let failure = match choice % 3 {
        0 => {
            let page = ListDiscoveredResources {
                resource_type: &bucket,
                next_token: None,
                page: 1,
            };
            failure(client.call(&region, &page))
        }
        1 => {
            let page = GetDiscoveredResourceCounts {
                resource_types: &[],
                next_token: None,
                page: 1,
            };
            failure(client.call(&region, &page))
        }
        _ => failure(client.call(&region, &DescribeRegions { all: false })),
    };
    let waited: Duration = clock.sleeps().iter().sum();
    assert!(waited < CALL_LIMIT);
    let Some(error) = failure else {
        assert!((200..300).contains(&response.status));
        return;
    };
    assert!((1..=3).contains(&error.attempts));
    assert_eq!(clock.sleeps().len(), error.attempts as usize - 1);
    if let Cause::Service {
        kind, code, status, ..
    } = &error.cause
    {
        assert_eq!(*status, response.status);
        // Secrets in the code are masked, so the kind is known only for a code without secrets.
        if !code.contains('*') {
            assert_eq!(*kind, ErrorKind::from_code(code, *status));
        }
        let retried = matches!(kind, ErrorKind::Throttling | ErrorKind::Transient);
        assert_eq!(error.attempts, if retried { 3 } else { 1 });
    }
    let debug = format!("{error:?}");
    assert_eq!(leak(&debug, data, &SECRETS), None, "{debug}");
    assert_safe_line(&advice::for_call(&error), data);
    for region in [Some(region), None] {
        let entry = Entry {
            at: datetime!(2026-11-24 12:00:00 UTC),
            error_type: ErrorType::ApiError,
            resource_type: region.as_ref().map(|_| bucket.clone()),
            region,
            message: format!("{error}; {}", advice::for_call(&error)),
        };
        let line = entry.to_string();
        assert!(
            line.starts_with("[2026-11-24T12:00:00.000Z] [API_ERROR] "),
            "{line}"
        );
        assert_safe_line(&line, data);
    }
});

const SECRETS: [&str; 3] = [KEY_ID, SECRET, TOKEN];

fn failure<T>(result: Result<CallOutput<T>, CallError>) -> Option<CallError> {
    result.err()
}

/// Asserts that the text is one line, safe to print, without secrets and of limited length.
fn assert_safe_line(line: &str, input: &[u8]) {
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(
        !line.contains(['\u{2028}', '\u{2029}', '\u{202e}', '\u{200b}', '\u{feff}']),
        "{line:?}"
    );
    assert_eq!(leak(line, input, &SECRETS), None, "{line}");
    assert!(line.chars().count() < 2000, "{line}");
}
