//! HTTP servers of the simulation. They can break a connection as a network does.

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{future::Future, io, net::SocketAddr};
use tokio::{net::TcpListener, runtime::Runtime};

/// Threads of the servers. Dropping it ends them.
#[derive(Debug)]
pub struct Net(Runtime);

/// A request with its whole body.
pub(crate) type Asked = Request<Bytes>;
/// A response; an error breaks the connection.
pub(crate) type Answered = io::Result<Response<Full<Bytes>>>;

impl Net {
    /// Starts the threads.
    #[allow(clippy::new_without_default, reason = "it starts threads")]
    pub fn new() -> Self {
        Self(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
    }

    /// Listens on a free port of the loopback interface.
    pub(crate) fn listen<F>(&self, answer: impl Fn(Asked) -> F + Clone + Send + Sync + 'static) -> SocketAddr
    where
        F: Future<Output = Answered> + Send,
    {
        let listener = self.0.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        self.0.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answer.clone();
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
                        answer(Request::from_parts(head, body)).await
                    }
                });
                // Ignore the result: some tests break connections on purpose.
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        address
    }
}

/// Builds a response with a body.
pub(crate) fn answer(status: u16, body: impl Into<Bytes>) -> Answered {
    Response::builder().status(status).body(Full::new(body.into())).map_err(io::Error::other)
}

/// Breaks the connection.
pub(crate) fn cut() -> Answered {
    Err(io::ErrorKind::ConnectionAborted.into())
}
