//! GET over plain HTTP to an address that the laptop (or the resolver service) reaches by itself.
//!
//! What may be asked of a server and what its answer means is the caller's; nothing here follows a redirect, uses a proxy or keeps a connection:
//! drain counts established connections, so ours end with each answer.

use std::error::Error as _;
use std::time::Duration;

use crate::secret::{ExposeSecret as _, SecretString};

/// The longest answer that is read: a machine of hundreds of models says less than a megabyte of them.
const BODY_LIMIT: usize = 4 << 20;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
    },
    /// No connection came about; why, in a few words.
    NoConnection(String),
    /// A connection, but no whole answer; why, in a few words.
    NoAnswer(String),
}

/// A client that can be asked many times.
#[derive(Clone, Debug)]
pub struct PlainHttp {
    client: reqwest::Client,
    timeout: Duration,
}

/// The client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make an HTTP client")]
pub struct HttpError(#[source] pub(super) reqwest::Error);

impl PlainHttp {
    /// A client whose every request, connecting included, ends within `timeout`.
    pub fn new(timeout: Duration) -> Result<Self, HttpError> {
        // Plain HTTP needs no cipher, but the client wants to be told of one before it is built; a second time is no error.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .connect_timeout(timeout)
            .timeout(timeout)
            .user_agent(concat!("fleetctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(HttpError)?;
        Ok(Self { client, timeout })
    }

    /// One GET, with the key where there is one.
    pub async fn get(&self, url: &str, key: Option<&SecretString>) -> Got {
        let mut request = self.client.get(url).header(reqwest::header::CONNECTION, "close");
        if let Some(key) = key {
            request = request.bearer_auth(key.expose_secret());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return self.failed(&error),
        };
        let status = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_LIMIT => body.extend_from_slice(&chunk),
                Ok(Some(_)) => return Got::NoAnswer(format!("the answer is longer than {} MiB", BODY_LIMIT >> 20)),
                Ok(None) => return Got::Answer { status, body },
                Err(error) => return self.failed(&error),
            }
        }
    }

    /// The innermost cause says it best; the outer ones repeat the address, which the caller knows.
    fn failed(&self, error: &reqwest::Error) -> Got {
        let seconds = self.timeout.as_secs_f64();
        if error.is_connect() {
            let said = if error.is_timeout() { format!("no connection within {seconds} s") } else { innermost(error) };
            return Got::NoConnection(said);
        }
        let said = if error.is_timeout() { format!("no answer within {seconds} s") } else { innermost(error) };
        Got::NoAnswer(said)
    }
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    let mut said = error.to_string();
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    if said.contains("lookup address") {
        return "its name does not resolve".to_owned();
    }
    // "Connection refused (os error 111)": the number says nothing to whom it is shown.
    said.split(" (os error").next().unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn served(answer: &'static [u8]) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/x", listener.local_addr().expect("an address"));
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 2048];
            let length = stream.read(&mut request).expect("a request");
            stream.write_all(answer).expect("an answer");
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (url, server)
    }

    fn ask(url: &str, key: Option<&SecretString>) -> Got {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let http = PlainHttp::new(Duration::from_millis(300)).expect("a client");
        runtime.block_on(http.get(url, key))
    }

    #[test]
    fn a_whole_answer_comes_with_its_status() {
        let (url, server) = served(b"HTTP/1.1 507 X\r\ncontent-length: 3\r\n\r\nabc");
        let key = SecretString::from("sk-1");
        assert_eq!(ask(&url, Some(&key)), Got::Answer { status: 507, body: b"abc".to_vec() });
        let request = server.join().expect("a request").to_lowercase();
        assert!(
            request.contains("authorization: bearer sk-1\r\n") && request.contains("connection: close"),
            "{request}"
        );
    }

    #[test]
    fn failures_are_told_apart() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        assert_eq!(ask(&format!("http://{closed}/"), None), Got::NoConnection("connection refused".to_owned()));
        let (url, _server) = served(b"garbage\r\n\r\n");
        assert!(matches!(ask(&url, None), Got::NoAnswer(_)));
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", silent.local_addr().expect("an address"));
        assert_eq!(ask(&url, None), Got::NoAnswer("no answer within 0.3 s".to_owned()));
        let (url, _server) = served(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nabc");
        assert!(matches!(ask(&url, None), Got::NoAnswer(_)), "cut short");
        let (url, _server) = served(b"HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(ask(&url, None), Got::Answer { status: 302, body: Vec::new() }, "never followed");
    }
}
