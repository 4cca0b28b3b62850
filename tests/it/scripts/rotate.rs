//! `rotate`: what is kept, of whom, and how much.

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;

use super::{Host, golden, shells, told};

const LIMIT: usize = 10_485_760;

#[test]
fn a_long_log_is_copied_and_emptied_and_stays_the_same_file() {
    for shell in shells() {
        let host = Host::at(0);
        let (long, short) = (host.path("logs/omlx.log"), host.path("logs/schedule.log"));
        let mut text = vec![b'x'; LIMIT];
        text.extend_from_slice(b"\nlast line\n");
        std::fs::write(&long, &text).expect("written");
        std::fs::write(&short, "short\n").expect("written");
        std::os::unix::fs::symlink("/etc/passwd", host.path("logs/link.log")).expect("linked");
        std::fs::write(host.path("logs/.rotate.1"), "of a killed run").expect("written");
        for number in 1..=5 {
            std::fs::write(host.path(&format!("logs/omlx.log.{number}")), format!("{number}")).expect("written");
        }
        let before = std::fs::metadata(&long).expect("there");
        // The daemon keeps its file open for appending, as launchd opened it.
        let mut daemon = std::fs::OpenOptions::new().append(true).open(&long).expect("opened");
        let output = host.run(&shell, &golden("mac-mini1", "rotate"), &[]);
        assert_eq!(told(&output), "exit Some(0)\n", "{shell:?}");
        daemon.write_all(b"after\n").expect("written");
        assert_eq!(host.read("logs/omlx.log"), "after\n");
        assert_eq!(std::fs::metadata(&long).expect("there").ino(), before.ino());
        // Only the last bytes of what was too long.
        assert_eq!(host.read("logs/omlx.log.1").len(), LIMIT);
        assert!(host.read("logs/omlx.log.1").ends_with("x\nlast line\n"));
        let rest: Vec<String> = (2..=6).map(|number| host.read(&format!("logs/omlx.log.{number}"))).collect();
        assert_eq!(rest, ["1", "2", "3", "4", ""]);
        assert_eq!(host.read("logs/schedule.log"), "short\n");
        assert!(!host.path("logs/.rotate.1").exists() && !host.path("logs/link.log.1").exists());
        let copy = std::fs::metadata(host.path("logs/omlx.log.1")).expect("there");
        assert_eq!((copy.uid(), copy.gid(), copy.mode()), (before.uid(), before.gid(), before.mode()));
    }
}

#[test]
fn without_room_for_a_copy_the_log_is_emptied_and_that_is_said() {
    for shell in shells() {
        let host = Host::at(0);
        host.command("tail", "exit 1");
        std::fs::write(host.path("logs/job.x.log"), vec![b'y'; LIMIT + 1]).expect("written");
        let output = host.run(&shell, &golden("mac-mini1", "rotate"), &[]);
        let said = told(&output).replace(&host.path("logs").display().to_string(), "LOGS");
        assert_eq!(said, "exit Some(1)\nrotate: no copy of LOGS/job.x.log could be made, it was emptied\n");
        assert_eq!(host.read("logs/job.x.log"), "");
        assert_eq!(std::fs::read_dir(host.path("logs")).expect("listed").count(), 1);
    }
}
