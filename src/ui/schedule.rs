//! `schedule` for people: the coming transitions, and what is resident when, drawn.

use jiff::{Timestamp, ToSpan as _};

use super::clock_face::{clock_face, seconds, short_face};
use super::day_chart::{DayChart, render_day};
use super::{Grid, Tone};
use crate::fleet::{Fleet, Machine, Served};
use crate::schedule::{Transition, next_run, period_end};

/// Days that are drawn; a longer period has its table alone, which is easier to read than a roll of charts.
const DRAWN_DAYS: u16 = 7;

/// Below this width the names in seven columns would be broken.
const WIDE: u16 = 110;

/// What `schedule` shows.
pub struct SchedulePeriod<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The machines asked about.
    pub machines: &'a [&'a Machine],
    /// From when.
    pub from: Timestamp,
    /// Calendar days of the fleet's zone.
    pub days: u16,
    /// Their transitions in that period.
    pub transitions: &'a [Transition<'a>],
}

/// The table of transitions, the runs of jobs, and a chart a machine and day.
pub fn render_schedule(period: &SchedulePeriod<'_>, width: u16, color: bool) -> String {
    let mut text = String::new();
    let span = if period.days == 1 { "24 hours of the clock".to_owned() } else { format!("{} days", period.days) };
    text.extend([format!("{span} from {}\n\n", clock_face(period.from, period.fleet))]);
    if period.transitions.is_empty() {
        text.push_str("no transitions: what is resident and where slots go stays as it is\n");
    } else {
        let table = if width < WIDE { narrow_transitions } else { transitions };
        text.push_str(&table(period, width, color));
    }
    let jobs = jobs(period, width, color);
    if !jobs.is_empty() {
        text.push('\n');
        text.push_str(&jobs);
    }
    for day in 0..period.days.min(DRAWN_DAYS) {
        let Some((from, to)) = drawn(period, day) else { break };
        for machine in period.machines {
            let chart = DayChart { fleet: period.fleet, machine, from, to };
            if let Some(drawn) = render_day(&chart, width, color) {
                text.push('\n');
                text.push_str(&drawn);
            }
        }
    }
    if period.days > DRAWN_DAYS {
        text.extend([format!("\nonly the first {DRAWN_DAYS} days are drawn\n")]);
    }
    text
}

/// The drawn stretch of a day of the period: from the full hour before its start to the same time of the next calendar day.
fn drawn(period: &SchedulePeriod<'_>, day: u16) -> Option<(Timestamp, Timestamp)> {
    let zoned = period.from.to_zoned(period.fleet.timezone.rules().clone());
    let hour = zoned.with().minute(0).second(0).subsec_nanosecond(0).build().ok()?;
    let from = hour.checked_add(i64::from(day).days()).ok()?.timestamp();
    Some((from, period_end(period.fleet, from, 1)?))
}

fn transitions(period: &SchedulePeriod<'_>, width: u16, color: bool) -> String {
    let mut grid = Grid::new(&["WHEN", "MACHINE", "WINDOW", "LOADS", "UNLOADS", "COSTS", "SLOTS"], width, color);
    let zone = period.fleet.timezone.rules();
    for transition in period.transitions {
        let names = |all: &[&Served]| {
            if all.is_empty() {
                return ("-".to_owned(), Tone::Dim);
            }
            (all.iter().map(|served| served.name.as_str()).collect::<Vec<_>>().join("\n"), Tone::Plain)
        };
        let window = transition
            .window
            .map_or(("baseline".to_owned(), Tone::Dim), |window| (window.name.to_string(), Tone::Plain));
        let cost = if transition.load.is_empty() {
            ("-".to_owned(), Tone::Dim)
        } else {
            (format!("{}\n{}", transition.cost.bytes, seconds(transition.cost.seconds)), Tone::Plain)
        };
        grid.row([
            (short_face(transition.at, zone), Tone::Strong),
            (transition.machine.name.to_string(), Tone::Plain),
            window,
            names(&transition.load),
            names(&transition.unload),
            cost,
            (rebinds(transition).join("\n"), Tone::Plain),
        ]);
    }
    grid.render()
}

/// The same with all that happens in one column.
fn narrow_transitions(period: &SchedulePeriod<'_>, width: u16, color: bool) -> String {
    let mut grid = Grid::new(&["WHEN", "MACHINE", "WHAT"], width, color);
    let names = |all: &[&Served]| all.iter().map(|served| served.name.as_str()).collect::<Vec<_>>().join(", ");
    for transition in period.transitions {
        let window = transition.window.map(|window| format!("window {}", window.name));
        let mut what = vec![window.unwrap_or_else(|| "baseline".to_owned())];
        if !transition.load.is_empty() {
            let cost = &transition.cost;
            what.push(format!("loads {}", names(&transition.load)));
            what.push(format!("  {}, {}", cost.bytes, seconds(cost.seconds)));
        }
        if !transition.unload.is_empty() {
            what.push(format!("unloads {}", names(&transition.unload)));
        }
        what.extend(rebinds(transition));
        grid.row([
            (short_face(transition.at, period.fleet.timezone.rules()), Tone::Strong),
            (transition.machine.name.to_string(), Tone::Plain),
            (what.join("\n"), Tone::Plain),
        ]);
    }
    grid.render()
}

/// `chat-interactive → moe-batched`, for each slot whose route changes.
fn rebinds(transition: &Transition<'_>) -> Vec<String> {
    let rebinds = transition.rebinds.iter().map(|(slot, route)| {
        let route: Vec<&str> = route.iter().map(|name| name.as_str()).collect();
        format!("{slot} → {}", route.join(", "))
    });
    rebinds.collect()
}

/// The next run of each job in the period.
fn jobs(period: &SchedulePeriod<'_>, width: u16, color: bool) -> String {
    let Some(end) = period_end(period.fleet, period.from, period.days) else { return String::new() };
    let zone = period.fleet.timezone.rules();
    let mut due: Vec<(Timestamp, [(String, Tone); 4])> = Vec::new();
    // A run at the very start of the period belongs to it.
    let before = period.from.checked_sub(1.nanosecond()).unwrap_or(period.from);
    for job in period.fleet.jobs.iter() {
        let machines: Vec<&str> = job
            .on
            .iter()
            .filter(|name| period.machines.iter().any(|machine| machine.name == **name))
            .map(crate::fleet::MachineName::as_str)
            .collect();
        let Some(at) = next_run(period.fleet, job, before).filter(|at| *at < end && !machines.is_empty()) else {
            continue;
        };
        let slot = job.slot.as_ref().map_or("-".to_owned(), ToString::to_string);
        let row = [
            (short_face(at, zone), Tone::Strong),
            (machines.join("\n"), Tone::Plain),
            (job.name.to_string(), Tone::Plain),
            (slot, Tone::Plain),
        ];
        due.push((at, row));
    }
    if due.is_empty() {
        return String::new();
    }
    due.sort_by_key(|(at, _)| *at);
    let mut grid = Grid::new(&["NEXT RUN", "MACHINE", "JOB", "SLOT"], width, color);
    for (_, row) in due {
        grid.row(row);
    }
    grid.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::transitions;
    use crate::testing;

    fn drawn(fleet: &Fleet, from: &str, days: u16, width: u16) -> String {
        let from = from.parse().expect("a time");
        let transitions = transitions(fleet, from, period_end(fleet, from, days).expect("an end"));
        let machines: Vec<&Machine> = fleet.machines.iter().collect();
        render_schedule(
            &SchedulePeriod { fleet, machines: &machines, from, days, transitions: &transitions },
            width,
            false,
        )
    }

    #[test]
    fn the_examples_day() {
        insta::assert_snapshot!(drawn(&testing::example(), "2026-11-23T17:00:00Z", 1, 160), @r"
        24 hours of the clock from Mon 23 Nov 12:00 (America/New_York)

        WHEN              MACHINE      WINDOW    LOADS           UNLOADS         COSTS        SLOTS
        Tue 24 Nov 00:30  mac-studio1  night     moe-batched     moe-dflash      63.0 GiB     chat-interactive → moe-batched
                                                 dense-thinking                  about 2 min  synth-deep → dense-thinking, dense-librarian
        Tue 24 Nov 06:30  mac-studio1  baseline  moe-dflash      moe-batched     36.9 GiB     chat-interactive → moe-dflash
                                                                 dense-thinking  about 59 s   synth-deep → dense-librarian, dense-thinking

        NEXT RUN          MACHINE    JOB                 SLOT
        Tue 24 Nov 01:15  mac-mini3  synthesis-detector  librarian-curate
        Tue 24 Nov 02:15  mac-mini3  wiki-lint           librarian-curate
        Tue 24 Nov 03:15  mac-mini3  link-builder        librarian-curate

        mac-studio1, Mon 23 Nov 12:00
                          12          15          18          21          00          03          06          09
          moe-dflash      ██████████████████████████████████████████████████························██████████████████████
          moe-batched     ··················································████████████████████████······················
          dense-thinking  ··················································████████████████████████······················

        mac-mini3, Mon 23 Nov 12:00
                           12          15          18          21          00          03          06          09
          dense-librarian  ████████████████████████████████████████████████████████████████████████████████████████████████
          jobs             ·····················································1···2···3··································
                           1 01:15 synthesis-detector  2 02:15 wiki-lint  3 03:15 link-builder

        mac-mini1, Mon 23 Nov 12:00
                        12          15          18          21          00          03          06          09
          extract-2b    ████████████████████████████████████████████████████████████████████████████████████████████████
          embed-arctic  ████████████████████████████████████████████████████████████████████████████████████████████████

        mac-mini2, Mon 23 Nov 12:00
                        12          15          18          21          00          03          06          09
          extract-2b    ████████████████████████████████████████████████████████████████████████████████████████████████
          embed-arctic  ████████████████████████████████████████████████████████████████████████████████████████████████
        ");
    }

    #[test]
    fn a_narrow_terminal_is_not_overrun() {
        for width in [80, 100] {
            let text = drawn(&testing::example(), "2026-11-23T17:00:00Z", 1, width);
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{text}");
            assert!(text.contains("loads moe-batched, dense-thinking\n"), "no name is broken: {text}");
        }
    }

    #[test]
    fn a_day_of_23_hours_has_23() {
        let text = drawn(&testing::example(), "2027-03-14T05:00:00Z", 1, 80);
        let bars: Vec<usize> = text
            .lines()
            .filter(|line| line.contains('█'))
            .map(|line| line.chars().filter(|c| "█·▌▐".contains(*c)).count())
            .collect();
        assert!(!bars.is_empty() && bars.iter().all(|cells| *cells == 46), "{text}");
    }

    #[test]
    fn no_window_no_job() {
        let mut fleet = testing::example();
        fleet.schedules = crate::fleet::Declared::default();
        fleet.jobs = crate::fleet::Declared::default();
        let text = drawn(&fleet, "2026-11-23T17:00:00Z", 1, 80);
        assert!(text.contains("no transitions: what is resident"), "{text}");
        assert!(!text.contains("jobs"), "{text}");
    }
}
