//! Leaf values: sizes, durations, times, numbers in their range, one of several words, paths, addresses.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::config::node::Spanned;
use crate::config::suggest;
pub(crate) use crate::config::wording::quoted;
use crate::diagnostic::{Code, Problem, Severity};
use crate::fleet::{Bind, Bytes, BytesError, DurationError, TimeOfDay, Zone, parse_duration};

/// Not one of the words that the key takes.
pub(crate) static UNKNOWN_VALUE: Code = Code {
    id: "unknown-value",
    severity: Severity::Error,
    title: "a word that the key does not take",
    explanation: "The key takes one of a few words. The help names the one that is most like it, or all of them.",
};

/// A number beyond its range.
pub(crate) static OUT_OF_RANGE: Code = Code {
    id: "out-of-range",
    severity: Severity::Error,
    title: "a number outside its range",
    explanation: "Sizes, durations and counts are above 0, ports from 1 to 65535, ratios and correlations from 0 to 1. Fields of \
                  oMLX have the range that makes sense, also where the release itself accepts anything and fails later: a \
                  temperature is 0 to 2, top_p 0 to 1, TurboQuant takes 2, 2.5, 3, 3.5, 4, 6 or 8 bits.",
};

/// No size.
pub(crate) static INVALID_SIZE: Code = Code {
    id: "invalid-size",
    severity: Severity::Error,
    title: "a text that is no size",
    explanation: "A size is a number with B, KB, MB, GB or TB, as in \"96GB\" or \"0.93GB\". Suffixes are binary: \"96GB\" and \
                  \"96GiB\" are both 96·2^30 bytes, as macOS and oMLX count memory.",
};

/// No duration.
pub(crate) static INVALID_DURATION: Code = Code {
    id: "invalid-duration",
    severity: Severity::Error,
    title: "a text that is no duration",
    explanation: "A duration is written as 90s, 15m, 2h or 1h30m.",
};

/// No time of day, no window, no day.
pub(crate) static INVALID_TIME: Code = Code {
    id: "invalid-time",
    severity: Severity::Error,
    title: "a text that is no time of day, window or weekday",
    explanation: "A time of day is HH:MM from 00:00 to 23:59, a window HH:MM-HH:MM, and days are \"daily\" or a list of mon, tue, \
                  wed, thu, fri, sat, sun.",
};

/// No time zone.
pub(crate) static INVALID_ZONE: Code = Code {
    id: "invalid-timezone",
    severity: Severity::Error,
    title: "a text that is no time zone",
    explanation: "Zones are named as in the IANA database: \"America/New_York\", \"Europe/Berlin\", \"UTC\". An offset as \"+02:00\" \
                  knows no daylight saving time and is refused.",
};

/// No path of the kind that the key takes.
pub(crate) static INVALID_PATH: Code = Code {
    id: "invalid-path",
    severity: Severity::Error,
    title: "a text that is no path of the wanted kind",
    explanation: "A path on a machine starts with / or with ~/ (the user's home there), has no `..` and no control characters, so \
                  that what is written where can be read off the file.",
};

/// No address.
pub(crate) static INVALID_ADDRESS: Code = Code {
    id: "invalid-address",
    severity: Severity::Error,
    title: "a text that is no address",
    explanation: "`bind` takes \"all\", \"loopback\", \"tailnet\" or an IP address of the machine; `tailnet_ip` an IP address; `lan`, \
                  `address` and `tailnet` a host name or an IP address; `base_url` starts with http:// or https://.",
};

/// A text that would do harm in a shell, a plist or a terminal, or that is empty.
pub(crate) static INVALID_TEXT: Code = Code {
    id: "invalid-text",
    severity: Severity::Error,
    title: "a text that is empty, too long or holds control characters",
    explanation: "Texts of the file end up in shells, paths, plists and tables. Everything is quoted there in one place; control \
                  characters (line breaks, escape sequences, NUL) are refused altogether.",
};

pub(crate) static CODES: [&Code; 9] = [
    &UNKNOWN_VALUE,
    &OUT_OF_RANGE,
    &INVALID_SIZE,
    &INVALID_DURATION,
    &INVALID_TIME,
    &INVALID_ZONE,
    &INVALID_PATH,
    &INVALID_ADDRESS,
    &INVALID_TEXT,
];

/// Where problems are put.
pub(crate) type Problems = Vec<Problem>;

/// A leaf as it stands in a raw table.
type Leaf<'a, T> = Option<&'a Spanned<T>>;

/// A size above 0.
pub(crate) fn size(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<Bytes> {
    let leaf = leaf?;
    match leaf.value.parse() {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let code = if error == BytesError::OutOfRange { &OUT_OF_RANGE } else { &INVALID_SIZE };
            problems.push(Problem::at(code, leaf.span.clone(), format!("{what}: {} is {error}", quoted(&leaf.value))));
            None
        }
    }
}

/// A duration above 0.
pub(crate) fn duration(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<Duration> {
    let leaf = leaf?;
    match parse_duration(&leaf.value) {
        Ok(duration) => Some(duration),
        Err(error) => {
            let code = if error == DurationError::OutOfRange { &OUT_OF_RANGE } else { &INVALID_DURATION };
            problems.push(Problem::at(code, leaf.span.clone(), format!("{what}: {} is {error}", quoted(&leaf.value))));
            None
        }
    }
}

/// A time of day.
pub(crate) fn time(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<TimeOfDay> {
    let leaf = leaf?;
    match leaf.value.parse() {
        Ok(time) => Some(time),
        Err(error) => {
            let message = format!("{what}: {} is {error}", quoted(&leaf.value));
            problems.push(Problem::at(&INVALID_TIME, leaf.span.clone(), message));
            None
        }
    }
}

/// A zone of the IANA database.
pub(crate) fn zone(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<Zone> {
    let leaf = leaf?;
    match Zone::new(&leaf.value) {
        Ok(zone) => Some(zone),
        Err(error) => {
            let mut problem =
                Problem::at(&INVALID_ZONE, leaf.span.clone(), format!("{what}: {} is {error}", quoted(&leaf.value)));
            let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
            if let Some(near) = suggest::nearest(&leaf.value, names.iter().map(String::as_str)) {
                problem = problem.help(format!("did you mean \"{near}\"?"));
            }
            problems.push(problem);
            None
        }
    }
}

/// A whole number within a range.
pub(crate) fn integer(
    leaf: Leaf<'_, i64>,
    range: RangeInclusive<i64>,
    what: &str,
    problems: &mut Problems,
) -> Option<i64> {
    let leaf = leaf?;
    if range.contains(&leaf.value) {
        return Some(leaf.value);
    }
    let allowed = if *range.end() == i64::from(u32::MAX) {
        format!("at least {}", range.start())
    } else {
        format!("from {} to {}", range.start(), range.end())
    };
    problems.push(
        Problem::at(&OUT_OF_RANGE, leaf.span.clone(), format!("{what} is outside its range"))
            .label(allowed.clone())
            .help(format!("it must be {allowed}")),
    );
    None
}

/// A count: 1 or more.
pub(crate) fn count(leaf: Leaf<'_, i64>, what: &str, problems: &mut Problems) -> Option<u32> {
    integer(leaf, 1..=i64::from(u32::MAX), what, problems).and_then(|number| u32::try_from(number).ok())
}

/// A TCP port.
pub(crate) fn port(leaf: Leaf<'_, i64>, what: &str, problems: &mut Problems) -> Option<u16> {
    integer(leaf, 1..=65_535, what, problems).and_then(|number| u16::try_from(number).ok())
}

/// A number within a range, both ends included; never NaN.
pub(crate) fn number(
    leaf: Leaf<'_, f64>,
    range: RangeInclusive<f64>,
    what: &str,
    problems: &mut Problems,
) -> Option<f64> {
    let leaf = leaf?;
    if leaf.value.is_finite() && range.contains(&leaf.value) {
        return Some(leaf.value);
    }
    let allowed = match (*range.start(), *range.end()) {
        (start, f64::MAX) if start > 0.0 => "above 0".to_owned(),
        (start, f64::MAX) => format!("at least {start}"),
        (start, end) => format!("from {start} to {end}"),
    };
    problems.push(
        Problem::at(&OUT_OF_RANGE, leaf.span.clone(), format!("{what} is outside its range"))
            .label(allowed.clone())
            .help(format!("it must be {allowed}")),
    );
    None
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(
    leaf: Leaf<'_, String>,
    choices: &[(&str, T)],
    what: &str,
    problems: &mut Problems,
) -> Option<T> {
    let leaf = leaf?;
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == leaf.value) {
        return Some(*value);
    }
    problems.push(unknown_value(&leaf.value, &leaf.span, choices.iter().map(|(word, _)| *word), what));
    None
}

/// Says that a word is none of the known ones.
pub(crate) fn unknown_value<'a>(
    written: &str,
    span: &Range<usize>,
    known: impl Iterator<Item = &'a str> + Clone,
    what: &str,
) -> Problem {
    let problem = Problem::at(&UNKNOWN_VALUE, span.clone(), format!("{what} cannot be {}", quoted(written)));
    match suggest::help(written, known, "it takes") {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// An absolute path on a machine, or one below the user's home there (`~`, `~/…`). Trailing slashes are cut.
pub(crate) fn path(leaf: Leaf<'_, String>, home: bool, what: &str, problems: &mut Problems) -> Option<String> {
    let leaf = leaf?;
    let text = leaf.value.trim_end_matches('/');
    let rooted = text.starts_with('/') || (home && (text == "~" || text.starts_with("~/")));
    let plain = !text.chars().any(char::is_control) && text.len() < 1_000;
    if rooted && plain && !text.split('/').any(|part| part == "..") {
        return Some(text.to_owned());
    }
    let wanted = if home { "it must start with / or ~/" } else { "it must start with /" };
    problems.push(
        Problem::at(&INVALID_PATH, leaf.span.clone(), format!("{what}: {} is no absolute path", quoted(&leaf.value)))
            .help(format!("{wanted}, and hold neither `..` nor control characters")),
    );
    None
}

/// `~` and `~/…` with a home in its place.
pub(crate) fn expand(path: &str, home: &str) -> String {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{home}{rest}"),
        _ => path.to_owned(),
    }
}

/// What a server listens on.
pub(crate) fn bind(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<Bind> {
    let leaf = leaf?;
    match leaf.value.as_str() {
        "all" => Some(Bind::All),
        "loopback" => Some(Bind::Loopback),
        "tailnet" => Some(Bind::Tailnet),
        text => {
            if let Ok(address) = text.parse::<IpAddr>() {
                return Some(meant_by(address));
            }
            let problem =
                Problem::at(&INVALID_ADDRESS, leaf.span.clone(), format!("{what}: cannot listen on {}", quoted(text)));
            let help = suggest::nearest(text, ["all", "loopback", "tailnet"]).map_or_else(
                || "it takes \"all\", \"loopback\", \"tailnet\" or an IP address".to_owned(),
                |near| format!("did you mean \"{near}\"?"),
            );
            problems.push(problem.help(help));
            None
        }
    }
}

/// What an address means. Every address is no address of the machine: nobody can dial it, and it demands a key as "all" does.
fn meant_by(address: IpAddr) -> Bind {
    match address {
        address if address.is_unspecified() => Bind::All,
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Bind::Loopback,
        address => Bind::Address(address),
    }
}

/// An IP address.
pub(crate) fn ip(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<IpAddr> {
    let leaf = leaf?;
    let address = leaf.value.parse().ok();
    if address.is_none() {
        let message = format!("{what}: {} is no IP address", quoted(&leaf.value));
        problems.push(Problem::at(&INVALID_ADDRESS, leaf.span.clone(), message));
    }
    address
}

/// A host name or an IP address. Nothing that a shell or ssh could take for an option.
pub(crate) fn host(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<String> {
    let leaf = leaf?;
    let text = leaf.value.as_str();
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
    };
    let named = text.len() <= 253 && text.trim_end_matches('.').split('.').all(label);
    if named || text.parse::<IpAddr>().is_ok() {
        return Some(text.trim_end_matches('.').to_owned());
    }
    let message = format!("{what}: {} is neither a host name nor an IP address", quoted(text));
    problems.push(Problem::at(&INVALID_ADDRESS, leaf.span.clone(), message));
    None
}

/// A text of 1 to `longest` characters without control characters.
pub(crate) fn text(leaf: Leaf<'_, String>, longest: usize, what: &str, problems: &mut Problems) -> Option<String> {
    let leaf = leaf?;
    let wrong = match leaf.value.chars().count() {
        0 => Some("is empty".to_owned()),
        length if length > longest => Some(format!("is longer than {longest} characters")),
        _ if leaf.value.chars().any(char::is_control) => Some("holds control characters".to_owned()),
        _ => None,
    };
    match wrong {
        None => Some(leaf.value.clone()),
        Some(wrong) => {
            problems.push(Problem::at(&INVALID_TEXT, leaf.span.clone(), format!("{what} {wrong}")));
            None
        }
    }
}

/// A name of a POSIX user: what `su`, launchd and ssh take.
pub(crate) fn user(leaf: Leaf<'_, String>, what: &str, problems: &mut Problems) -> Option<String> {
    let leaf = leaf?;
    let text = leaf.value.as_str();
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    if (1..=32).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['-', '.']) {
        return Some(text.to_owned());
    }
    problems.push(
        Problem::at(&INVALID_TEXT, leaf.span.clone(), format!("{what}: {} is no user name", quoted(text)))
            .help("a user name is 1 to 32 letters, digits, dots, dashes and underscores"),
    );
    None
}
