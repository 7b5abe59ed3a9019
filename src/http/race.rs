//! Connects to the first address of a host that answers (Happy Eyeballs).
//!
//! - The addresses alternate between IPv6 and IPv4, beginning with the family that the system prefers.
//! - An attempt starts when the one before it fails, or after 250 ms without a result. The first
//!   connection wins, the other sockets are closed.
//! - All of it runs on the caller's thread, with non-blocking sockets; an interrupt ends it.
//! - A race has one socket, and up to three more while the bound on open sockets allows it (see
//!   `connections`). Beyond that, a new attempt ends the oldest one.
//!
//! <https://www.rfc-editor.org/rfc/rfc8305>

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::sockopt::socket_error;
use rustix::net::{AddressFamily, SocketType, connect, socket};

use super::connections::{Connections, ExtraSocket};
use crate::interrupt::Interrupt;

/// The time between the starts of two attempts.
const STAGGER: Duration = Duration::from_millis(250);

/// The maximum number of sockets of one race.
const MAX_SOCKETS: usize = 4;

/// The longest time without a look at the interrupt.
const INTERRUPT_INTERVAL: Duration = Duration::from_millis(100);

/// The settings of all races of a client.
pub(super) struct Races {
    stagger: Duration,
    connections: Arc<Connections>,
    interrupt: Interrupt,
}

/// The reason why there is no connection.
#[derive(Debug)]
pub(super) enum RaceError {
    /// The time is over.
    TimedOut,
    /// All attempts failed; the most helpful of their errors.
    Failed(io::Error),
}

impl Races {
    /// Creates the settings; `interrupt` ends all races. Further sockets count as `connections`.
    pub(super) fn new(connections: Arc<Connections>, interrupt: Interrupt) -> Self {
        Self {
            stagger: STAGGER,
            connections,
            interrupt,
        }
    }

    /// Connects to the first of `addresses` that answers within `limit`.
    ///
    /// # Errors
    /// No address answers.
    pub(super) fn connect(
        &self,
        addresses: &[SocketAddr],
        limit: Duration,
    ) -> Result<TcpStream, RaceError> {
        let mut race = Race {
            races: self,
            waiting: interleave(addresses),
            pending: Vec::new(),
            next_start: Instant::now(),
            error: None,
        };
        race.run(Instant::now() + limit)
    }
}

/// A socket that is connecting.
struct Pending<'a> {
    socket: OwnedFd,
    permit: Option<ExtraSocket<'a>>,
}

/// One race.
struct Race<'a> {
    races: &'a Races,
    /// The addresses that were not tried, the next one last.
    waiting: Vec<SocketAddr>,
    /// The oldest first.
    pending: Vec<Pending<'a>>,
    next_start: Instant,
    error: Option<io::Error>,
}

impl Race<'_> {
    fn run(&mut self, deadline: Instant) -> Result<TcpStream, RaceError> {
        loop {
            let now = Instant::now();
            if self.races.interrupt.signal().is_some() {
                let error = io::Error::new(io::ErrorKind::ConnectionAborted, "interrupted");
                return Err(RaceError::Failed(error));
            }
            if now >= deadline {
                return Err(RaceError::TimedOut);
            }
            // Before another attempt replaces one of them.
            if let Some(socket) = self.wait(Duration::ZERO) {
                return Ok(socket);
            }
            if (self.pending.is_empty() || now >= self.next_start)
                && let Some(address) = self.waiting.pop()
            {
                self.next_start = now + self.races.stagger;
                self.start(address);
                continue;
            }
            if self.pending.is_empty() {
                let unreachable = || io::ErrorKind::ConnectionRefused.into();
                return Err(RaceError::Failed(
                    self.error.take().unwrap_or_else(unreachable),
                ));
            }
            let mut wait = (deadline - now).min(INTERRUPT_INTERVAL);
            if !self.waiting.is_empty() {
                wait = wait.min(self.next_start.saturating_duration_since(now));
            }
            if let Some(socket) = self.wait(wait) {
                return Ok(socket);
            }
        }
    }

    /// Starts an attempt.
    fn start(&mut self, address: SocketAddr) {
        let permit = if self.pending.is_empty() {
            None
        } else if self.pending.len() < MAX_SOCKETS
            && let Some(permit) = self.races.connections.extra()
        {
            Some(permit)
        } else {
            self.pending.remove(0).permit
        };
        let result = new_socket(address).and_then(|socket| match connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
            Err(error) => Err(error),
        });
        match result {
            Ok(socket) => self.pending.push(Pending { socket, permit }),
            Err(error) => self.failed(error),
        }
    }

    /// Waits until a socket is connected or fails, at most for `time`.
    fn wait(&mut self, time: Duration) -> Option<TcpStream> {
        if self.pending.is_empty() {
            return None;
        }
        let mut polled: Vec<_> = self
            .pending
            .iter()
            .map(|pending| PollFd::new(&pending.socket, PollFlags::OUT))
            .collect();
        let timeout = Timespec::try_from(time).ok();
        // After an error, such as a signal, no socket is ready.
        let _ = poll(&mut polled, timeout.as_ref());
        let ready: Vec<bool> = polled.iter().map(|p| !p.revents().is_empty()).collect();
        let mut connected = None;
        for (attempt, is_ready) in std::mem::take(&mut self.pending).into_iter().zip(ready) {
            if !is_ready || connected.is_some() {
                self.pending.push(attempt);
                continue;
            }
            match socket_error(&attempt.socket).and_then(|result| result) {
                Ok(()) => connected = self.finish(attempt.socket),
                Err(error) => self.failed(error),
            }
        }
        connected
    }

    /// Returns a connected socket, which blocks from now on.
    fn finish(&mut self, socket: OwnedFd) -> Option<TcpStream> {
        match ioctl_fionbio(&socket, false) {
            Ok(()) => Some(TcpStream::from(socket)),
            Err(error) => {
                self.failed(error);
                None
            }
        }
    }

    /// Lets the next attempt start at once. Keeps the error that says most: an address family without a
    /// route says nothing about the host.
    fn failed(&mut self, error: Errno) {
        self.next_start = Instant::now();
        let error = io::Error::from(error);
        let has_no_route = |error: &io::Error| {
            use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
            matches!(
                error.kind(),
                AddrNotAvailable | HostUnreachable | NetworkUnreachable
            )
        };
        if self.error.as_ref().is_none_or(has_no_route) {
            self.error = Some(error);
        }
    }
}

/// Creates a non-blocking socket.
fn new_socket(address: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Returns the addresses in the order in which they are tried, the first one last: alternating between
/// the families, beginning with that of the first address.
fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_like_first = |a: &&SocketAddr| a.is_ipv6() == addresses[0].is_ipv6();
    let mut preferred = addresses.iter().filter(is_like_first);
    let mut other = addresses.iter().filter(|a| !is_like_first(a));
    let mut order = Vec::with_capacity(addresses.len());
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            break;
        }
        order.extend(pair.into_iter().flatten().copied());
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    impl Races {
        /// Creates races with another time between the attempts, for tests.
        pub(in crate::http) fn with_stagger(stagger: Duration) -> Self {
            Self {
                stagger,
                ..Self::new(connections(), Interrupt::default())
            }
        }
    }

    fn connections() -> Arc<Connections> {
        Arc::new(Connections::new(20))
    }

    const LIMIT: Duration = Duration::from_secs(20);

    /// A listener whose queue is full: further connections get no answer. Returns its address, and what
    /// keeps it like this.
    fn silent(ip: &str) -> (SocketAddr, Vec<OwnedFd>) {
        use rustix::net::{bind, getsockname, listen};

        let any: SocketAddr = format!("{ip}:0").parse().unwrap();
        let listener = new_socket(any).unwrap();
        bind(&listener, &any).unwrap();
        listen(&listener, 0).unwrap();
        let address = getsockname(&listener).unwrap().try_into().unwrap();
        let mut kept = vec![listener];
        for _ in 0..4 {
            let socket = new_socket(address).unwrap();
            let _ = connect(&socket, &address);
            kept.push(socket);
        }
        (address, kept)
    }

    /// Returns an address that refuses connections.
    fn refusing() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }

    #[test]
    fn families_alternate() {
        let parse = |text: &str| -> Vec<SocketAddr> {
            let addresses = text.split(' ').filter(|a| !a.is_empty());
            addresses.map(|a| a.parse().unwrap()).collect()
        };
        for (given, expected) in [
            ("", ""),
            ("10.0.0.1:1", "10.0.0.1:1"),
            (
                "[::1]:1 [::2]:1 [::3]:1 10.0.0.1:1 10.0.0.2:1",
                "[::1]:1 10.0.0.1:1 [::2]:1 10.0.0.2:1 [::3]:1",
            ),
            (
                "10.0.0.1:1 10.0.0.2:1 [::1]:1",
                "10.0.0.1:1 [::1]:1 10.0.0.2:1",
            ),
        ] {
            let mut order = interleave(&parse(given));
            order.reverse();
            assert_eq!(order, parse(expected));
        }
    }

    #[test]
    fn silent_addresses_do_not_delay_a_connection() {
        let dead: Vec<_> = (0..8).map(|_| silent("[::1]")).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let live = listener.local_addr().unwrap();
        let silent_v4 = silent("127.0.0.1");
        let mut addresses: Vec<_> = dead.iter().map(|(address, _)| *address).collect();
        addresses.extend([silent_v4.0, live]);
        let races = Races::with_stagger(Duration::ZERO);
        let stream = races.connect(&addresses, LIMIT).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
        let permits: Vec<_> = (0..16).map_while(|_| races.connections.extra()).collect();
        assert_eq!(permits.len(), 16, "all permits are returned");
    }

    #[test]
    fn further_attempts_without_permits_replace_the_oldest() {
        let dead: Vec<_> = (0..6).map(|_| silent("127.0.0.1")).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let live = listener.local_addr().unwrap();
        let addresses: Vec<_> = dead.iter().map(|(a, _)| *a).chain([live]).collect();
        let races = Races::with_stagger(Duration::ZERO);
        let all: Vec<_> = (0..16).map_while(|_| races.connections.extra()).collect();
        let stream = races.connect(&addresses, LIMIT).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
        assert!(races.connections.extra().is_none());
        drop(all);
    }

    #[test]
    fn refused_address_starts_the_next_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let live = listener.local_addr().unwrap();
        let races = Races::with_stagger(Duration::from_hours(1));
        let addresses = [refusing(), refusing(), live];
        let stream = races.connect(&addresses, LIMIT).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
    }

    #[test]
    fn failed_races_report_the_reason() {
        let races = Races::with_stagger(Duration::ZERO);
        let Err(RaceError::Failed(error)) = races.connect(&[refusing(), refusing()], LIMIT) else {
            panic!("refused");
        };
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let (address, _kept) = silent("127.0.0.1");
        let result = races.connect(&[address], Duration::from_millis(1));
        assert!(matches!(result, Err(RaceError::TimedOut)), "{result:?}");
        let interrupt = Interrupt::default();
        interrupt.raise(2);
        let result = Races::new(connections(), interrupt).connect(&[address], LIMIT);
        assert!(matches!(result, Err(RaceError::Failed(_))), "{result:?}");
    }
}
