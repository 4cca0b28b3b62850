//! `status` and the verbs by hand against machines that are well and machines that are not: each answer whole.

mod by_hand;
mod jobs;
mod machines;
mod omlx;

use crate::support::fleet_text::{extract, guarded_head, mini};
use crate::support::lab::{Hosts, Lab, Said};

/// A lab of two plain machines and the operator's fleet file for it.
pub(crate) struct Case {
    pub(crate) lab: Lab,
    /// Where the operator stands, and his fleet.toml lies.
    directory: tempfile::TempDir,
}

/// Two minis that serve the same name, and a slot for it.
fn two_minis() -> String {
    let both = ["mac-a", "mac-b"];
    let minis = both.map(|name| mini(name, "")).concat();
    guarded_head("test", "America/New_York", "0.3.8")
        + &minis
        + &extract(&both)
        + "[slots.extract]\nroute = [\"extract-2b\"]\n"
}

impl Case {
    /// Brings the lab up; `host` are further lines for both hosts. `None` where no lab can run.
    pub(crate) fn up(host: &str) -> Option<Self> {
        Self::up_with(host, "")
    }

    /// As `up`, with more in the fleet file.
    fn up_with(host: &str, more: &str) -> Option<Self> {
        let models = "models = [\"llm=Qwen3.6-2B-MLX-4bit,size=1.6GB\"]";
        let spec = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(spec.path(), format!("[hosts.mac-a]\n{models}\n{host}\n[hosts.mac-b]\n{models}\n{host}\n"))
            .expect("written");
        let lab = Lab::up(Hosts::Spec(spec.path()))?;
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("fleet.toml"), two_minis() + more).expect("written");
        Some(Self { lab, directory })
    }

    /// As `up`, with the fleet file applied to both machines.
    pub(super) fn applied(host: &str) -> Option<Self> {
        Self::applied_with(host, "")
    }

    /// As `applied`, with more in the fleet file.
    pub(super) fn applied_with(host: &str, more: &str) -> Option<Self> {
        let case = Self::up_with(host, more)?;
        let said = case.fleetctl(&["apply", "--yes", "--quiet", "--no-gate"]);
        assert_eq!(said.code, 0, "{said:?}");
        Some(case)
    }

    pub(super) fn fleetctl(&self, arguments: &[&str]) -> Said {
        self.at_width(100, arguments)
    }

    /// On a terminal of so many columns.
    pub(crate) fn at_width(&self, columns: usize, arguments: &[&str]) -> Said {
        let directory = self.directory.path().to_str().expect("text");
        let columns = format!("COLUMNS={columns}");
        let command =
            [&["/usr/bin/env", "-C", directory, columns.as_str(), env!("CARGO_BIN_EXE_fleetctl")], arguments].concat();
        self.lab.laptop(&command)
    }

    /// Everything that a user sees.
    pub(super) fn shown(&self, arguments: &[&str]) -> String {
        let said = self.fleetctl(arguments);
        let err: String = said
            .err
            .lines()
            .filter(|line| !line.contains("warnings; `fleetctl check`"))
            .flat_map(|line| [line, "\n"])
            .collect();
        format!("exit: {}\n{}-----\n{err}", said.code, said.out)
    }
}

/// What differs from run to run.
pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d \w{3} \d\d:\d\d", "[TIME]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[INSTANT]"),
        (r"after \d+ s", "after [N] s"),
        (r"up \d+ (s|min) *", "up [TIME]  "),
        (r"for \d+ s", "for [N] s"),
        (r"\(pid \d+\)", "(pid [N])"),
        (r"\(\d+ starts\)", "([N] starts)"),
        (r"(system +)[0-9.]+ GiB", "$1[N]"),
        (r"[a-z]+@[a-z0-9.-]+ holds", "[WHO] holds"),
        (r"100\.64\.\d+\.\d+", "[IP]"),
    ]
}

/// Pins everything that a user sees.
macro_rules! assert_shown {
    ($shown:expr, @$snapshot:literal) => {
        insta::with_settings!({filters => crate::status::filters()}, {
            insta::assert_snapshot!($shown, @$snapshot);
        });
    };
}
pub(super) use assert_shown;
