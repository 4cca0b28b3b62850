//! A real OpenSSH server on 127.0.0.1, one a simulated machine, ended by its own process when it goes out of scope.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Keys, `known_hosts` and configuration of an operator who exists for one test.
pub(crate) struct Operator {
    pub(crate) directory: tempfile::TempDir,
}

impl Operator {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("op").tempdir_in("/tmp").expect("a directory");
        keygen(&directory.path().join("id"));
        let config = format!(
            "IdentityFile {0}/id\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {0}/known_hosts\nGlobalKnownHostsFile /dev/null\n",
            directory.path().display()
        );
        std::fs::write(directory.path().join("config"), config).expect("written");
        Self { directory }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Makes the operator know a host key under a name.
    pub(crate) fn knows(&self, name: &str, server: &Sshd) {
        use std::io::Write as _;
        let mut file =
            std::fs::OpenOptions::new().create(true).append(true).open(self.path("known_hosts")).expect("opened");
        writeln!(file, "{name} {}", server.host_key()).expect("written");
    }

    /// The environment in which fleetctl sees this operator and no other.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.path(name).to_str().expect("text").to_owned();
        vec![
            ("HOME".to_owned(), path("")),
            ("XDG_RUNTIME_DIR".to_owned(), path("run")),
            ("FLEETCTL_SSH_CONFIG".to_owned(), path("config")),
        ]
    }
}

/// A running server.
pub(crate) struct Sshd {
    child: Child,
    directory: tempfile::TempDir,
    pub(crate) port: u16,
}

impl Sshd {
    /// Starts one that lets the operator in; `extra` are further lines of its configuration.
    pub(crate) fn start(operator: &Operator, extra: &str) -> Self {
        // A server that runs as root wants its directory of privilege separation.
        drop(std::fs::create_dir_all("/run/sshd"));
        let directory = tempfile::Builder::new().prefix("sshd").tempdir_in("/tmp").expect("a directory");
        let path = |name: &str| directory.path().join(name);
        keygen(&path("host"));
        std::fs::copy(operator.path("id.pub"), path("authorized_keys")).expect("copied");
        for _ in 0..20 {
            let port = free_port();
            let config = format!(
                "{extra}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\nPidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel ERROR\n",
                directory.path().display()
            );
            std::fs::write(path("sshd_config"), config).expect("written");
            let mut child = Command::new("/usr/sbin/sshd")
                .args(["-D", "-f"])
                .arg(path("sshd_config"))
                .arg("-E")
                .arg(path("log"))
                .stdin(Stdio::null())
                .spawn()
                .expect("sshd is installed");
            let until = Instant::now() + Duration::from_secs(10);
            while Instant::now() < until && child.try_wait().expect("asked").is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { child, directory, port };
                }
                std::thread::yield_now();
            }
            drop(child.kill());
            drop(child.wait());
        }
        panic!("no sshd came up: {}", std::fs::read_to_string(path("log")).unwrap_or_default());
    }

    pub(crate) fn host_key(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("host.pub")).expect("read").trim().to_owned()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("an address").port()
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen is installed");
    assert!(made.success());
}
