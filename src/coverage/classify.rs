//! The meaning of a listing or a count, by the status of the region's recorder.

use super::cell::{Cell, Note, Value};
use super::gap::Gap;
use super::recorder::RecordingStatus;
use super::region_result::RegionResult;
use super::status::Status;
use crate::error_log::ErrorType;
use crate::inventory::Method;
use crate::model::{ResourceType, ResourceTypes};

/// Returns the cell of a type.
pub(super) fn classify(
    result: &RegionResult,
    resource_type: &ResourceType,
    types: &ResourceTypes,
    method: Method,
) -> Cell {
    let listed = result.listed.get(resource_type);
    // The counts have no types without resources.
    let counts = result.counts.as_ref();
    let counted = counts.map(|c| c.get(resource_type).copied().unwrap_or_default());
    let recording = result.recording_status(resource_type);
    let value = match (listed, counted) {
        (Some(Ok(listed)), _) => classify_total(listed.total, true, &recording),
        (Some(Err(gap)), _) => Value::Missing(gap.clone()),
        (None, Some(n)) if !method.lists() => classify_total(n, false, &recording),
        // With all types, only the types with a count are listed; the others have a count of 0.
        (None, Some(0)) if *types == ResourceTypes::All => classify_total(0, false, &recording),
        (None, _) => Value::Missing(result.unlisted.clone()),
    };
    Cell {
        value,
        listed: listed.and_then(|l| Some(l.as_ref().ok()?.total)),
        counted,
    }
}

/// Returns the value for `n` resources in a listing (`listed`) or in the counts, depending on the
/// recording status.
fn classify_total(n: u64, listed: bool, recording: &RecordingStatus<'_>) -> Value {
    match (recording, n) {
        (RecordingStatus::Recorded, _) => Value::Exact(n),
        (RecordingStatus::Missing, 0) => unrecorded(
            Status::RecorderMissing,
            "no configuration recorder in the region, so the real number is unknown",
        ),
        (RecordingStatus::Missing, _) => noted(
            n,
            Status::RecorderMissing,
            "no configuration recorder in the region; the count may be stale",
        ),
        (RecordingStatus::NotRecorded, 0) => unrecorded(
            Status::NotRecorded,
            "not recorded and none discovered, so the real number is unknown",
        ),
        (RecordingStatus::NotRecorded, _) => noted(
            n,
            Status::NotRecorded,
            "not recorded here; the discovered count may be stale or incomplete",
        ),
        (RecordingStatus::Stopped, 0) if !listed => unrecorded(
            Status::RecorderStopped,
            "recorder stopped, so config:GetDiscoveredResourceCounts counts nothing",
        ),
        (RecordingStatus::Stopped, _) => noted(
            n,
            Status::RecorderStopped,
            "recorder stopped: the count dates from then",
        ),
        (RecordingStatus::Unknown(why), 0) if !listed => Value::Missing(Gap {
            detail: format!(
                "recorder status unknown; no resources may mean the type is not recorded: {}",
                why.detail
            )
            .into(),
            logged: false,
            ..(*why).clone()
        }),
        (RecordingStatus::Unknown(why), _) => noted(
            n,
            Status::from_total(n),
            &format!("recorder status unknown: {}", why.detail),
        ),
    }
}

/// Returns the value of a zero that the recorder makes meaningless.
fn unrecorded(status: Status, detail: &str) -> Value {
    Value::Missing(Gap {
        status,
        error_type: ErrorType::ConfigDisabled,
        detail: detail.into(),
        logged: false,
    })
}

fn noted(total: u64, status: Status, detail: &str) -> Value {
    let detail = detail.into();
    let note = Note { status, detail };
    Value::Noted { total, note }
}
