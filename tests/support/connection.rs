//! A connection of the server, plain or TLS: reads requests and writes replies.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use rustls::{HandshakeKind, ServerConnection, StreamOwned};

use super::call::request_length;
use super::reply::{Delivery, HttpResponse};

/// The server's side of a connection.
pub enum Connection {
    /// Plain TCP.
    Plain { socket: TcpStream, seen: Vec<u8> },
    /// TLS.
    Tls(Box<BufReader<StreamOwned<ServerConnection, TcpStream>>>),
}

/// The state of a connection after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// Open for the next request.
    Keep,
    /// To be closed.
    Close,
}

impl Connection {
    /// Creates a connection without TLS.
    pub fn plain(socket: TcpStream) -> Self {
        let seen = vec![0; 16 * 1024];
        Self::Plain { socket, seen }
    }

    /// Creates a connection with TLS; the handshake happens with the first read.
    pub fn tls(session: ServerConnection, socket: TcpStream) -> Self {
        Self::Tls(Box::new(BufReader::new(StreamOwned::new(session, socket))))
    }

    /// Returns true if the handshake resumed an earlier session.
    pub fn is_resumed(&self) -> bool {
        match self {
            Self::Plain { .. } => false,
            Self::Tls(stream) => {
                stream.get_ref().conn.handshake_kind() == Some(HandshakeKind::Resumed)
            }
        }
    }

    /// Returns the bytes that have arrived, without consuming them; empty if the client has closed.
    fn peek(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain { socket, seen } => {
                let n = socket.peek(seen)?;
                Ok(&seen[..n])
            }
            Self::Tls(stream) => stream.fill_buf(),
        }
    }

    /// Consumes `n` bytes that [`Self::peek`] returned.
    fn consume(&mut self, n: usize) -> io::Result<()> {
        match self {
            Self::Plain { socket, seen } => socket.read_exact(&mut seen[..n]),
            Self::Tls(stream) => {
                stream.consume(n);
                Ok(())
            }
        }
    }

    /// Reads the next request; `None` if the client has closed.
    ///
    /// The last byte stays in the socket until [`Self::consume_last`]: Linux resets a connection
    /// that is closed with unread data, which is the only way to cause a reset in safe code. Over
    /// TLS, which reads whole records, and on other systems, a reset is only a close without
    /// `close_notify`.
    pub fn read_request(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut request = Vec::new();
        loop {
            let arrived = self.peek()?.to_owned();
            if arrived.is_empty() {
                return Ok(None);
            }
            if request.is_empty() && !arrived[0].is_ascii_uppercase() {
                // Usually a TLS handshake with a server without TLS.
                self.consume(arrived.len())?;
                self.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")?;
                return Ok(None);
            }
            let before = request.len();
            request.extend(&arrived);
            match request_length(&request).filter(|length| *length <= request.len()) {
                None => self.consume(arrived.len())?,
                Some(length) => {
                    self.consume(length - before - 1)?;
                    request.truncate(length);
                    return Ok(Some(request));
                }
            }
        }
    }

    /// Consumes the last byte of the request that was read.
    pub fn consume_last(&mut self) -> io::Result<()> {
        self.peek()?;
        self.consume(1)
    }

    /// Waits until the client closes, or the server shuts the connection down.
    pub fn wait_for_end(&mut self) {
        while let Ok(arrived) = self.peek() {
            let n = arrived.len();
            if n == 0 || self.consume(n).is_err() {
                break;
            }
        }
    }

    /// Writes and flushes `bytes`.
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

    /// Writes a response in the way of its `delivery`.
    pub fn deliver(&mut self, response: &HttpResponse, request_id: &str) -> io::Result<KeepAlive> {
        let body = &response.body;
        let (declared, sent, after) = match response.delivery {
            Delivery::Whole => (body.len(), body.len(), KeepAlive::Keep),
            Delivery::ThenClose => (body.len(), body.len(), KeepAlive::Close),
            Delivery::Half => (body.len(), body.len() / 2, KeepAlive::Close),
            Delivery::Declared(n) if n > body.len() => (n, body.len(), KeepAlive::Close),
            Delivery::Declared(n) => (n, body.len(), KeepAlive::Keep),
        };
        let mut bytes = Vec::with_capacity(256 + sent);
        write!(
            bytes,
            "HTTP/1.1 {} {}\r\n",
            response.status,
            response.reason()
        )?;
        if !response
            .headers
            .iter()
            .any(|(n, _)| n == "x-amzn-requestid")
        {
            write!(bytes, "x-amzn-requestid: {request_id}\r\n")?;
        }
        for (name, value) in &response.headers {
            write!(bytes, "{name}: {value}\r\n")?;
        }
        write!(bytes, "content-length: {declared}\r\n\r\n")?;
        bytes.extend(&body[..sent]);
        self.write(&bytes)?;
        Ok(after)
    }

    /// Sends `close_notify` over TLS, without which a client reports a truncated response.
    pub fn close_notify(&mut self) {
        if let Self::Tls(stream) = self {
            let stream = stream.get_mut();
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    }
}
