//! `lsof -nP -iTCP:… -F pLnT`: a field a line, its letter first.

/// What it shows of our ports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lsof {
    /// Listeners: pid, user, port.
    pub listeners: Vec<(u32, Option<String>, u16)>,
    /// Established connections of those who listen: the port here, the other end as `address:port`.
    pub established: Vec<(u16, String)>,
}

/// Reads it. A connection is a server's when its own end is a port that is listened on.
pub fn lsof(text: &str) -> Lsof {
    let mut read = Lsof::default();
    let mut connections: Vec<(u16, String)> = Vec::new();
    let (mut pid, mut user, mut name) = (None, None, None);
    for line in text.lines() {
        let Some(first) = line.chars().next() else { continue };
        let value = &line[first.len_utf8()..];
        match first {
            'p' => (pid, user, name) = (value.parse::<u32>().ok(), None, None),
            'L' => user = Some(value.to_owned()),
            'f' => name = None,
            'n' => name = Some(value),
            'T' => match (value.strip_prefix("ST="), name, pid) {
                (Some("LISTEN"), Some(name), Some(pid)) => {
                    if let Some(port) =
                        port_of(name).filter(|port| !read.listeners.iter().any(|l| (l.0, l.2) == (pid, *port)))
                    {
                        read.listeners.push((pid, user.clone(), port));
                    }
                }
                (Some("ESTABLISHED"), Some(name), Some(_)) => {
                    if let Some((here, there)) = name.split_once("->") {
                        connections.extend(port_of(here).map(|port| (port, there.to_owned())));
                    }
                }
                _ => {}
            },
            _ => {}
        }
    }
    connections.retain(|(port, _)| read.listeners.iter().any(|listener| listener.2 == *port));
    connections.sort();
    connections.dedup();
    read.established = connections;
    read
}

fn port_of(end: &str) -> Option<u16> {
    end.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_listens_and_who_is_connected() {
        let text = "p123
Lops
f5
n*:8000
TST=LISTEN
TQR=0
f6
n[::]:8000
TST=LISTEN
f9
n127.0.0.1:8000->127.0.0.1:51000
TST=ESTABLISHED
p200
Lops
f3
n127.0.0.1:51000->127.0.0.1:8000
TST=ESTABLISHED
f4
n[fd7a::1]:8000->[fd7a::2]:4
TST=CLOSE_WAIT
";
        let read = lsof(text);
        assert_eq!(read.listeners, [(123, Some("ops".to_owned()), 8000)]);
        assert_eq!(read.established, [(8000, "127.0.0.1:51000".to_owned())]);
    }

    proptest! {
        #[test]
        fn never_panics(text in "([pLfnT][a-z0-9:=>-]{0,8}\n){0,20}|\\PC{0,100}") {
            lsof(&text);
        }
    }
}
