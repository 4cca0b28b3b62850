//! Where a daemon is asked by its own machine.

use super::{Encoding, Placeholder, Text};
use crate::fleet::Bind;

/// `http://HOST:PORT` of a daemon that is bound so, as the machine itself reaches it.
pub fn own_url(bind: Bind, port: u16) -> Text {
    let mut text = Text::literal("http://");
    match bind {
        Bind::All | Bind::Loopback => text.push("127.0.0.1"),
        Bind::Tailnet => text.push_hole(Placeholder::TailnetIp, Encoding::Plain),
        Bind::Address(std::net::IpAddr::V6(address)) => text.push(&format!("[{address}]")),
        Bind::Address(address) => text.push(&address.to_string()),
    }
    text.push(&format!(":{port}"));
    text
}
