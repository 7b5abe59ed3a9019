//! The time that is left to open a connection.

use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{ConnectionDetails, NextTimeout};

/// Returns the time-out of the next step of a connection: all steps share one.
pub(super) fn time_left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    if let (Duration::Exact(limit), Instant::Exact(start), Instant::Exact(now)) =
        (timeout.after, details.now, (details.current_time)())
    {
        timeout.after = limit
            .saturating_sub(now.saturating_duration_since(start))
            .into();
    }
    timeout
}
