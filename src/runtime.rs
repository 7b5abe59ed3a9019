//! The runtime of a run: environment, time, Ctrl-C, jitter and the network, or the recording that
//! replaces them.

use std::io;
use std::sync::Arc;

use time::OffsetDateTime;

use crate::clock::{Clock, SystemClock};
use crate::env::Env;
use crate::http::{HttpClient, InvalidSettings, Settings, UreqClient};
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
pub type ConnectFn = Box<dyn Fn(&Settings, &Interrupt) -> io::Result<Arc<dyn HttpClient>>>;

impl Runtime {
    /// Creates the runtime of a run from `env`, the system clock and `connect`. With
    /// `options.replay`, creates it from the recording instead; its clock does not wait.
    ///
    /// # Errors
    /// The environment of the recording cannot be read.
    pub fn new(
        options: &Options,
        env: Box<dyn Env>,
        interrupt: Interrupt,
        connect: fn(&Settings, &Interrupt) -> Result<UreqClient, InvalidSettings>,
    ) -> io::Result<Self> {
        let (env, clock, connect): (Arc<dyn Env>, Arc<dyn Clock>, ConnectFn) = match &options.replay
        {
            Some(dir) => {
                let now = OffsetDateTime::now_utc();
                let env = RecordedEnv::open(dir)?;
                let dir = dir.clone();
                (
                    Arc::new(env),
                    Arc::new(VirtualClock::new(now)),
                    Box::new(move |_, _| Ok(Arc::new(ReplayClient::open(&dir, now)?))),
                )
            }
            None => (
                env.into(),
                Arc::new(SystemClock::new(interrupt.clone())),
                Box::new(move |settings, interrupt| {
                    let client = connect(settings, interrupt).map_err(io::Error::other)?;
                    Ok(Arc::new(client))
                }),
            ),
        };
        Ok(Self {
            env,
            clock,
            interrupt,
            jitter: fastrand::f64,
            connect,
        })
    }
}
