//! A scripted upstream. The header `X-Answer` of each request holds the response. It is a whole
//! HTTP response in percent-encoding, or one of the words below.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// Never responds.
pub const SILENT: &str = "silent";
/// Sends a part of a body and then nothing more.
pub const STALL: &str = "stall";
/// Does not read the request body.
pub const DEAF: &str = "deaf";

/// A request that the upstream has received.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    /// Returns the value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The scripted upstream.
#[derive(Clone, Debug)]
pub struct Upstream {
    address: SocketAddr,
    last: Arc<Mutex<Received>>,
    hanging: Arc<Mutex<HashMap<String, usize>>>,
}

impl Upstream {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let upstream = Self { address: listener.local_addr().unwrap(), last: Arc::default(), hanging: Arc::default() };
        let shared = upstream.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || shared.serve(stream));
            }
        });
        upstream
    }

    /// Returns its origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the last request.
    pub fn last(&self) -> Received {
        self.last.lock().unwrap().clone()
    }

    /// Counts the unanswered requests with this `X-Test` whose connections are open.
    pub fn hanging(&self, test: &str) -> usize {
        self.hanging.lock().unwrap().get(test).copied().unwrap_or(0)
    }

    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let mut received = Received::default();
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            let mut words = line.split(' ').map(str::to_owned);
            (received.method, received.path) = (words.next()?, words.next()?);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
                let Some((name, value)) = line.trim_end().split_once(':') else { break };
                received.headers.push((name.to_lowercase(), value.trim().to_owned()));
            }
            let test = received.header("x-test").unwrap_or_default().to_owned();
            let answer = received.header("x-answer").unwrap_or("HTTP/1.1 204 No Content\r\n\r\n").to_owned();
            if answer == DEAF {
                self.wait_for_end(&stream, &test);
                return None;
            }
            let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            received.body = vec![0; length];
            *self.hanging.lock().unwrap().entry(test.clone()).or_default() += 1;
            let read = reader.read_exact(&mut received.body);
            *self.hanging.lock().unwrap().entry(test.clone()).or_default() -= 1;
            read.ok()?;
            *self.last.lock().unwrap() = received;
            match answer.as_str() {
                SILENT => {
                    self.wait_for_end(&stream, &test);
                    return None;
                }
                STALL => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").ok()?;
                    self.wait_for_end(&stream, &test);
                    return None;
                }
                answer => stream.write_all(&decode(answer)).ok()?,
            }
        }
    }

    /// Blocks until the peer closes the connection. Does not read the data it has sent.
    fn wait_for_end(&self, stream: &TcpStream, test: &str) {
        *self.hanging.lock().unwrap().entry(test.to_owned()).or_default() += 1;
        let mut byte = [0];
        // Peeking leaves the bytes unread, so only a close or a reset ends the loop.
        while stream.peek(&mut byte).is_ok_and(|read| read > 0) {
            thread::sleep(std::time::Duration::from_millis(20));
        }
        *self.hanging.lock().unwrap().entry(test.to_owned()).or_default() -= 1;
    }
}

/// Encodes a response for the header `X-Answer`.
pub fn answer(response: &str) -> String {
    response.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn decode(text: &str) -> Vec<u8> {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%").into_bytes()
}

/// A port that never accepts a connection, because its backlog is full.
#[derive(Debug)]
pub struct Blackhole {
    listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Blackhole {
    /// Fills the backlog of a listener.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        // The standard library asks for a backlog of 128, which Linux exceeds by one.
        let connect = || TcpStream::connect_timeout(&address, std::time::Duration::from_millis(200)).ok();
        let queued = std::iter::repeat_with(connect).take(1_000).map_while(|stream| stream).collect();
        Self { listener, _queued: queued }
    }

    /// Returns its origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.listener.local_addr().unwrap())
    }
}
