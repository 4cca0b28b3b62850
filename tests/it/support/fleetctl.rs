//! The program as a user runs it, in a directory of its own: no variable of the developer's reaches it.

use std::fmt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A directory to run in, with a home of its own, and the variables that are set.
pub(crate) struct Fleetctl {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

impl Fleetctl {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("home")).expect("a home");
        std::fs::create_dir(directory.path().join("work")).expect("a directory to work in");
        Self { directory, variables: Vec::new() }
    }

    /// A directory with this fleet.toml.
    pub(crate) fn with_fleet(text: &str) -> Self {
        let fleetctl = Self::new();
        fleetctl.write("fleet.toml", text.as_bytes());
        fleetctl
    }

    /// The directory that it runs in.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Writes a file there.
    pub(crate) fn write(&self, name: &str, contents: &[u8]) -> PathBuf {
        let path = self.directory().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its directory");
        #[expect(clippy::disallowed_methods, reason = "a test's own file")]
        std::fs::write(&path, contents).expect("the file is written");
        path
    }

    /// Sets a variable for the runs that follow.
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// It, ready to be run by a test that wants the process itself (to kill it, to run beside it).
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        #[expect(clippy::disallowed_methods, reason = "a test runs the program")]
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_fleetctl"));
        command
            .args(arguments)
            .current_dir(self.directory())
            .env_clear()
            .env("HOME", self.directory.path().join("home"))
            .env("PATH", "/usr/bin:/bin")
            .env("COLUMNS", "100")
            .env("LC_ALL", "C.UTF-8")
            .stdin(std::process::Stdio::null());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().expect("fleetctl runs");
        Output {
            stdout: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
            exit: output.status.code(),
            directory: self.directory().canonicalize().expect("it is there"),
        }
    }
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None`: ended by a signal.
    pub(crate) exit: Option<i32>,
    directory: PathBuf,
}

impl Output {
    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON document: {error}\n{self}"))
    }
}

impl fmt::Display for Output {
    /// Everything that a user sees, for a snapshot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.exit.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        write!(f, "exit: {code}\n----- stdout -----\n{}", plain(&self.stdout, &self.directory))?;
        write!(f, "----- stderr -----\n{}", plain(&self.stderr, &self.directory))
    }
}

/// Without the path of the temporary directory.
fn plain(text: &str, directory: &Path) -> String {
    text.replace(&*directory.to_string_lossy(), "[WORK]")
}
