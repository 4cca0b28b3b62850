//! HTTP/1.1 for clients that nobody vouches for: one that is slow or never ends its request must not take the service from the others.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// The time in which a request's head must be there.
const HEAD: Duration = Duration::from_secs(10);
/// Connections at once; the next ones wait in the listener's queue. Half of the 256 files that macOS lets a process open unless it is told otherwise
/// (launchd.plist(5), `SoftResourceLimits`): the probes need theirs.
const CONNECTIONS: usize = 128;
/// After a failed accept, which is a lack of files as a rule: without a pause the loop would spin until somebody closes one.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers until it is told to stop, then until the answers in work are given.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let ending = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    while let Some(accepted) = stop.run_until_cancelled(accept(&listener, &connections)).await {
        let Ok((stream, permit)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Answers are small and wait for nothing.
        drop(stream.set_nodelay(true));
        let service = TowerToHyperService::new(router.clone());
        let answering = ending.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // An error of a connection ends that connection, and its client knows.
            drop(answering.await);
            drop(permit);
        });
    }
    ending.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> std::io::Result<(tokio::net::TcpStream, Option<tokio::sync::OwnedSemaphorePermit>)> {
    // The semaphore is never closed.
    let permit = Arc::clone(connections).acquire_owned().await.ok();
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    async fn said(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("text");
        text
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_never_ends_a_request_is_let_go_and_holds_up_nobody() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(|| async { "here" }));
        let serving = tokio::spawn(serve(listener, router, stop.clone()));
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.expect("it listens");
            stream.write_all(b"GET / HT").await.expect("sent");
            silent.push(stream);
        }
        let mut one = TcpStream::connect(address).await.expect("it listens");
        one.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("sent");
        assert!(said(&mut one).await.ends_with("here"));
        for mut stream in silent {
            assert_eq!(said(&mut stream).await, "");
        }
        stop.cancel();
        serving.await.expect("it ends");
    }
}
