//! The settings of requests.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::activity::Activity;
use super::hosts::SharedHosts;
use crate::aws::endpoint::Endpoints;
use crate::aws::limiter::Limits;
use crate::clock::Clock;
use crate::http::{HttpClient, TransportError, TransportErrorKind};
use crate::interrupt::Interrupt;

/// Receives every attempt and every credential provider tried, as one line of `--debug` each.
pub type Trace = Arc<dyn Fn(&dyn fmt::Display) + Send + Sync>;

/// The way in which requests are sent: the settings that the client and the credential providers share.
#[derive(Clone)]
pub struct Transport {
    /// Sends the requests.
    pub http: Arc<dyn HttpClient>,
    /// The clock for signatures and waits.
    pub clock: Arc<dyn Clock>,
    /// Ends a call before its next attempt.
    pub interrupt: Interrupt,
    /// The endpoints of the services.
    pub endpoints: Endpoints,
    /// Maximum attempts per call, the first one included; at least 1.
    pub max_attempts: u32,
    /// The limits for each region of a service.
    pub limits: Limits,
    /// Returns the jitter of a backoff, from 0 to 1.
    pub jitter: fn() -> f64,
    /// Receives every attempt; `None` for no trace.
    pub trace: Option<Trace>,
    /// The calls in progress.
    pub activity: Arc<Activity>,
    /// The time at which all calls end, on the clock of the run, once there is one. The refreshes of credentials end
    /// then too.
    pub ends: Arc<OnceLock<Duration>>,
    /// The hosts as all accounts know them, in a run of many accounts.
    pub hosts: Option<Arc<SharedHosts>>,
}

/// Passes `line` to `trace`, after the time of day in UTC.
pub fn trace_line(trace: &Trace, clock: &dyn Clock, line: &dyn fmt::Display) {
    let time = clock.now().time();
    let (hour, minute, second, ms) = time.as_hms_milli();
    trace(&format_args!(
        "{hour:02}:{minute:02}:{second:02}.{ms:03} {line}"
    ));
}

impl Transport {
    /// Logs a line of `--debug`, after the time of day.
    pub fn log(&self, line: &dyn fmt::Display) {
        if let Some(trace) = &self.trace {
            trace_line(trace, &*self.clock, line);
        }
    }

    /// Returns the time until all calls end; `None` for no such time.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        Some(self.ends.get()?.saturating_sub(self.clock.elapsed()))
    }

    /// Returns the error of a request that is not sent because all calls have ended.
    #[must_use]
    pub fn out_of_time() -> TransportError {
        TransportError {
            kind: TransportErrorKind::Timeout,
            message: "the time of the run was used up".to_owned(),
        }
    }
}
