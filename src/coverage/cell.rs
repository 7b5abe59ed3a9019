//! The count of one region and type.

use std::borrow::Cow;
use std::sync::Arc;

use time::OffsetDateTime;

use super::recorder::RecordingStatus::{self, Missing, NotRecorded, Recorded, Stale, Unknown};
use super::status::{Class, Gap, Status};
use crate::aws::ops::describe_configuration_recorders::Frequency;
use crate::model::{Region, ResourceType};

/// The count of one region and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The number of resources that a complete listing or the counts have, and the recording status
    /// of the type. `None` if there are no resources, but the type may have some: then it is not
    /// recorded, or the status is unknown. That the number is missing is not in the log yet, because
    /// no call failed.
    Complete(Option<u64>, RecordingStatus),
    /// The given region records and counts the same resources of the global type; this region does
    /// not record it. The total is the number of resources that are listed here anyway.
    CountedElsewhere(Option<u64>, Region),
    /// The number of resources of a listing that changed while it was read, and the reason; the
    /// reason is in the log.
    Changed(u64, Arc<str>),
    /// No region returned resources of the type, which may not exist, and the reason.
    UnknownType(Arc<str>),
    /// The total is missing because of an error, which is in the log.
    Failed(Gap),
}

impl Cell {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Complete(Some(0), Recorded(_)) => Status::Zero,
            Self::Complete(None | Some(0), Unknown(_)) => Status::Unverified,
            Self::Complete(_, Recorded(_) | Unknown(_)) => Status::Counted,
            Self::Complete(_, Stale(state)) => state.kind.status(),
            Self::Complete(_, Missing) => Status::RecorderMissing,
            Self::Complete(_, NotRecorded) => Status::NotRecorded,
            Self::CountedElsewhere(..) => Status::CountedElsewhere,
            Self::Changed(..) => Status::ChangedWhileListed,
            Self::UnknownType(_) => Status::UnknownType,
            Self::Failed(gap) => gap.status,
        }
    }

    /// Returns the total, if there is one. The class shows if it may be stale or unverified.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match self {
            Self::Complete(total, _) | Self::CountedElsewhere(total, _) => *total,
            Self::Changed(total, _) => Some(*total),
            Self::UnknownType(_) | Self::Failed(_) => None,
        }
    }

    /// Returns the class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.status().class(self.total().is_some())
    }

    /// Returns true if the count is missing: there is no total, and no other region counts the same
    /// resources.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.class() == Class::Missing
    }

    /// Returns true if the total may be stale or incomplete.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.class() == Class::Stale
    }

    /// Returns true if the region does not record the type, and no other region records and counts
    /// it.
    #[must_use]
    pub fn is_not_recorded(&self) -> bool {
        match self {
            Self::Complete(_, Missing | NotRecorded) => true,
            Self::Failed(gap) => gap.status == Status::RecorderMissing,
            _ => false,
        }
    }

    /// Returns true if `resource_type`, the type of the cell, is global, and no region records and
    /// counts it. That is one gap of the account, not one per region.
    #[must_use]
    pub fn is_unrecorded_global(&self, resource_type: &ResourceType) -> bool {
        resource_type.is_global() && self.is_not_recorded()
    }

    /// Returns the error because of which the recorder is unknown, if it is.
    #[must_use]
    pub fn unknown_why(&self) -> Option<&Gap> {
        match self {
            Self::Complete(_, Unknown(why)) => Some(why),
            _ => None,
        }
    }

    /// Returns the time since which the recorder has not recorded, if it is known.
    #[must_use]
    pub fn since(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Complete(_, Stale(state)) => state.since,
            _ => None,
        }
    }

    /// Returns the reason why there is no total, or a note about it; empty if there is neither.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match self {
            Self::Complete(total, recording) => detail(*total, recording),
            Self::CountedElsewhere(_, region) => {
                format!("not recorded here; counted in {region} (global)").into()
            }
            Self::Changed(_, why) | Self::UnknownType(why) => (&**why).into(),
            Self::Failed(gap) => (&*gap.detail).into(),
        }
    }
}

/// Returns the note about a complete count.
fn detail(total: Option<u64>, recording: &RecordingStatus) -> Cow<'_, str> {
    match (recording, total) {
        (Recorded(Frequency::Continuous), _) => "".into(),
        (Recorded(Frequency::Daily), _) => {
            "recorded daily: the count may be a day older than the scan".into()
        }
        (Missing, None) => {
            "no configuration recorder in the region, so the real number is unknown".into()
        }
        (Missing, _) => "no configuration recorder in the region; the count may be stale".into(),
        (NotRecorded, None) => {
            "not recorded and none discovered, so the real number is unknown".into()
        }
        (NotRecorded, _) => {
            "not recorded here; the discovered count may be stale or incomplete".into()
        }
        (Stale(state), None) => {
            format!("{state}, so config:GetDiscoveredResourceCounts does not count the type").into()
        }
        (Stale(state), _) => format!("{state}: {}", state.kind.consequence()).into(),
        (Unknown(why), None) => format!(
            "recorder status unknown; no resources may mean the type is not recorded: {}",
            why.detail
        )
        .into(),
        (Unknown(why), _) => format!("recorder status unknown: {}", why.detail).into(),
    }
}
