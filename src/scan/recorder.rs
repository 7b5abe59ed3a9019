//! Reads the state and the recording group of a region's configuration recorder.

use std::time::Duration;

use super::recovery::classify;
use crate::aws::client::Client;
use crate::aws::error::{CallError, Cause, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::ops::describe_configuration_recorder_status::{
    DescribeConfigurationRecorderStatus, RecorderStatus,
};
use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use crate::coverage::{Gap, Recorder, RecorderState};
use crate::error_log::ErrorType;
use crate::inventory::CountError;
use crate::model::Region;

/// Returns the recorder state of a region from the statuses that AWS Config returned.
#[must_use]
pub fn recorder_state(statuses: &[RecorderStatus]) -> RecorderState {
    if statuses.is_empty() {
        RecorderState::Missing
    } else if statuses.iter().any(|s| s.recording) {
        RecorderState::Recording
    } else {
        RecorderState::Stopped
    }
}

/// The time limit of a call, with its retries. The counts usually finish first, and the scan should
/// not wait for the recorder.
const LIMIT: Duration = Duration::from_secs(30);

/// Fetches the recorder of `region` with two calls; a failed call becomes a [`Gap`] of the result.
/// `refresh` replaces expired credentials and returns true on success.
#[must_use]
pub fn fetch(client: &Client, region: &Region, refresh: &dyn Fn(&CallError) -> bool) -> Recorder {
    let state = match call(
        client,
        region,
        refresh,
        &DescribeConfigurationRecorderStatus {},
    ) {
        Ok(statuses) => Ok(recorder_state(&statuses.unwrap_or_default())),
        // The second call would fail in the same way.
        Err(error) if matches!(error.cause, Cause::Transport(_)) => {
            return Recorder::unknown(&gap(&error));
        }
        Err(error) => Err(gap(&error)),
    };
    let recorders = call(client, region, refresh, &DescribeConfigurationRecorders {});
    let recorders = recorders.map(Option::unwrap_or_default);
    Recorder {
        // Either call can report that the region has no recorder.
        running: match &recorders {
            Ok(recorders) if recorders.is_empty() => Ok(RecorderState::Missing),
            _ => state,
        },
        group: match recorders {
            Ok(recorders) => {
                let mut groups = recorders.into_iter().filter_map(|r| r.recording_group);
                Ok(groups.next().unwrap_or_default())
            }
            Err(error) => Err(gap(&error)),
        },
    }
}

/// Calls `operation`, and repeats the call after a refresh of expired credentials. Returns `None`
/// if the region has no recorder.
fn call<O: Operation>(
    client: &Client,
    region: &Region,
    refresh: &dyn Fn(&CallError) -> bool,
    operation: &O,
) -> Result<Option<O::Output>, CallError> {
    let mut response = client.call_in_background(region, operation, LIMIT);
    if let Err(error) = &response
        && error.kind() == Some(ErrorKind::Expired)
        && refresh(error)
    {
        response = client.call_in_background(region, operation, LIMIT);
    }
    match response {
        Ok(response) => Ok(Some(response.output)),
        Err(error) if error.kind() == Some(ErrorKind::NoRecorder) => Ok(None),
        Err(error) => Err(error),
    }
}

fn gap(error: &CallError) -> Gap {
    let (error_type, _) = classify(&CountError::Call(error.clone()));
    let detail = format!("{error}; {}", error.advice());
    Gap::new(error_type.unwrap_or(ErrorType::ScanFailed), &detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake::{client, clock};
    use crate::coverage::Status;
    use crate::http::TransportErrorKind;
    use crate::http::fake::{FakeResponse, Scripted, answer, failure};

    fn status(recorders: &str) -> FakeResponse {
        answer(
            200,
            format!(r#"{{"ConfigurationRecordersStatus": [{recorders}]}}"#),
        )
    }

    fn group(recorders: &str) -> FakeResponse {
        answer(
            200,
            format!(r#"{{"ConfigurationRecorders": [{recorders}]}}"#),
        )
    }

    fn denied() -> FakeResponse {
        answer(400, r#"{"__type": "AccessDeniedException"}"#)
    }

    fn fetched(responses: impl IntoIterator<Item = FakeResponse>) -> Recorder {
        let client = client(Scripted::list(responses), clock());
        fetch(&client, &"eu-west-1".parse().unwrap(), &|_| false)
    }

    #[test]
    fn two_responses_make_one_recorder() {
        let missing = || answer(400, r#"{"__type": "NoSuchConfigurationRecorderException"}"#);
        let all_supported = || group(r#"{"recordingGroup": {"allSupported": true}}"#);
        for (status, group, word, unknown) in [
            (
                status(r#"{"recording": true}"#),
                all_supported(),
                "recording",
                false,
            ),
            (
                status(r#"{"recording": false}"#),
                all_supported(),
                "stopped",
                false,
            ),
            (status(""), group(""), "missing", false),
            (missing(), missing(), "missing", false),
            (denied(), group(""), "missing", false),
            (status(""), denied(), "missing", false),
            (
                status(r#"{"recording": true}"#),
                denied(),
                "recording",
                true,
            ),
            (denied(), all_supported(), "unknown", true),
            (denied(), denied(), "unknown", true),
        ] {
            let recorder = fetched([status, group]);
            assert_eq!(recorder.as_str(), word, "{recorder:?}");
            assert_eq!(recorder.unknown_why().is_some(), unknown, "{recorder:?}");
        }
    }

    #[test]
    fn unknown_recorder_has_reason_and_advice() {
        let recorder = fetched([denied(), denied()]);
        let why = recorder.unknown_why().unwrap();
        assert_eq!(why.status, Status::Denied);
        assert_eq!(
            &*why.detail,
            "config:DescribeConfigurationRecorderStatus failed with AccessDeniedException (HTTP \
             400); allow config:DescribeConfigurationRecorderStatus in the caller's policies and \
             service control policies"
        );
    }

    #[test]
    fn expired_credentials_are_refreshed() {
        let expired = || answer(400, r#"{"__type": "ExpiredTokenException"}"#);
        let recording = || status(r#"{"recording": true}"#);
        let region = "eu-west-1".parse().unwrap();
        for (refreshed, responses, word) in [
            (true, vec![expired(), recording(), group("{}")], "recording"),
            (false, vec![expired(), group("{}")], "unknown"),
        ] {
            let client = client(Scripted::list(responses), clock());
            let calls = std::cell::Cell::new(0);
            let recorder = fetch(&client, &region, &|error| {
                assert_eq!(error.kind(), Some(ErrorKind::Expired));
                calls.set(calls.get() + 1);
                refreshed
            });
            assert_eq!((recorder.as_str(), calls.get()), (word, 1));
        }
    }

    #[test]
    fn unreachable_region_gets_no_second_call() {
        let http = Scripted::by(|_| failure(TransportErrorKind::Timeout));
        let clock = clock();
        let mut parts = crate::aws::client::fake::parts(http.clone(), clock.clone());
        parts.jitter = || 1.0;
        let recorder = fetch(&Client::new(parts), &"eu-west-1".parse().unwrap(), &|_| {
            false
        });
        assert_eq!(
            recorder.unknown_why().unwrap().status,
            Status::ConnectionFailed
        );
        let requests = http.requests();
        assert!(requests.iter().all(|r| {
            let target = r.header("x-amz-target").unwrap();
            target.ends_with(".DescribeConfigurationRecorderStatus")
        }));
        let waited: Duration = clock.sleeps().iter().sum();
        assert!(waited < LIMIT && requests.len() > 1, "{waited:?}");
    }
}
