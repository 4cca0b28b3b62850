//! `ps -axww -o pid=,ppid=,user=,etime=,command=`.

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's.
    pub ppid: u32,
    /// Its user.
    pub user: String,
    /// Seconds since it started.
    pub elapsed: Option<u64>,
    /// Its command line, words separated by one space as ps shows them.
    pub command: String,
}

/// One process a line; other lines are passed over.
pub fn ps(text: &str) -> Vec<Process> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Process> {
    let (pid, rest) = word(line)?;
    let (parent, rest) = word(rest)?;
    let (user, rest) = word(rest)?;
    let (elapsed, command) = word(rest)?;
    let command = command.trim();
    (!command.is_empty()).then_some(())?;
    Some(Process {
        pid: pid.parse().ok()?,
        ppid: parent.parse().ok()?,
        user: user.to_owned(),
        elapsed: etime(elapsed),
        command: command.to_owned(),
    })
}

fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace)?;
    Some((&text[..end], &text[end..]))
}

/// `[[dd-]hh:]mm:ss` in seconds.
pub fn etime(text: &str) -> Option<u64> {
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (days.parse::<u64>().ok()?, clock),
        None => (0, text),
    };
    if !clock.contains(':') {
        return None;
    }
    let parts: Vec<u64> = clock.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let (hours, minutes, seconds) = match parts.as_slice() {
        [minutes, seconds] => (0, *minutes, *seconds),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    days.checked_mul(24)?
        .checked_add(hours)?
        .checked_mul(60)?
        .checked_add(minutes)?
        .checked_mul(60)?
        .checked_add(seconds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_samples() {
        let text = "10526     1 fleet    02:11:40 /opt/fleet/current/bin/engine serve --port=8080
  601     1 root   1-04:12:01 /usr/local/bin/tailscaled
no process
";
        let read = ps(text);
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].elapsed, Some(2 * 3600 + 11 * 60 + 40));
        assert_eq!(read[0].command, "/opt/fleet/current/bin/engine serve --port=8080");
        assert_eq!(read[1].elapsed, Some(86_400 + 4 * 3600 + 12 * 60 + 1));
        assert_eq!(etime("00:07"), Some(7));
        assert_eq!(etime("7"), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[0-9:a-z -]{0,40}|\\PC{0,60}") {
            ps(&text);
            etime(&text);
        }
    }
}
