//! A proxy that opens tunnels, or refuses to.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::server::Server;

/// A proxy on a free port of the loopback interface: whatever host it is asked for, its tunnels end
/// at one server, so that a name that nothing resolves shows that the proxy was used.
pub struct Proxy {
    address: SocketAddr,
    /// The head of every request, as it came.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy for whoever comes.
    pub fn to(server: &Server) -> Self {
        Self::start(server.host(), |_| 200)
    }

    /// A proxy for who has `authorization` in the header Proxy-Authorization.
    pub fn guarded(server: &Server, authorization: &'static str) -> Self {
        let line = format!("\r\nProxy-Authorization: {authorization}\r\n");
        let status = move |head: &str| if head.contains(&line) { 200 } else { 407 };
        Self::start(server.host(), status)
    }

    /// A proxy that answers with `status` in the place of a tunnel.
    pub fn refusing(status: u16) -> Self {
        Self::start(String::new(), move |_| status)
    }

    fn start(upstream: String, status: impl Fn(&str) -> u16 + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (record, shared) = (heads.clone(), Arc::new((upstream, status)));
        // It ends with the test program.
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (record, shared) = (record.clone(), shared.clone());
                thread::spawn(move || {
                    let (upstream, status) = &*shared;
                    serve(socket, upstream, status, &record)
                });
            }
        });
        Self { address, heads }
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests so far: each asked for a tunnel.
    pub fn heads(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        heads.clone()
    }
}

fn serve(
    mut client: TcpStream,
    upstream: &str,
    status: &impl Fn(&str) -> u16,
    record: &Mutex<Vec<String>>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let head = head(&mut client)?;
    let status = status(&head);
    let mut heads = record.lock().unwrap_or_else(PoisonError::into_inner);
    heads.push(head);
    drop(heads);
    if status != 200 {
        let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n");
        return client.write_all(answer.as_bytes());
    }
    let server = TcpStream::connect(upstream)?;
    server.set_nodelay(true)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || pass(from, to));
    pass(server, client);
    Ok(())
}

fn head(client: &mut TcpStream) -> io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    String::from_utf8(head).map_err(io::Error::other)
}

/// Passes on what comes until there is no more.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
