//! Asks for a region's recorder: whether it runs, and what it records.

use crate::aws::client::Client;
use crate::aws::error::{CallError, ErrorKind};
use crate::aws::operation::Operation;
use crate::aws::ops::describe_configuration_recorder_status::{
    DescribeConfigurationRecorderStatus, RecorderStatus,
};
use crate::aws::ops::describe_configuration_recorders::{
    DescribeConfigurationRecorders, RecordingGroup,
};
use crate::count::CountError;
use crate::coverage::{Loss, Recorder, Running};
use crate::error_log::ErrorType;
use crate::model::Region;

use super::verdict::verdict;

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

/// Asks in `region` by two calls; what they fail with is a part of the answer.
#[must_use]
pub fn ask(client: &Client, region: &Region) -> Recorder {
    let status = call(client, region, &DescribeConfigurationRecorderStatus {});
    let recorders = call(client, region, &DescribeConfigurationRecorders {});
    let running = match (status, &recorders) {
        (Ok(Some(statuses)), _) => Ok(running(&statuses)),
        (Ok(None), _) | (_, Ok(None)) => Ok(Running::Missing),
        // Either call tells that there is none.
        (Err(_), Ok(Some(recorders))) if recorders.is_empty() => Ok(Running::Missing),
        (Err(error), _) => Err(loss(&error)),
    };
    let group = match recorders {
        Ok(Some(recorders)) => {
            let group = recorders.into_iter().find_map(|r| r.recording_group);
            Ok(group.unwrap_or_default())
        }
        Ok(None) => Ok(RecordingGroup::default()),
        Err(error) => Err(loss(&error)),
    };
    Recorder { running, group }
}

/// The reply; `None` where the region says that there is no recorder.
fn call<O: Operation>(
    client: &Client,
    region: &Region,
    operation: &O,
) -> Result<Option<O::Output>, CallError> {
    let mut answer = client.call(region, operation);
    if let Err(error) = &answer
        && error.kind() == Some(ErrorKind::Expired)
        && client.renew_credentials(error).is_ok()
    {
        answer = client.call(region, operation);
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
