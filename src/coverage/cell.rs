//! The count of one region and type.

use std::borrow::Cow;

use super::recorder::RecordingStatus::{self, Missing, NotRecorded, Recorded, Stopped, Unknown};
use super::status::{Gap, Status};
use crate::model::Region;

/// The count of one region and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// The number of resources that a complete listing or the counts have, and the recording status
    /// of the type. `None` if there are no resources, but the type may have some: then it is not
    /// recorded, or the status is unknown. That the number is missing is not in the log yet, because
    /// no call failed.
    Complete(Option<u64>, RecordingStatus),
    /// No total, and none is missing: this region does not record the global type, and the given
    /// region counts the same resources.
    CountedElsewhere(Region),
    /// The total is missing because of an error, which is in the log.
    Failed(Gap),
}

impl Cell {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Complete(None, Unknown(gap)) | Self::Failed(gap) => gap.status,
            Self::Complete(total, Recorded | Unknown(_)) => match total {
                None | Some(0) => Status::Zero,
                Some(_) => Status::Counted,
            },
            Self::Complete(_, Missing) => Status::RecorderMissing,
            Self::Complete(_, Stopped) => Status::RecorderStopped,
            Self::Complete(_, NotRecorded) | Self::CountedElsewhere(_) => Status::NotRecorded,
        }
    }

    /// Returns the total, if there is one. The status shows if it may be stale or not recorded.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        match self {
            Self::Complete(total, _) => *total,
            Self::CountedElsewhere(_) | Self::Failed(_) => None,
        }
    }

    /// Returns true if the count is missing: there is no total, and no other region counts the same
    /// resources.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Complete(None, _) | Self::Failed(_))
    }

    /// Returns true if another region counts the same resources.
    #[must_use]
    pub fn is_counted_elsewhere(&self) -> bool {
        matches!(self, Self::CountedElsewhere(_))
    }

    /// Returns true if the total may be stale or incomplete, because the recorder does not record
    /// the type. (If the recorder is unknown, the region has a note, not the type.)
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(
            self,
            Self::Complete(Some(_), Missing | Stopped | NotRecorded)
        )
    }

    /// Returns the reason why there is no total, or a note about it; empty if there is neither.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        let (total, recording) = match self {
            Self::Complete(total, recording) => (total, recording),
            Self::CountedElsewhere(region) => {
                return format!("not recorded here; counted in {region} (global)").into();
            }
            Self::Failed(gap) => return (&*gap.detail).into(),
        };
        let text = match (recording, total) {
            (Recorded, _) => "",
            (Missing, None) => {
                "no configuration recorder in the region, so the real number is unknown"
            }
            (Missing, _) => "no configuration recorder in the region; the count may be stale",
            (NotRecorded, None) => {
                "not recorded and none discovered, so the real number is unknown"
            }
            (NotRecorded, _) => {
                "not recorded here; the discovered count may be stale or incomplete"
            }
            (Stopped, None) => {
                "recorder stopped, so config:GetDiscoveredResourceCounts counts nothing"
            }
            (Stopped, _) => "recorder stopped: the count dates from then",
            (Unknown(_), None) => {
                "recorder status unknown; no resources may mean the type is not recorded"
            }
            (Unknown(_), _) => "recorder status unknown",
        };
        match recording {
            Unknown(why) => format!("{text}: {}", why.detail).into(),
            _ => text.into(),
        }
    }
}
