//! POST of JSON to a model server: the fleet's own over HTTP, or a reference over HTTPS.
//!
//! TLS trusts what the operating system trusts. Redirects are not followed: a key must not travel to where nobody declared it.

use std::error::Error as _;
use std::time::{Duration, Instant};

use crate::secret::{ExposeSecret as _, SecretString};

/// Who is asked, and how the key travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyHeader {
    /// `Authorization: Bearer`.
    Bearer,
    /// `x-api-key`, with the version of Anthropic's API that is spoken (docs.anthropic.com, Versions).
    Anthropic,
}

/// What came back, and after how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// What.
    pub got: Post,
    /// Seconds from the first byte out to the last byte in.
    pub seconds: f64,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Post {
    /// A whole answer.
    Answer {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Vec<u8>,
        /// `Retry-After`, seconds.
        retry_after: Option<u64>,
    },
    /// The body is longer than was allowed.
    TooLong,
    /// Nothing in time.
    Timeout,
    /// No connection, or none to the end; why, in a few words.
    Failed(String),
}

impl Post {
    fn of_error(error: &reqwest::Error) -> Self {
        if error.is_timeout() { Self::Timeout } else { Self::Failed(innermost(error)) }
    }
}

/// A client for requests that may take minutes.
#[derive(Clone, Debug)]
pub struct JsonClient {
    client: reqwest::Client,
    limit: usize,
}

impl JsonClient {
    /// A client that reads answers of at most `limit` bytes and connects within 10 s. Errors: TLS cannot be set up.
    pub fn new(limit: usize) -> Result<Self, super::HttpError> {
        // A second time is no error.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(0)
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("fleetctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(super::HttpError)?;
        Ok(Self { client, limit })
    }

    /// One POST; everything ends within `timeout`.
    pub async fn post(
        &self,
        url: &str,
        key: Option<(&SecretString, KeyHeader)>,
        body: &serde_json::Value,
        timeout: Duration,
    ) -> Posted {
        let began = Instant::now();
        let mut request = self.client.post(url).timeout(timeout).json(body);
        match key {
            Some((key, KeyHeader::Bearer)) => request = request.bearer_auth(key.expose_secret()),
            Some((key, KeyHeader::Anthropic)) => {
                request = request.header("x-api-key", key.expose_secret()).header("anthropic-version", "2023-06-01");
            }
            None => {}
        }
        let got = self.read(request).await.unwrap_or_else(|error| Post::of_error(&error));
        Posted { got, seconds: began.elapsed().as_secs_f64() }
    }

    /// One POST whose answer is a stream of lines; each is handed to `line` as it comes, without its end. An answer with another status than 200 is read whole.
    pub async fn stream(
        &self,
        url: &str,
        key: Option<&SecretString>,
        body: &serde_json::Value,
        timeout: Duration,
        mut line: impl FnMut(&str),
    ) -> Post {
        let mut request = self.client.post(url).timeout(timeout).json(body);
        if let Some(key) = key {
            request = request.bearer_auth(key.expose_secret());
        }
        self.lines(request, &mut line).await.unwrap_or_else(|error| Post::of_error(&error))
    }

    async fn lines(
        &self,
        request: reqwest::RequestBuilder,
        line: &mut impl FnMut(&str),
    ) -> Result<Post, reqwest::Error> {
        let mut response = request.send().await?;
        if response.status().as_u16() != 200 {
            return self.whole(response).await;
        }
        let (mut pending, mut read) = (Vec::new(), 0);
        while let Some(chunk) = response.chunk().await? {
            read += chunk.len();
            if read > self.limit {
                return Ok(Post::TooLong);
            }
            for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
                pending.extend_from_slice(piece);
                if let Some(whole) = pending.strip_suffix(b"\n") {
                    line(&String::from_utf8_lossy(whole));
                    pending.clear();
                }
            }
        }
        if !pending.is_empty() {
            line(&String::from_utf8_lossy(&pending));
        }
        Ok(Post::Answer { status: 200, body: Vec::new(), retry_after: None })
    }

    async fn read(&self, request: reqwest::RequestBuilder) -> Result<Post, reqwest::Error> {
        self.whole(request.send().await?).await
    }

    async fn whole(&self, mut response: reqwest::Response) -> Result<Post, reqwest::Error> {
        let status = response.status().as_u16();
        let header = response.headers().get(reqwest::header::RETRY_AFTER);
        let retry_after = header.and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > self.limit {
                return Ok(Post::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Post::Answer { status, body, retry_after })
    }
}

/// The innermost cause says it best; without the number of the operating system.
fn innermost(error: &reqwest::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        said = inner.to_string();
        cause = inner.source();
    }
    said.split(" (os error").next().unwrap_or_default().to_lowercase()
}
