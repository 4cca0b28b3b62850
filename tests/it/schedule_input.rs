//! Windows and jobs as nobody should write them: each is refused with its code, where it stands.

/// The example with one place changed: the codes of its errors, and the text that the first of them points at.
fn refused(from: &str, to: &str) -> (Vec<&'static str>, String) {
    let example = include_str!("../../fleet.toml");
    assert_eq!(example.matches(from).count(), 1, "{from:?} stands once in the example");
    let text = example.replace(from, to);
    let loaded = fleetctl::config::load("fleet.toml", &text);
    let errors: Vec<_> = loaded
        .problems
        .iter()
        .filter(|problem| problem.code.severity == fleetctl::diagnostic::Severity::Error)
        .collect();
    let at = errors.first().and_then(|problem| problem.primary.as_ref());
    let shown = at.map_or(String::new(), |label| text[label.span.start..label.span.end].to_owned());
    (errors.iter().map(|problem| problem.code.id).collect(), shown)
}

#[test]
fn windows() {
    let window = |value: &str| refused("window   = \"00:30-06:30\"", &format!("window   = \"{value}\""));
    for (value, code) in [
        ("25:00-06:30", "invalid-time"),
        ("00:30-25:00", "window-length"),
        ("00:60-06:30", "invalid-time"),
        ("00:30", "invalid-time"),
        ("", "invalid-time"),
        ("0:30-6:30", "invalid-time"),
        ("-06:30", "invalid-time"),
        ("00:30-06:30-08:00", "invalid-time"),
        ("00:30-00:30", "window-length"),
        ("00:30-24:30", "window-length"),
        ("22:00-46:30", "window-length"),
    ] {
        assert_eq!(window(value), (vec![code], format!("\"{value}\"")), "{value}");
    }
    assert_eq!(window("23:30-06:30").0, Vec::<&str>::new(), "across midnight is none of them");
}

#[test]
fn days_and_zones() {
    let days = |value: &str| refused("days     = \"daily\"", &format!("days     = {value}")).0;
    for value in ["\"funday\"", "\"mon\"", "[]", "[\"Mon\"]", "[\"mon\", \"mond\"]"] {
        assert_eq!(days(value), ["invalid-time"], "{value}");
    }
    let zone = |value: &str| refused("timezone = \"America/New_York\"", &format!("timezone = \"{value}\"")).0;
    for value in ["Mars/Olympus", "", "EST5EDT,M3.2.0,M11.1.0", "../../etc/passwd", "america/new york"] {
        assert_eq!(zone(value), ["invalid-timezone"], "{value:?}");
    }
}

#[test]
fn ties() {
    let second = |text: &str| refused("# --- Jobs:", &format!("{text}\n# --- Jobs:")).0;
    let machine = "[schedules.late]\non = [\"mac-studio1\"]\nwindow = \"00:30-02:00\"\ndays = [\"sun\"]\nresident = [\"moe-batched\"]\n";
    assert_eq!(second(machine), ["windows-start-together"]);
    let slot = "[schedules.late]\non = [\"mac-mini3\"]\nwindow = \"00:30-02:00\"\n[schedules.late.slots]\nsynth-deep = { route = [\"dense-librarian\"] }\n";
    assert_eq!(second(slot), ["windows-start-together"]);
    assert_eq!(second(&machine.replace("00:30", "00:31")), Vec::<&str>::new(), "a minute apart is no tie");
}

#[test]
fn jobs() {
    let at = |value: &str| refused("at   = \"01:15\"", &format!("at   = {value}")).0;
    for value in ["\"25:00\"", "\"24:00\"", "\"1:15\"", "\"01:15:00\"", "\"\""] {
        assert_eq!(at(value), ["invalid-time"], "{value}");
    }
    let run = |value: &str| {
        refused("run  = [\"/opt/homebrew/bin/alexandria\", \"synthesis-detector\"]", &format!("run  = {value}")).0
    };
    assert_eq!(run("[]"), ["invalid-text"]);
    assert_eq!(run("[\"alexandria\"]"), ["invalid-path"]);
    assert_eq!(run("[\"/bin/echo\", \"a\\u0007b\"]"), ["invalid-text"]);
    let more =
        |line: &str| refused("# user, environment = { NAME = \"value\" }, timeout = \"3h\"      # optional", line).0;
    for timeout in ["0s", "3", "-1h", "soon"] {
        assert_eq!(more(&format!("timeout = \"{timeout}\"")).len(), 1, "{timeout}");
    }
    assert_eq!(more("user = \"ops; rm\"").len(), 1);
}
