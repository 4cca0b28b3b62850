//! The probe's script: what is asked, quoted, in front of the fixed text of templates/.

use super::{Ask, Contents};
use crate::fleet::layout;

const JSON: &str = include_str!("../../templates/json.sh");
const FILES: &str = include_str!("../../templates/probe-files.sh");
const ROOT: &str = include_str!("../../templates/probe-root.sh");
const CHECKUP: &str = include_str!("../../templates/probe-checkup.sh");
const PROBE: &str = include_str!("../../templates/probe.sh");

/// The whole script. `quote` makes one shell word (it is transport's, the one place that quotes).
pub(super) fn text(ask: &Ask, nonce: &str, quote: &dyn Fn(&str) -> String) -> String {
    let common = common(ask, nonce, quote);
    let root = format!("{common}{}{}", lean(FILES), lean(ROOT));
    // What hangs is given up early enough for the rest of the answer to arrive.
    let slow = (ask.within.as_secs() * 2 / 5).clamp(2, 20);
    let http = (ask.within.as_secs() / 5).clamp(1, 5);
    let weights = words(ask.weights.iter().map(String::as_str), quote);
    let mut script = common;
    let mut set = |name: &str, value: &str| script.extend([name, "=", value, "\n"]);
    set("BASE", &quote(&ask.base));
    set("PROGRAM", &quote(&ask.program));
    set("WEIGHTS", &quote(&ask.weights_directory));
    set("URL", &quote(&ask.url));
    set("LABELS", &quote(&ask.labels.join(" ")));
    set("TAILSCALE", if ask.tailnet_ip { "yes" } else { "" });
    set("SECONDS_SLOW", &slow.to_string());
    set("SECONDS_HTTP", &http.to_string());
    let programs = words(ask.programs.iter().map(String::as_str), quote);
    script.extend([
        "every_program() {
\"$@\"",
        &programs,
        "
}
",
    ]);
    script.extend([
        "every_weights() {
\"$@\"",
        &weights,
        "
}
",
    ]);
    script.push_str(&lean(JSON));
    script.push_str(&lean(FILES));
    script.push_str(
        &lean(PROBE)
            .replace("@root.sh@\n", &root)
            .replace("@checkup.sh@\n", &if ask.checkup { lean(CHECKUP) } else { String::new() }),
    );
    script
}

/// What both halves need.
fn common(ask: &Ask, nonce: &str, quote: &dyn Fn(&str) -> String) -> String {
    let ports: Vec<String> = ask.ports.iter().map(u16::to_string).collect();
    let all = words(ask.files.iter().map(|file| file.path.as_str()), quote);
    let private = words(ask.files.iter().filter(|file| file.private).map(|file| file.path.as_str()), quote);
    let mut wanted = String::new();
    for file in &ask.files {
        match &file.contents {
            Contents::Always => wanted.extend([quote(&file.path).as_str(), ") return 0 ;;\n"]),
            Contents::Unless(hash) => wanted.extend([quote(&file.path).as_str(), ") want=", &quote(hash), " ;;\n"]),
            Contents::Never => {}
        }
    }
    format!(
        "N={nonce}\nSTATE={state}\nPORTS={ports}\n\
         every_file() {{\n\"$@\"{all}\n}}\nevery_root_file() {{\n\"$@\"{private}\n}}\n\
         contents() {{\ncase $1 in\n{wanted}\"$STATE\"/jobs/*.json | \"$STATE\"/lock/*) return 0 ;;\n*) return 1 ;;\nesac\n\
         case $newline$sums$newline in *\"$newline$want  $1$newline\"*) return 1 ;; esac\nreturn 0\n}}\n",
        state = layout::STATE,
        ports = quote(&ports.join(",")),
    )
}

fn words<'a>(paths: impl Iterator<Item = &'a str>, quote: &dyn Fn(&str) -> String) -> String {
    paths.flat_map(|path| [" ".to_owned(), quote(path)]).collect()
}

/// Without comments and indentation: bash reads a script on standard input byte by byte, so every byte costs a system call.
fn lean(script: &str) -> String {
    script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .flat_map(|line| [line, "\n"])
        .collect()
}
