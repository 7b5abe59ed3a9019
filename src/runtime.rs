//! The runtime of a run: environment, time, Ctrl-C, jitter and the network, or the recording that
//! replaces them.

use std::io;
use std::sync::Arc;

use time::OffsetDateTime;

use crate::clock::{Clock, SystemClock};
use crate::env::{Env, SystemEnv};
use crate::http::{HttpClient, Settings, UreqClient};
use crate::interrupt::Interrupt;
use crate::options::Options;
use crate::recording::{RecordedEnv, ReplayClient, VirtualClock};

/// The external services that the checks and the scan use.
pub struct Runtime {
    /// Environment variables and files.
    pub env: Arc<dyn Env>,
    /// The clock: time of day, elapsed time, sleep.
    pub clock: Arc<dyn Clock>,
    /// The interrupt that Ctrl-C raises.
    pub interrupt: Interrupt,
    /// Returns the jitter of a backoff: a random number from 0 to below 1.
    pub jitter: fn() -> f64,
    /// Creates the HTTP client: the network, or the replay of a recording.
    pub connect: ConnectFn,
}

/// Creates an HTTP client from its settings; the interrupt ends its open requests.
pub type ConnectFn =
    Box<dyn Fn(&Settings, &Interrupt) -> io::Result<Arc<dyn HttpClient>> + Send + Sync>;

impl Runtime {
    /// Creates the runtime of a run: the network, the system clock and the process's environment.
    /// With `options.replay`, all three are the recording instead, and its clock does not wait.
    ///
    /// # Errors
    /// The environment of the recording cannot be read.
    pub fn new(options: &Options, interrupt: Interrupt) -> io::Result<Self> {
        let jitter = fastrand::f64;
        let Some(source) = options.replay.clone() else {
            return Ok(Self {
                env: Arc::new(SystemEnv(interrupt.clone())),
                clock: Arc::new(SystemClock::new(interrupt.clone())),
                interrupt,
                jitter,
                connect: Box::new(|settings, interrupt| {
                    let client = UreqClient::new(settings, interrupt);
                    Ok(Arc::new(client.map_err(io::Error::other)?))
                }),
            });
        };
        let now = OffsetDateTime::now_utc();
        Ok(Self {
            env: Arc::new(RecordedEnv::open(source.clone())?),
            clock: Arc::new(VirtualClock::new(now)),
            interrupt,
            jitter,
            connect: Box::new(move |_, _| Ok(Arc::new(ReplayClient::open(source.clone(), now)?))),
        })
    }
}
