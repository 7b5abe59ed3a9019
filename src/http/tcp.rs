//! TCP connections: a connector of ureq that connects to the address that answers first.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle,
    Transport,
};
use ureq::{Error, Timeout};

use super::connections::Connections;
use super::race::{RaceError, Races};
use super::time_left::time_left;
use crate::interrupt::Interrupt;
use crate::sync::lock;

/// Opens TCP connections, and remembers the address of each host that answered.
pub(super) struct TcpConnector {
    races: Races,
    answered: Mutex<HashMap<String, SocketAddr>>,
}

impl TcpConnector {
    /// Creates a connector; `interrupt` ends its attempts. Its sockets count as `connections`.
    pub(super) fn new(connections: Arc<Connections>, interrupt: Interrupt) -> Self {
        Self {
            races: Races::new(connections, interrupt),
            answered: Mutex::default(),
        }
    }

    /// Connects to a host; its address that answered last is tried first.
    fn open(
        &self,
        host: &str,
        addresses: &[SocketAddr],
        limit: Duration,
    ) -> Result<TcpStream, RaceError> {
        let mut addresses = addresses.to_vec();
        let last = lock(&self.answered).get(host).copied();
        addresses.sort_by_key(|address| Some(*address) != last);
        let stream = self.races.connect(&addresses, limit)?;
        if addresses.len() > 1
            && let Ok(address) = stream.peer_addr()
        {
            lock(&self.answered).insert(host.to_owned(), address);
        }
        Ok(stream)
    }
}

impl fmt::Debug for TcpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpConnector").finish_non_exhaustive()
    }
}

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, TcpTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(through_proxy) = chained {
            return Ok(Some(Either::A(through_proxy)));
        }
        let host = details.uri.authority().map_or("", |a| a.as_str());
        let timeout = time_left(details);
        let stream = self.open(host, &details.addrs, *timeout.after);
        let stream = stream.map_err(|error| match error {
            RaceError::TimedOut => Error::Timeout(timeout.reason),
            RaceError::Failed(error) => Error::Io(error),
        })?;
        stream.set_nodelay(details.config.no_delay())?;
        let config = details.config;
        let stream = Arc::new(stream);
        let handle = Arc::downgrade(&stream) as Weak<dyn ShutdownHandle>;
        (details.register_shutdown)(handle)?;
        Ok(Some(Either::B(TcpTransport {
            stream,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        })))
    }
}

/// A TCP connection.
#[derive(Debug)]
pub(super) struct TcpTransport {
    /// Shared with ureq, which shuts it down after an interrupt.
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(duration(timeout)?)?;
        let mut stream = &*self.stream;
        let result = stream.write_all(&self.buffers.output()[..amount]);
        result.map_err(|e| timed_out_or(e, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(duration(timeout)?)?;
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match (&*self.stream).read(input) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => break result.map_err(|e| timed_out_or(e, timeout.reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Returns true if the connection is open, and no bytes have arrived between two requests.
    fn is_open(&mut self) -> bool {
        let would_block = |e: &io::Error| e.kind() == io::ErrorKind::WouldBlock;
        self.stream.set_nonblocking(true).is_ok()
            && self.stream.peek(&mut [0]).is_err_and(|e| would_block(&e))
            && self.stream.set_nonblocking(false).is_ok()
    }
}

/// Returns the time-out of the socket; `None` for no limit.
fn duration(timeout: NextTimeout) -> Result<Option<Duration>, Error> {
    match timeout.not_zero() {
        _ if timeout.after.is_zero() => Err(Error::Timeout(timeout.reason)),
        limit => Ok(limit.map(|limit| *limit)),
    }
}

/// Converts the error of a socket whose time-out has ended.
fn timed_out_or(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn address_that_answered_is_tried_first() {
        let connector = TcpConnector {
            races: Races::with_stagger(Duration::from_hours(1)),
            answered: Mutex::default(),
        };
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses = listeners.each_ref().map(|l| l.local_addr().unwrap());
        let limit = Duration::from_secs(20);
        let open = |host, order: [usize; 3]| {
            let stream = connector.open(host, &order.map(|n| addresses[n]), limit);
            stream.unwrap().peer_addr().unwrap()
        };
        assert_eq!(open("a", [1, 0, 2]), addresses[1]);
        assert_eq!(
            open("a", [0, 2, 1]),
            addresses[1],
            "the last one that answered"
        );
        assert_eq!(open("b", [0, 1, 2]), addresses[0], "each host has its own");
        let [first, second, third] = listeners;
        drop(second);
        assert_eq!(open("a", [2, 1, 0]), addresses[2]);
        assert_eq!(open("a", [0, 1, 2]), addresses[2]);
        drop((first, third));
    }
}
