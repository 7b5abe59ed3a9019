//! Reads the state and the recording group of a region's configuration recorder.

use std::time::Duration;

use super::recovery::{Recovery, classify, rejects_credentials};
use crate::advice;
use crate::aws::client::{CallOutput, Client};
use crate::aws::error::{CallError, Cause, ErrorKind};
use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use crate::coverage::{Gap, Recorder};
use crate::error_log::ErrorType;
use crate::inventory::{CountError, StatusResponse};
use crate::model::Region;

/// The time limit of a call, with its retries. The counts usually finish first, and the scan should
/// not wait for the recorder.
const LIMIT: Duration = Duration::from_secs(30);

/// Fetches the recorder of `region` with two calls; a failed call becomes a [`Gap`] of the result. Uses `status` instead
/// of the first call if there is one. Also returns an error that may stop the scan: one about the credentials.
#[must_use]
pub fn fetch(
    client: &Client,
    region: &Region,
    status: Option<StatusResponse>,
) -> (Recorder, Option<CallError>) {
    let operation = DescribeConfigurationRecorderStatus {};
    let status = status.unwrap_or_else(|| client.call_within(region, &operation, LIMIT));
    let (statuses, mut fatal) = match or_no_recorder(status) {
        Ok(statuses) => (Ok(statuses), None),
        // The second call would fail in the same way.
        Err(error) if matches!(error.cause, Cause::Transport(_)) => {
            return (Recorder::unknown(&gap(&error)), None);
        }
        Err(error) => (Err(gap(&error)), may_stop_scan(error)),
    };
    let operation = DescribeConfigurationRecorders {};
    let recorders = or_no_recorder(client.call_within(region, &operation, LIMIT));
    let recorders = recorders.map_err(|error| {
        let gap = gap(&error);
        fatal = fatal.take().or(may_stop_scan(error));
        gap
    });
    (Recorder::pair(statuses, recorders), fatal)
}

/// Returns the recorders; an empty list if AWS Config returned that the region has none.
fn or_no_recorder<T>(response: Result<CallOutput<Vec<T>>, CallError>) -> Result<Vec<T>, CallError> {
    match response {
        Ok(response) => Ok(response.output),
        Err(error) if error.kind() == Some(ErrorKind::NoRecorder) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn may_stop_scan(error: CallError) -> Option<CallError> {
    let count_error = CountError::Call(error.clone());
    let stops = classify(&count_error).1 == Recovery::StopScan;
    (stops || rejects_credentials(&count_error)).then_some(error)
}

fn gap(error: &CallError) -> Gap {
    let (error_type, _) = classify(&CountError::Call(error.clone()));
    let detail = format!("{error}; {}", advice::for_call(error));
    Gap::new(error_type.unwrap_or(ErrorType::ScanFailed), &detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::aws::client::fake::{self, client, clock, credentials_with_id};
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
        fetch(&client, &"eu-west-1".parse().unwrap(), None).0
    }

    #[test]
    fn two_responses_make_one_recorder() {
        let missing = || answer(400, r#"{"__type": "NoSuchConfigurationRecorderException"}"#);
        let all_supported = || group(r#"{"recordingGroup": {"allSupported": true}}"#);
        for (status, group, word, unknown) in [
            (
                status(r#"{"recording": true, "lastStatus": "SUCCESS"}"#),
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
            (
                status(r#"{"recording": true, "lastStatus": "Failure"}"#),
                all_supported(),
                "failed",
                false,
            ),
            (status(""), group(""), "missing", false),
            (missing(), missing(), "missing", false),
            (denied(), group(""), "missing", false),
            (status(""), denied(), "missing", false),
            (
                status(r#"{"recording": true, "lastStatus": "SUCCESS"}"#),
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
        assert_eq!(why.status, Status::AccessDenied);
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
        let recording = || status(r#"{"recording": true, "lastStatus": "SUCCESS"}"#);
        let region = "eu-west-1".parse().unwrap();
        for (refreshed, responses, word) in [
            (true, vec![expired(), recording(), group("{}")], "recording"),
            (false, vec![expired(), group("{}")], "unknown"),
        ] {
            let loads = AtomicUsize::new(0);
            let credentials = fake::refreshed_by(move |_| {
                let n = loads.fetch_add(usize::from(refreshed), Ordering::SeqCst);
                Ok(credentials_with_id(&format!("AKIDEXAMPLE{n}")))
            });
            let http = Scripted::list(responses);
            let client = Client::new(fake::transport(http, clock()), credentials);
            let (recorder, expired) = fetch(&client, &region, None);
            assert_eq!(recorder.as_str(), word);
            assert_eq!(expired.is_none(), refreshed, "reported if not refreshed");
        }
    }

    #[test]
    fn unreachable_region_gets_no_second_call() {
        let http = Scripted::by(|_| failure(TransportErrorKind::Timeout));
        let clock = clock();
        let mut transport = fake::transport(http.clone(), clock.clone());
        transport.jitter = || 1.0;
        let client = Client::new(transport, fake::credentials());
        let (recorder, _) = fetch(&client, &"eu-west-1".parse().unwrap(), None);
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
