//! HTTP/1.1 client with little overhead: one keep-alive connection, no thread, no copies of
//! headers.

use crate::moment;
use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

/// Timeout of a connection and of a response.
const LIMIT: Duration = Duration::from_mins(1);
/// Idle time after which the server may have closed the connection.
const IDLE: Duration = Duration::from_secs(1);
/// Most header fields of a response.
const FIELDS: usize = 32;

/// One connection to one server.
#[derive(Debug)]
pub struct HttpClient {
    address: SocketAddr,
    stream: Option<(TcpStream, Instant)>,
    /// Bytes that were read and not yet used.
    buffer: Vec<u8>,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Status line and header fields, as received.
    pub head: Vec<u8>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header field, if it is there.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = String::from_utf8_lossy(&self.head);
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl HttpClient {
    /// Creates a client of this server. It connects with the first request.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::new() }
    }

    /// Serializes a request, so that a frequent one is built once.
    pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut bytes = format!("{method} {path} HTTP/1.1\r\nHost: ownchat\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        if !body.is_empty() || method != "GET" {
            bytes.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(body);
        bytes
    }

    /// Sends a request, and waits for its response.
    pub fn call(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Answer> {
        self.send(&Self::request(method, path, headers, body))
    }

    /// Sends a serialized request once, and waits for its response. It does not retry.
    ///
    /// # Errors
    ///
    /// There was no complete response. The server may have processed the request all the same.
    pub fn send(&mut self, request: &[u8]) -> io::Result<Answer> {
        let mut stream = self.connection()?;
        stream.write_all(request)?;
        let (answer, stays) = self.read(&mut stream)?;
        if stays {
            self.stream = Some((stream, moment()));
        }
        Ok(answer)
    }

    /// Sends two serialized requests on a new connection, and returns it once the first gets a
    /// response.
    ///
    /// Dropping it resets the connection, since it holds an unread response (RFC 9293, section
    /// 3.10.4).
    pub fn begin(&self, answered: &[u8], request: &[u8]) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&self.address, LIMIT)?;
        stream.write_all(answered)?;
        stream.peek(&mut [0])?;
        stream.write_all(request)?;
        Ok(stream)
    }

    /// The open connection, or a new one.
    fn connection(&mut self) -> io::Result<TcpStream> {
        if let Some((stream, used_at)) = self.stream.take()
            && (used_at.elapsed() < IDLE || is_open(&stream)?)
        {
            return Ok(stream);
        }
        self.buffer.clear();
        let stream = TcpStream::connect_timeout(&self.address, LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(stream)
    }

    /// Reads one response. The flag is true if the connection may be used again.
    fn read(&mut self, stream: &mut TcpStream) -> io::Result<(Answer, bool)> {
        loop {
            let (status, length, body, stays) = loop {
                if let Some(head) = head(&self.buffer)? {
                    break head;
                }
                self.fill(stream)?;
            };
            let head: Vec<u8> = self.buffer.drain(..length).collect();
            if status == 100 {
                continue;
            }
            let body = match body {
                Length::Known(length) => self.take(stream, length)?,
                Length::Chunked => self.chunks(stream)?,
                Length::UntilEnd => self.rest(stream)?,
            };
            return Ok((Answer { status, head, body }, stays));
        }
    }

    fn take(&mut self, stream: &mut TcpStream, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill(stream)?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    /// Reads a chunked body (RFC 9112, section 7.1), without trailers.
    fn chunks(&mut self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let (line, size) = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete(found)) => break found,
                    Ok(httparse::Status::Partial) => self.fill(stream)?,
                    Err(_) => return Err(io::Error::new(ErrorKind::InvalidData, "not the size of a chunk")),
                }
            };
            self.take(stream, line)?;
            let size = usize::try_from(size).map_err(|_| ErrorKind::InvalidData)?;
            body.extend(self.take(stream, size)?);
            self.take(stream, b"\r\n".len())?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn rest(&mut self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        let mut body = std::mem::take(&mut self.buffer);
        stream.read_to_end(&mut body)?;
        Ok(body)
    }

    fn fill(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        let mut bytes = [0; 16 * 1024];
        match stream.read(&mut bytes)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.buffer.extend_from_slice(&bytes[..count]);
                Ok(())
            }
        }
    }
}

enum Length {
    Known(usize),
    Chunked,
    UntilEnd,
}

type Head = (u16, usize, Length, bool);

/// Parses status line and header fields, if all of them are there. Returns the status, the length
/// of the head, the length of the body, and true for keep-alive.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let wrong = |why: String| io::Error::new(ErrorKind::InvalidData, why);
    let length = match response.parse(bytes).map_err(|error| wrong(error.to_string()))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let status = response.code.unwrap_or(0);
    let mut body = if matches!(status, 100..=199 | 204 | 304) { Length::Known(0) } else { Length::UntilEnd };
    let mut stays = true;
    for field in response.headers.iter() {
        let value = String::from_utf8_lossy(field.value);
        if field.name.eq_ignore_ascii_case("content-length") {
            body = Length::Known(value.trim().parse().map_err(|_| wrong("not a length".into()))?);
        } else if field.name.eq_ignore_ascii_case("transfer-encoding") {
            body = Length::Chunked;
        } else if field.name.eq_ignore_ascii_case("connection") {
            stays = !value.eq_ignore_ascii_case("close");
        }
    }
    let stays = stays && !matches!(body, Length::UntilEnd);
    Ok(Some((status, length, body, stays)))
}

/// Returns true if the server has left the connection open.
fn is_open(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let open = matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    stream.set_nonblocking(false)?;
    Ok(open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    /// Starts a server that sends these pieces on each connection, once it has received something.
    fn server(says: &'static [&'static [u8]]) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                for piece in says {
                    stream.write_all(piece).unwrap();
                    stream.flush().unwrap();
                    thread::yield_now();
                }
            }
        });
        address
    }

    const KNOWN: &[&[u8]] = &[b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\nX-One: a\r\n\r\nhe", b"llo"];
    const CHUNKED: &[&[u8]] =
        &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-One: a\r\n\r\n2\r\nhe\r\n3\r", b"\nllo\r\n0\r\n\r\n"];
    const UNTIL_END: &[&[u8]] = &[b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-One: a\r\n\r\nhello"];

    #[test]
    fn bodies_of_every_kind_are_read_to_their_end() {
        for says in [KNOWN, CHUNKED, UNTIL_END] {
            let answer = HttpClient::new(server(says)).call("GET", "/", &[], b"").unwrap();
            assert_eq!((answer.status, answer.text().as_str()), (200, "hello"));
            assert_eq!(answer.header("x-one").as_deref(), Some("a"));
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        let address = server(&[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"]);
        assert!(HttpClient::new(address).call("GET", "/", &[], b"").is_err());
    }
}
