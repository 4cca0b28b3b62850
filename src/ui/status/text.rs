//! `status` for people: a block of rows a machine, then alerts, slots, services, jobs and transitions. Made of the JSON document's own value.

use jiff::Timestamp;

use super::reading;
use crate::fleet::{Bytes, Fleet};
use crate::ui::alert_table::alert_table;
use crate::ui::clock_face::{clock_face, short_face};
use crate::ui::json::{MachineStatus, MemoryStatus, ServedStatus, StatusDocument};
use crate::ui::{Grid, Palette, Tone, plural, sanitize};

/// From this width on there is room for bars.
const BARS: u16 = 100;
/// From this width on the bars are long, and names tell their last use.
const WIDE: u16 = 120;

/// The whole text, at most `width` columns: how it stands and what to do first, then what says so.
pub fn render_status<'a>(document: &'a StatusDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    let palette = Palette::new(is_colored);
    let taken = document.taken_at.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut text = format!("{}  {}\n", palette.heading(&document.fleet), palette.dim(&clock_face(taken, fleet)));
    let headline =
        reading::headline(&document.machines.iter().collect::<Vec<_>>(), &document.slots, &document.commands);
    for line in &headline.lines {
        text.push_str(&format!("{}\n", palette.tone(headline.tone, line)));
    }
    for (place, step) in headline.next.iter().enumerate() {
        text.push_str(&format!("{} {step}\n", if place == 0 { "next:" } else { "     " }));
    }
    let of_machine = |machine: &'a MachineStatus| machine.alerts.iter().map(|alert| (machine.name.as_str(), alert));
    let alerts = document.machines.iter().flat_map(of_machine);
    for part in [
        alert_table(alerts, width, is_colored),
        machines(document, taken, width, is_colored),
        slots(document, width, is_colored),
        services(document, width, is_colored),
        jobs(document, fleet, width, is_colored),
        transitions(document, fleet, width, is_colored),
    ] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    text
}

/// A line of a cell; `None` is an empty one.
type Line = Option<(String, Tone)>;

fn machines(document: &StatusDocument, now: Timestamp, width: u16, is_colored: bool) -> String {
    let memory_heading = if width < BARS { "MEMORY" } else { "MEMORY FOR MODELS" };
    let mut grid = Grid::new(&["MACHINE", "OMLX", "NAME", "STATE", memory_heading], width, is_colored);
    for machine in &document.machines {
        let columns = [
            about(machine),
            omlx(machine),
            names(machine),
            states(machine, now, width),
            memory(&machine.memory, width),
        ];
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
        for row in 0..rows {
            let cell = |column: &Vec<Line>| column.get(row).cloned().flatten().unwrap_or_default();
            grid.row(columns.iter().map(cell));
        }
    }
    grid.render()
}

#[expect(clippy::unnecessary_wraps, reason = "it makes what columns are made of")]
fn line(text: impl Into<String>, tone: Tone) -> Line {
    Some((text.into(), tone))
}

fn about(machine: &MachineStatus) -> Vec<Line> {
    let mut lines = vec![line(&machine.name, Tone::Strong), Some(reading::reach(machine))];
    lines.extend(machine.macos.as_ref().map(|macos| line(format!("macOS {macos}"), Tone::Dim)));
    lines
}

fn omlx(machine: &MachineStatus) -> Vec<Line> {
    let omlx = &machine.omlx;
    let mut lines = vec![Some(reading::omlx(omlx))];
    lines.extend(omlx.uptime_seconds.map(|seconds| line(format!("up {}", reading::long_time(seconds)), Tone::Dim)));
    lines.extend(
        omlx.restarts
            .filter(|restarts| *restarts > 0)
            .map(|restarts| line(plural(usize::try_from(restarts).unwrap_or(usize::MAX), "restart"), Tone::Warn)),
    );
    lines.push(match machine.drift.changes {
        Some(0) => line("in sync", Tone::Dim),
        Some(changes) => line(format!("drift: {changes}"), Tone::Warn),
        None => None,
    });
    lines
}

fn names(machine: &MachineStatus) -> Vec<Line> {
    let mut lines: Vec<Line> = machine.served.iter().map(|served| line(&served.name, Tone::Plain)).collect();
    lines.extend(machine.undeclared.iter().map(|name| line(sanitize(name), Tone::Warn)));
    lines
}

fn states(machine: &MachineStatus, now: Timestamp, width: u16) -> Vec<Line> {
    let mut lines: Vec<Line> = machine.served.iter().map(|served| of_name(served, now, width)).collect();
    lines.extend(machine.undeclared.iter().map(|_| line("undeclared", Tone::Warn)));
    lines
}

fn of_name(served: &ServedStatus, now: Timestamp, width: u16) -> Line {
    let (state, tone) = reading::name_state(served);
    let mut text = state.to_owned();
    if reading::is_in_memory(served) {
        text.extend(served.size_bytes.map(|bytes| format!(" {}", Bytes(bytes))));
        let idle = reading::idle_seconds(served, now).filter(|_| width >= WIDE);
        text.extend(idle.map(|idle| format!(", used {} ago", reading::short_time(idle))));
    }
    line(text, tone)
}

/// The bar: what oMLX counts as used, of the limit that capacity reckons with. Below it the three headrooms.
fn memory(memory: &MemoryStatus, width: u16) -> Vec<Line> {
    let cells = if width >= WIDE { 24 } else { 6 };
    let mut lines = Vec::new();
    match reading::models_memory(memory) {
        (Some(used), Some(limit)) => {
            let tone = if used > limit { Tone::Bad } else { Tone::Plain };
            let share = reading::share(used, limit);
            let bar = if width >= BARS { reading::bar(used, limit, cells) + " " } else { String::new() };
            lines.push(line(bar + &share, tone));
        }
        (None, Some(limit)) => lines.push(line(format!("? of {}", Bytes(limit)), Tone::Dim)),
        (_, None) => lines.push(line("?", Tone::Dim)),
    }
    for room in reading::rooms(memory) {
        let tone = if room.free.is_some_and(|free| free < 0) { Tone::Warn } else { Tone::Dim };
        lines.extend(room.free.map(|free| line(format!("{} {}", room.word, reading::signed(free)), tone)));
    }
    match memory.pressure {
        Some("warn") => lines.push(line("pressure", Tone::Warn)),
        Some("critical") => lines.push(line("critical pressure", Tone::Bad)),
        _ => {}
    }
    lines
}

fn slots(document: &StatusDocument, width: u16, is_colored: bool) -> String {
    if document.slots.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["SLOT", "STATE", "GOES TO", "WHY"], width, is_colored);
    for slot in &document.slots {
        let (tone, why) = match slot.state {
            "ok" => (Tone::Good, String::new()),
            "degraded" => (Tone::Warn, slot.reason.clone()),
            _ => (Tone::Bad, slot.reason.clone()),
        };
        let target = slot.goes_to.clone().unwrap_or_else(|| "nowhere".to_owned());
        grid.row([
            (slot.name.clone(), Tone::Strong),
            (slot.state.to_owned(), tone),
            (target, Tone::Plain),
            (why, Tone::Dim),
        ]);
    }
    grid.render()
}

fn services(document: &StatusDocument, width: u16, is_colored: bool) -> String {
    let mut grid = Grid::new(&["SERVICE", "STATE", "MACHINE", "ADDRESS"], width, is_colored);
    let mut is_empty = true;
    for machine in &document.machines {
        for service in &machine.services {
            let (state, tone) = reading::service_state(service);
            grid.row([
                (service.name.to_owned(), Tone::Strong),
                (state.to_owned(), tone),
                (machine.name.clone(), Tone::Plain),
                (service.url.clone(), Tone::Plain),
            ]);
            is_empty = false;
        }
    }
    if is_empty { String::new() } else { grid.render() }
}

fn face(at: Option<&str>, fleet: &Fleet) -> Option<String> {
    let at: Timestamp = at?.parse().ok()?;
    Some(short_face(at, fleet.timezone.rules()))
}

fn jobs(document: &StatusDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    if document.jobs.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["JOB", "MACHINE", "LAST", "NEXT"], width, is_colored);
    for job in &document.jobs {
        let (last, tone) = reading::last_run(job, |at| face(Some(at), fleet));
        let next = face(job.next_at.as_deref(), fleet).unwrap_or_else(|| "-".to_owned());
        grid.row([
            (job.name.clone(), Tone::Strong),
            (job.machine.clone(), Tone::Plain),
            (last, tone),
            (next, Tone::Plain),
        ]);
    }
    grid.render()
}

fn transitions(document: &StatusDocument, fleet: &Fleet, width: u16, is_colored: bool) -> String {
    if document.transitions.is_empty() {
        return String::new();
    }
    let mut grid = Grid::new(&["NEXT", "MACHINE", "LOADS", "UNLOADS"], width, is_colored);
    let list = |names: &[String]| if names.is_empty() { "-".to_owned() } else { names.join("\n") };
    for transition in &document.transitions {
        grid.row([
            (face(Some(&transition.at), fleet).unwrap_or_default(), Tone::Strong),
            (transition.machine.clone(), Tone::Plain),
            (list(&transition.load), Tone::Plain),
            (list(&transition.unload), Tone::Plain),
        ]);
    }
    grid.render()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::testing;

    #[test]
    fn on_a_small_terminal_what_is_wrong_and_what_to_do_come_first() {
        let text = render_status(&fixture::document(), &testing::example(), 80, false);
        assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{text}");
        insta::assert_snapshot!(text, @r#"
        home  Mon 23 Nov 12:00 (America/New_York)
        4 machines: 1 with errors, 1 with warnings, 2 well
        3 slots: 1 ok, 1 degraded, 1 down
        next: fleetctl doctor mac-mini2
              fleetctl plan --on mac-mini3

        ALERT    MACHINE    WHAT
        error    mac-mini2  cannot connect to mac-mini2.lab.ts.net port 22 as ops:
                            connection refused (unreachable)
                            help: on mac-mini2: System Settings, General, Sharing,
                            Remote Login must be on
        warning  mac-mini3  macOS is under memory pressure (memory-pressure)
        warning  mac-mini3  2 changes to what the file says: fleetctl plan --on
                            mac-mini3 (drifted)
        note     mac-mini1  serves what the file does not declare: <script>\u{1b}[2J"\
                            (undeclared-name)

        MACHINE       OMLX           NAME              STATE            MEMORY
        mac-studio1   running 0.3.8  moe-batched       loaded 19.0 GiB  36.0/79.0 GiB
        by tailnet    up 3 d 2 h     moe-dflash        loaded 17.0 GiB  to load 42.0 GiB
        macOS 15.6.1  in sync        dense-synth       on demand        context 30.0 GiB
                                                                        system 12.0 GiB
        mac-mini3     running 0.3.8  dense-librarian   loaded 28.0 GiB  40.0/48.0 GiB
        by tailnet    up 3 d 2 h     embed-fast        loaded 1.0 GiB   to load 3.0 GiB
        macOS 15.6.1  2 restarts                                        context -5.0 GiB
                      drift: 2                                          system 9.0 GiB
                                                                        pressure
        mac-mini1     running 0.3.8  extract-2b        loaded 2.0 GiB   2.0/11.0 GiB
        by tailnet    up 3 d 2 h     <script>\u{1b}[2  undeclared       to load 9.0 GiB
                                     J"\
        macOS 15.6.1  in sync                                           context 8.0 GiB
                                                                        system 5.0 GiB
        mac-mini2     unknown        extract-2b        ?                ?
        unreachable

        SLOT              STATE     GOES TO                    WHY
        extract-fast      degraded  extract-2b on mac-mini1    extract-2b on mac-mini2
                                                               unreachable
        chat-interactive  ok        moe-dflash on mac-studio1
        embed-fast        down      nowhere                    no candidate: embed-fast
                                                               on mac-mini2 unreachable

        SERVICE   STATE    MACHINE      ADDRESS
        gateway   running  mac-studio1  http://mac-studio1.lab.ts.net:4000
        resolver  ?        mac-mini2    http://127.0.0.1:4100

        JOB              MACHINE    LAST                      NEXT
        nightly-extract  mac-mini1  Mon 23 Nov 02:00, exit 3  Tue 24 Nov 02:00
        reindex          mac-mini2  ?                         Tue 24 Nov 02:00

        NEXT              MACHINE      LOADS        UNLOADS
        Mon 23 Nov 22:00  mac-studio1  dense-synth  moe-dflash
                                                    moe-batched
        "#);
    }

    #[test]
    fn a_wide_terminal_gets_longer_bars_and_the_last_use() {
        insta::assert_snapshot!(render_status(&fixture::document(), &testing::example(), 160, false), @r#"
        home  Mon 23 Nov 12:00 (America/New_York)
        4 machines: 1 with errors, 1 with warnings, 2 well
        3 slots: 1 ok, 1 degraded, 1 down
        next: fleetctl doctor mac-mini2
              fleetctl plan --on mac-mini3

        ALERT    MACHINE    WHAT
        error    mac-mini2  cannot connect to mac-mini2.lab.ts.net port 22 as ops: connection refused (unreachable)
                            help: on mac-mini2: System Settings, General, Sharing, Remote Login must be on
        warning  mac-mini3  macOS is under memory pressure (memory-pressure)
        warning  mac-mini3  2 changes to what the file says: fleetctl plan --on mac-mini3 (drifted)
        note     mac-mini1  serves what the file does not declare: <script>\u{1b}[2J"\ (undeclared-name)

        MACHINE       OMLX           NAME                 STATE                          MEMORY FOR MODELS
        mac-studio1   running 0.3.8  moe-batched          loaded 19.0 GiB, used 4s ago   ███████████░░░░░░░░░░░░░ 36.0/79.0 GiB
        by tailnet    up 3 d 2 h     moe-dflash           loaded 17.0 GiB, used 13m ago  to load 42.0 GiB
        macOS 15.6.1  in sync        dense-synth          on demand                      context 30.0 GiB
                                                                                         system 12.0 GiB
        mac-mini3     running 0.3.8  dense-librarian      loaded 28.0 GiB, used 2h ago   ████████████████████░░░░ 40.0/48.0 GiB
        by tailnet    up 3 d 2 h     embed-fast           loaded 1.0 GiB, used 1d ago    to load 3.0 GiB
        macOS 15.6.1  2 restarts                                                         context -5.0 GiB
                      drift: 2                                                           system 9.0 GiB
                                                                                         pressure
        mac-mini1     running 0.3.8  extract-2b           loaded 2.0 GiB, used 1m ago    ████░░░░░░░░░░░░░░░░░░░░ 2.0/11.0 GiB
        by tailnet    up 3 d 2 h     <script>\u{1b}[2J"\  undeclared                     to load 9.0 GiB
        macOS 15.6.1  in sync                                                            context 8.0 GiB
                                                                                         system 5.0 GiB
        mac-mini2     unknown        extract-2b           ?                              ?
        unreachable

        SLOT              STATE     GOES TO                    WHY
        extract-fast      degraded  extract-2b on mac-mini1    extract-2b on mac-mini2 unreachable
        chat-interactive  ok        moe-dflash on mac-studio1
        embed-fast        down      nowhere                    no candidate: embed-fast on mac-mini2 unreachable

        SERVICE   STATE    MACHINE      ADDRESS
        gateway   running  mac-studio1  http://mac-studio1.lab.ts.net:4000
        resolver  ?        mac-mini2    http://127.0.0.1:4100

        JOB              MACHINE    LAST                      NEXT
        nightly-extract  mac-mini1  Mon 23 Nov 02:00, exit 3  Tue 24 Nov 02:00
        reindex          mac-mini2  ?                         Tue 24 Nov 02:00

        NEXT              MACHINE      LOADS        UNLOADS
        Mon 23 Nov 22:00  mac-studio1  dense-synth  moe-dflash
                                                    moe-batched
        "#);
    }

    #[test]
    fn a_fleet_that_is_well_says_so_in_a_line() {
        let mut document = fixture::document();
        document.machines.truncate(1);
        document.slots.retain(|slot| slot.state == "ok");
        let text = render_status(&document, &testing::example(), 80, false);
        assert_eq!(text.lines().skip(1).take(2).collect::<Vec<_>>(), ["1 machine: 1 well", "1 slot: 1 ok"]);
        assert!(!text.contains("next:") && !text.contains("ALERT"), "{text}");
    }
}
