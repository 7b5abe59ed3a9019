//! The outside world of a run: environment, time, Ctrl-C, chance and the network, or the recording
//! that stands in for them.

use std::sync::Arc;

use time::OffsetDateTime;

use crate::clock::{Clock, SystemClock, VirtualClock};
use crate::config::Config;
use crate::env::{Env, FolderEnv};
use crate::http::HttpSend;
use crate::http::agent::{Agent, Settings};
use crate::http::replay::Replay;
use crate::interrupt::Interrupt;

/// The outside world, as the checks and the run see it.
pub struct World {
    /// Variables and files.
    pub env: Arc<dyn Env>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ctrl-C.
    pub interrupt: Interrupt,
    /// Where the backoff's chance comes from.
    pub chance: fn() -> f64,
    /// Makes the sender: one that reaches the network, or a recording.
    pub connect: Connect,
}

/// Makes a sender.
pub type Connect = Box<dyn Fn(&Settings, &Interrupt) -> std::io::Result<Arc<dyn HttpSend>>>;

impl World {
    /// The world of a run: `env`, the machine's clock and the network, or those of the recording
    /// that is replayed, whose clock waits for nobody.
    ///
    /// # Errors
    /// The recording's environment cannot be read.
    pub fn new(
        config: &Config,
        env: Box<dyn Env>,
        interrupt: Interrupt,
        connect: fn(&Settings, &Interrupt) -> std::io::Result<Agent>,
    ) -> std::io::Result<Self> {
        let (env, clock, connect): (Arc<dyn Env>, Arc<dyn Clock>, Connect) = match &config.replay {
            Some(folder) => {
                let now = OffsetDateTime::now_utc();
                let env = FolderEnv::open(folder)?;
                let folder = folder.clone();
                (
                    Arc::new(env),
                    Arc::new(VirtualClock::new(now)),
                    Box::new(move |_, _| Ok(Arc::new(Replay::open(&folder, now)?))),
                )
            }
            None => (
                env.into(),
                Arc::new(SystemClock::new(interrupt.clone())),
                Box::new(move |settings, interrupt| Ok(Arc::new(connect(settings, interrupt)?))),
            ),
        };
        Ok(Self {
            env,
            clock,
            interrupt,
            chance: fastrand::f64,
            connect,
        })
    }
}
