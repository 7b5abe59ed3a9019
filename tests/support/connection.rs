//! One connection, plain or TLS, and what travels over it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use rustls::{HandshakeKind, ServerConnection, StreamOwned};

use super::call::request_length;
use super::reply::{Answer, Delivery};

/// A connection from its server's side.
pub enum Connection {
    /// Without TLS.
    Plain { socket: TcpStream, seen: Vec<u8> },
    /// With TLS.
    Tls(Box<BufReader<StreamOwned<ServerConnection, TcpStream>>>),
}

/// What becomes of a connection after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It waits for the next request.
    Keep,
    /// It is closed.
    Close,
}

impl Connection {
    /// A connection without TLS.
    pub fn plain(socket: TcpStream) -> Self {
        let seen = vec![0; 16 * 1024];
        Self::Plain { socket, seen }
    }

    /// A connection on which `session` speaks TLS.
    pub fn tls(session: ServerConnection, socket: TcpStream) -> Self {
        Self::Tls(Box::new(BufReader::new(StreamOwned::new(session, socket))))
    }

    /// Whether its handshake resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        match self {
            Self::Plain { .. } => false,
            Self::Tls(stream) => {
                stream.get_ref().conn.handshake_kind() == Some(HandshakeKind::Resumed)
            }
        }
    }

    /// What has arrived, without taking it; empty when the client has gone.
    fn peek(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain { socket, seen } => {
                let n = socket.peek(seen)?;
                Ok(&seen[..n])
            }
            Self::Tls(stream) => stream.fill_buf(),
        }
    }

    /// Takes `n` bytes that [`Self::peek`] has shown.
    fn take(&mut self, n: usize) -> io::Result<()> {
        match self {
            Self::Plain { socket, seen } => socket.read_exact(&mut seen[..n]),
            Self::Tls(stream) => {
                stream.consume(n);
                Ok(())
            }
        }
    }

    /// The bytes of the next request; `None` when there is none.
    ///
    /// Its last byte is left in the socket until [`Self::take_last`]: Linux resets a connection
    /// that is closed with unread data, and that is the one way to a reset in safe code. (Over TLS
    /// the records are read as a whole, and on other systems, a reset is just a hard close.)
    pub fn request(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut request = Vec::new();
        loop {
            let arrived = self.peek()?.to_owned();
            if arrived.is_empty() {
                return Ok(None);
            }
            if request.is_empty() && !arrived[0].is_ascii_uppercase() {
                // A TLS greeting on a server without TLS, as a rule.
                self.take(arrived.len())?;
                self.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")?;
                return Ok(None);
            }
            let before = request.len();
            request.extend(&arrived);
            match request_length(&request).filter(|length| *length <= request.len()) {
                None => self.take(arrived.len())?,
                Some(length) => {
                    self.take(length - before - 1)?;
                    request.truncate(length);
                    return Ok(Some(request));
                }
            }
        }
    }

    /// Takes the last byte of the request that was read.
    pub fn take_last(&mut self) -> io::Result<()> {
        self.peek()?;
        self.take(1)
    }

    /// Waits until the client goes, or the server cuts the connection.
    pub fn wait_for_end(&mut self) {
        while let Ok(arrived) = self.peek() {
            let n = arrived.len();
            if n == 0 || self.take(n).is_err() {
                break;
            }
        }
    }

    /// Writes `bytes` at once.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain { socket, .. } => socket.write_all(bytes),
            Self::Tls(stream) => {
                let stream = stream.get_mut();
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// Writes an answer as its delivery says.
    pub fn deliver(&mut self, answer: &Answer, request_id: &str) -> io::Result<After> {
        let body = &answer.body;
        let (declared, sent, after) = match answer.delivery {
            Delivery::Whole => (body.len(), body.len(), After::Keep),
            Delivery::ThenClose => (body.len(), body.len(), After::Close),
            Delivery::Half => (body.len(), body.len() / 2, After::Close),
            Delivery::Declared(n) if n > body.len() => (n, body.len(), After::Close),
            Delivery::Declared(n) => (n, body.len(), After::Keep),
        };
        let mut bytes = Vec::with_capacity(256 + sent);
        write!(bytes, "HTTP/1.1 {} {}\r\n", answer.status, answer.reason())?;
        if !answer.headers.iter().any(|(n, _)| n == "x-amzn-requestid") {
            write!(bytes, "x-amzn-requestid: {request_id}\r\n")?;
        }
        for (name, value) in &answer.headers {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        write!(bytes, "content-length: {declared}\r\n\r\n")?;
        bytes.extend(&body[..sent]);
        self.write(&bytes)?;
        Ok(after)
    }

    /// Says goodbye over TLS; without it a client cannot tell an end from a cut.
    pub fn close_notify(&mut self) {
        if let Self::Tls(stream) = self {
            let stream = stream.get_mut();
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }
}
