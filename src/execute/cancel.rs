//! The ladder of cancellation (cli.md): once, nothing new starts; twice, connections are cut, and the machines finish or revert by themselves.

use tokio_util::sync::CancellationToken;

/// Both rungs. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Cancel {
    /// One rung further.
    pub fn press(&self) {
        if self.stop.is_cancelled() {
            self.cut.cancel();
        } else {
            self.stop.cancel();
        }
    }

    /// Whether nothing new may start.
    pub fn is_stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Until nothing new may start.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Until connections must go.
    pub async fn cut(&self) {
        self.cut.cancelled().await;
    }
}
