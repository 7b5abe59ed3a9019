//! Asks for a region's recorder: whether it runs, and what it records.

use std::time::Duration;

use super::verdict::verdict;
use crate::aws::client::Client;
use crate::aws::error::{CallError, Cause, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::ops::describe_configuration_recorder_status::{
    DescribeConfigurationRecorderStatus, RecorderStatus,
};
use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use crate::count::CountError;
use crate::coverage::{Loss, Recorder, Running};
use crate::error_log::ErrorType;
use crate::model::Region;

/// Whether a region has a recorder and it runs, by the statuses that it answered with.
#[must_use]
pub fn running(statuses: &[RecorderStatus]) -> Running {
    if statuses.is_empty() {
        Running::Missing
    } else if statuses.iter().any(|s| s.recording) {
        Running::Recording
    } else {
        Running::Stopped
    }
}

/// How long a call may take: the counts are there before, as a rule, and nobody is to wait for this.
const LIMIT: Duration = Duration::from_secs(30);

/// Asks in `region` by two calls; what they fail with is a part of the answer. `renew` brings new
/// credentials in the place of expired ones.
#[must_use]
pub fn ask(client: &Client, region: &Region, renew: &dyn Fn(&CallError) -> bool) -> Recorder {
    let running = match call(
        client,
        region,
        renew,
        &DescribeConfigurationRecorderStatus {},
    ) {
        Ok(statuses) => Ok(running(&statuses.unwrap_or_default())),
        // The other call would not get an answer either.
        Err(error) if matches!(error.cause, Cause::Transport(_)) => {
            return Recorder::unknown(&loss(&error));
        }
        Err(error) => Err(loss(&error)),
    };
    let recorders = call(client, region, renew, &DescribeConfigurationRecorders {});
    let recorders = recorders.map(Option::unwrap_or_default);
    Recorder {
        // Either call tells that there is none.
        running: match &recorders {
            Ok(none) if none.is_empty() => Ok(Running::Missing),
            _ => running,
        },
        group: match recorders {
            Ok(recorders) => {
                let mut groups = recorders.into_iter().filter_map(|r| r.recording_group);
                Ok(groups.next().unwrap_or_default())
            }
            Err(error) => Err(loss(&error)),
        },
    }
}

/// The reply; `None` where the region says that there is no recorder.
fn call<O: Operation>(
    client: &Client,
    region: &Region,
    renew: &dyn Fn(&CallError) -> bool,
    operation: &O,
) -> Result<Option<O::Output>, CallError> {
    let mut answer = client.call_aside(region, operation, LIMIT);
    if let Err(error) = &answer
        && error.kind() == Some(ErrorKind::Expired)
        && renew(error)
    {
        answer = client.call_aside(region, operation, LIMIT);
    }
    match answer {
        Ok(answer) => Ok(Some(answer.output)),
        Err(error) if error.kind() == Some(ErrorKind::NoRecorder) => Ok(None),
        Err(error) => Err(error),
    }
}

fn loss(error: &CallError) -> Loss {
    let (error_type, _) = verdict(&CountError::Call(error.clone()));
    let detail = format!("{error}; {}", error.advice());
    Loss::of(error_type.unwrap_or(ErrorType::ScanFailed), &detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::client::fake::{client, clock};
    use crate::coverage::Status;
    use crate::http::TransportErrorKind;
    use crate::http::fake::{Answer, Scripted, answer, failure};

    fn status(recorders: &str) -> Answer {
        answer(
            200,
            format!(r#"{{"ConfigurationRecordersStatus": [{recorders}]}}"#),
        )
    }

    fn group(recorders: &str) -> Answer {
        answer(
            200,
            format!(r#"{{"ConfigurationRecorders": [{recorders}]}}"#),
        )
    }

    fn denied() -> Answer {
        answer(400, r#"{"__type": "AccessDeniedException"}"#)
    }

    fn asked(answers: impl IntoIterator<Item = Answer>) -> Recorder {
        let client = client(Scripted::list(answers), clock());
        ask(&client, &"eu-west-1".parse().unwrap(), &|_| false)
    }

    #[test]
    fn the_two_answers_together() {
        let none = || answer(400, r#"{"__type": "NoSuchConfigurationRecorderException"}"#);
        let some = || group(r#"{"recordingGroup": {"allSupported": true}}"#);
        for (status, group, word, unknown) in [
            (status(r#"{"recording": true}"#), some(), "recording", false),
            (status(r#"{"recording": false}"#), some(), "stopped", false),
            (status(""), group(""), "missing", false),
            (none(), none(), "missing", false),
            (denied(), group(""), "missing", false),
            (status(""), denied(), "missing", false),
            (
                status(r#"{"recording": true}"#),
                denied(),
                "recording",
                true,
            ),
            (denied(), some(), "unknown", true),
            (denied(), denied(), "unknown", true),
        ] {
            let recorder = asked([status, group]);
            assert_eq!(recorder.as_str(), word, "{recorder:?}");
            assert_eq!(recorder.unknown_why().is_some(), unknown, "{recorder:?}");
        }
    }

    #[test]
    fn why_it_is_unknown_is_told_with_what_to_do() {
        let recorder = asked([denied(), denied()]);
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
    fn credentials_that_have_expired_are_renewed() {
        let expired = || answer(400, r#"{"__type": "ExpiredTokenException"}"#);
        let recording = || status(r#"{"recording": true}"#);
        let region = "eu-west-1".parse().unwrap();
        for (renewed, answers, word) in [
            (true, vec![expired(), recording(), group("{}")], "recording"),
            (false, vec![expired(), group("{}")], "unknown"),
        ] {
            let client = client(Scripted::list(answers), clock());
            let asked = std::cell::Cell::new(0);
            let recorder = ask(&client, &region, &|error| {
                assert_eq!(error.kind(), Some(ErrorKind::Expired));
                asked.set(asked.get() + 1);
                renewed
            });
            assert_eq!((recorder.as_str(), asked.get()), (word, 1));
        }
    }

    #[test]
    fn where_nothing_answers_the_second_call_is_not_made_and_nobody_waits_long() {
        let http = Scripted::by(|_| failure(TransportErrorKind::Timeout));
        let clock = clock();
        let mut parts = crate::aws::client::fake::parts(http.clone(), clock.clone());
        parts.chance = || 1.0;
        let recorder = ask(&Client::new(parts), &"eu-west-1".parse().unwrap(), &|_| {
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
