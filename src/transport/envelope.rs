//! How a script is sent and how its answer is told from everything else that a login shell may print.
//!
//! The script travels as one function, so that a shell that gets only a part of it runs nothing; its standard input is /dev/null, so that no command in it can
//! eat the rest. Markers with a word of this run bracket its output: noise before (a chatty `.zshenv`) is cut off, a missing end is a cut connection, and the exit
//! code in the end marker cannot be mistaken for that of ssh (255) or of the login shell (127).

use std::hash::{BuildHasher as _, Hasher as _};

/// A word that no output holds by chance: 64 random bits in hex. Not a secret.
pub fn nonce() -> String {
    // RandomState is seeded by the operating system.
    let word = std::hash::RandomState::new().build_hasher().finish();
    format!("{word:016x}")
}

/// The text that goes to the shell's standard input.
pub(super) fn wrap(script: &str, nonce: &str) -> String {
    format!(
        "fleetctl_main() {{\n{script}\n}}\nprintf '@@%s begin\\n' {nonce}\n( fleetctl_main ) </dev/null\nprintf '\\n@@%s end %s\\n' {nonce} \"$?\"\nexit 0\n"
    )
}

/// An exit code and its newline have at most this many bytes (`-2147483648`).
const CODE: usize = 12;

/// Reads the bracketed output as it comes.
pub(super) struct Reader {
    begin: Vec<u8>,
    end: Vec<u8>,
    begun: bool,
    buffer: Vec<u8>,
    searched: usize,
    limit: usize,
    over: bool,
}

/// How far the output is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More may come.
    More,
    /// The script has ended with this code.
    Ended(i32),
    /// It printed more than it may.
    TooMuch,
}

impl Reader {
    /// A reader for one run; `limit` bounds what is kept, in bytes.
    pub(super) fn new(nonce: &str, limit: usize) -> Self {
        Self {
            begin: format!("@@{nonce} begin\n").into_bytes(),
            end: format!("\n@@{nonce} end ").into_bytes(),
            begun: false,
            buffer: Vec::new(),
            searched: 0,
            limit,
            over: false,
        }
    }

    /// Takes a piece of the output.
    pub(super) fn push(&mut self, piece: &[u8]) -> Progress {
        self.buffer.extend_from_slice(piece);
        if !self.begun {
            match find(&self.buffer, &self.begin, self.searched) {
                Some(at) => {
                    self.buffer.drain(..at + self.begin.len());
                    self.begun = true;
                    // The newline before the end marker may be that of the begin marker.
                    self.searched = 0;
                }
                None if self.buffer.len() > self.limit => {
                    self.over = true;
                    return Progress::TooMuch;
                }
                None => {
                    self.searched = self.buffer.len().saturating_sub(self.begin.len());
                    return Progress::More;
                }
            }
        }
        if let Some(at) = find(&self.buffer, &self.end, self.searched) {
            let digits = &self.buffer[at + self.end.len()..];
            let newline = digits.iter().take(CODE).position(|b| *b == b'\n');
            // A code that does not end is none: nothing more is waited for, and nothing more is kept.
            if newline.is_none() && digits.len() < CODE {
                return Progress::More;
            }
            let code = newline.and_then(|end| std::str::from_utf8(&digits[..end]).ok()?.parse().ok());
            self.buffer.truncate(at);
            return Progress::Ended(code.unwrap_or(-1));
        }
        self.searched = self.buffer.len().saturating_sub(self.end.len());
        if self.buffer.len() > self.limit {
            self.over = true;
            return Progress::TooMuch;
        }
        Progress::More
    }

    /// Whether the begin marker was seen: then the shell runs the script.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun
    }

    /// Drops what was handed over already.
    pub(super) fn forget(&mut self, upto: usize) {
        let upto = upto.min(self.buffer.len());
        self.buffer.drain(..upto);
        self.searched = self.searched.saturating_sub(upto);
    }

    /// The output so far; before the begin marker, what came instead of it.
    pub(super) fn output(&self) -> &[u8] {
        &self.buffer
    }

    /// Ends the reading.
    pub(super) fn into_output(self) -> Vec<u8> {
        self.buffer
    }
}

fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    haystack.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|at| at + from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(nonce: &str, pieces: &[&[u8]]) -> (Progress, Vec<u8>) {
        let mut reader = Reader::new(nonce, 1000);
        let mut last = Progress::More;
        for piece in pieces {
            last = reader.push(piece);
        }
        (last, reader.into_output())
    }

    #[test]
    fn noise_is_cut_off_and_the_end_is_certain() {
        let whole = b"Welcome!@@n begin\nbody\nwithout newline\n@@n end 3\nrubbish";
        assert_eq!(read("n", &[whole]), (Progress::Ended(3), b"body\nwithout newline".to_vec()));
        let bytes: Vec<&[u8]> = whole.chunks(1).take_while(|_| true).collect();
        let cut = whole.len() - b"rubbish".len();
        assert_eq!(read("n", &bytes[..cut]).0, Progress::Ended(3));
        assert_eq!(read("n", &[b"@@n begin\nhalf"]), (Progress::More, b"half".to_vec()));
        assert_eq!(read("n", &[b"@@n begin\n\n@@n end 127\n"]), (Progress::Ended(127), vec![]));
        assert_eq!(read("n", &[b"zsh: command not found"]).0, Progress::More);
        assert_eq!(read("n", &[b"@@n begin\n", &[b'x'; 1001]]).0, Progress::TooMuch);
    }

    #[test]
    fn an_end_that_does_not_end_is_not_waited_for() {
        let mut reader = Reader::new("n", 1000);
        assert_eq!(reader.push(b"@@n begin\nbody\n@@n end 1"), Progress::More);
        let mut last = Progress::More;
        for _ in 0..10_000 {
            last = reader.push(b"111111111111");
            if last != Progress::More {
                break;
            }
        }
        assert_eq!((last, reader.into_output()), (Progress::Ended(-1), b"body".to_vec()));
    }

    /// A flood of noise, or of one line, costs one look at each byte, not one at all of them for each piece.
    #[test]
    fn a_flood_is_looked_at_once() {
        for start in [&b""[..], b"@@n begin\n"] {
            let mut reader = Reader::new("n", 4 << 20);
            reader.push(start);
            let began = std::time::Instant::now();
            while reader.push(&[b'@'; 4096]) == Progress::More {}
            assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test asks a real shell")]
    fn a_real_shell_runs_all_of_it_or_nothing() {
        let text = wrap("cat; printf out; exit 7", "w");
        let run = |input: &str| {
            use std::io::Write as _;
            let mut child = std::process::Command::new("/bin/sh")
                .arg("-s")
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .expect("sh runs");
            child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("written");
            child.wait_with_output().expect("ended").stdout
        };
        assert_eq!(read("w", &[&run(&text)]), (Progress::Ended(7), b"out".to_vec()));
        for cut in 0..text.find("\n( fleetctl_main )").expect("the call") {
            if text.is_char_boundary(cut) {
                assert!(!String::from_utf8_lossy(&run(&text[..cut])).contains("out"), "{cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(body in proptest::collection::vec(any::<u8>(), 0..200), cut in 1usize..40) {
            let mut whole = b"@@zz begin\n".to_vec();
            whole.extend_from_slice(&body);
            whole.extend_from_slice(b"\n@@zz end 0\n");
            let mut reader = Reader::new("zz", 10_000);
            let mut last = Progress::More;
            for piece in whole.chunks(cut) {
                last = reader.push(piece);
            }
            prop_assert_eq!(last, Progress::Ended(0));
            prop_assert_eq!(reader.into_output(), body);
        }
    }
}
