//! `simulate` for people: every slot before and after.

use jiff::Timestamp;

use super::clock_face::{clock_face, seconds};
use super::wrap::indented;
use super::{Grid, Tone};
use crate::fleet::Fleet;
use crate::slot::{Outlook, Resolution, Scenario, SlotState};

/// One scenario: a line of what it comes to, and the table that says so.
pub fn render_scenario(scenario: &Scenario<'_>, fleet: &Fleet, at: Timestamp, width: u16, color: bool) -> String {
    let all: Vec<&Outlook<'_>> = scenario.slots.iter().collect();
    format!(
        "{}\n{}\n\n{}",
        lines(&format!("{} down at {}", names(scenario), clock_face(at, fleet)), width),
        lines(&verdict(scenario), width),
        table(&all, width, color),
    )
}

/// Several scenarios: what each comes to, the worst first, and the slots that move.
pub fn render_scenarios(scenarios: &[Scenario<'_>], fleet: &Fleet, at: Timestamp, width: u16, color: bool) -> String {
    let mut text = format!("one machine down at {}, the worst first\n", clock_face(at, fleet));
    for scenario in scenarios {
        text.extend([format!("\n{}\n", lines(&format!("{}: {}", names(scenario), verdict(scenario)), width))]);
        let moved: Vec<&Outlook<'_>> = scenario.slots.iter().filter(|outlook| outlook.is_moved()).collect();
        if !moved.is_empty() {
            text.push_str(&table(&moved, width, color));
        }
    }
    text
}

/// At most `width` columns, further lines indented.
fn lines(text: &str, width: u16) -> String {
    indented(text, 2, width)
}

fn names(scenario: &Scenario<'_>) -> String {
    let names: Vec<&str> = scenario.down.iter().map(|machine| machine.name.as_str()).collect();
    names.join(", ")
}

fn table(outlooks: &[&Outlook<'_>], width: u16, color: bool) -> String {
    let mut grid = Grid::new(&["SLOT", "BEFORE", "AFTER", "STATE", "MUST LOAD FIRST"], width, color);
    for outlook in outlooks {
        let (before, after) = (target(&outlook.before), target(&outlook.after));
        let tone = match outlook.state() {
            SlotState::Ok => Tone::Good,
            SlotState::Degraded => Tone::Warn,
            SlotState::Down => Tone::Bad,
        };
        let after = if outlook.is_moved() { (after, Tone::Plain) } else { ("unchanged".to_owned(), Tone::Dim) };
        grid.row([
            (outlook.slot.name.to_string(), Tone::Strong),
            (before, Tone::Plain),
            after,
            (outlook.state().as_str().to_owned(), tone),
            (loads(outlook), Tone::Plain),
        ]);
    }
    grid.render()
}

fn target(resolution: &Resolution<'_>) -> String {
    let choice = resolution.choice.as_ref();
    choice.map_or("nobody".to_owned(), |choice| format!("{} on {}", choice.served.name, choice.machine.name))
}

fn loads(outlook: &Outlook<'_>) -> String {
    let loads = outlook.after.choice.iter().flat_map(|choice| &choice.loads);
    let told: Vec<String> = loads
        .map(|load| {
            let late = outlook.slot.timeout.is_some_and(|timeout| timeout.as_secs_f64() < load.seconds);
            format!("{}, {}{}", load.bytes, seconds(load.seconds), if late { ": beyond its timeout" } else { "" })
        })
        .collect();
    told.join("\n")
}

/// `1 slot lost, 2 degraded, 3 moved` or that nothing changes.
fn verdict(scenario: &Scenario<'_>) -> String {
    let (lost, degraded, moved, bytes) = scenario.damage();
    let mut parts = Vec::new();
    let named = |wanted: SlotState| -> Vec<&str> {
        let slots = scenario.slots.iter().filter(|outlook| outlook.state() == wanted);
        slots.map(|outlook| outlook.slot.name.as_str()).collect()
    };
    if lost > 0 {
        parts.push(format!("{lost} without service ({})", named(SlotState::Down).join(", ")));
    }
    if degraded > 0 {
        parts.push(format!("{degraded} degraded ({})", named(SlotState::Degraded).join(", ")));
    }
    if moved > lost {
        parts.push(format!("{} answered elsewhere", moved - lost.min(moved)));
    }
    if bytes > 0 {
        parts.push(format!("{} to load", crate::fleet::Bytes(bytes)));
    }
    if parts.is_empty() { "every slot stays where it is".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot;
    use crate::testing;

    fn at() -> Timestamp {
        "2026-11-23T17:00:00Z".parse().expect("a time")
    }

    #[test]
    fn both_minis_down() {
        let fleet = testing::example();
        let down: Vec<_> = fleet
            .machines
            .iter()
            .map(|machine| machine.name.clone())
            .filter(|name| name.as_str().contains("mini") && *name != "mac-mini3")
            .collect();
        insta::assert_snapshot!(render_scenario(&slot::simulate(&fleet, &down, at()), &fleet, at(), 120, false), @r"
        mac-mini1, mac-mini2 down at Mon 23 Nov 12:00 (America/New_York)
        1 degraded (extract-fast), 2 answered elsewhere, 36.6 GiB to load

        SLOT              BEFORE                        AFTER                        STATE     MUST LOAD FIRST
        embed-fast        embed-arctic on mac-mini1     embed-arctic on mac-studio1  ok        600 MiB, about 1 s
        extract-fast      extract-2b on mac-mini1       moe-batched on mac-studio1   degraded  36.0 GiB, about 58 s: beyond its
                                                                                               timeout
        score-fast        moe-batched on mac-studio1    unchanged                    ok        36.0 GiB, about 58 s
        score-deep        moe-batched on mac-studio1    unchanged                    ok        36.0 GiB, about 58 s
        chat-interactive  moe-dflash on mac-studio1     unchanged                    ok
        synth-deep        dense-librarian on mac-mini3  unchanged                    ok
        librarian-curate  dense-librarian on mac-mini3  unchanged                    ok
        ");
    }

    #[test]
    fn each_down_the_worst_first() {
        let fleet = testing::example();
        insta::assert_snapshot!(render_scenarios(&slot::each_down(&fleet, at()), &fleet, at(), 120, false), @r"
        one machine down at Mon 23 Nov 12:00 (America/New_York), the worst first

        mac-studio1: 1 without service (chat-interactive), 2 degraded (score-fast, score-deep), 2 answered elsewhere
        SLOT              BEFORE                      AFTER                         STATE     MUST LOAD FIRST
        score-fast        moe-batched on mac-studio1  dense-librarian on mac-mini3  degraded
        score-deep        moe-batched on mac-studio1  dense-librarian on mac-mini3  degraded
        chat-interactive  moe-dflash on mac-studio1   nobody                        down

        mac-mini3: 1 without service (librarian-curate), 1 answered elsewhere, 27.0 GiB to load
        SLOT              BEFORE                        AFTER                          STATE  MUST LOAD FIRST
        synth-deep        dense-librarian on mac-mini3  dense-thinking on mac-studio1  ok     27.0 GiB, about 43 s
        librarian-curate  dense-librarian on mac-mini3  nobody                         down

        mac-mini1: 2 answered elsewhere
        SLOT          BEFORE                     AFTER                      STATE  MUST LOAD FIRST
        embed-fast    embed-arctic on mac-mini1  embed-arctic on mac-mini2  ok
        extract-fast  extract-2b on mac-mini1    extract-2b on mac-mini2    ok

        mac-mini2: every slot stays where it is
        ");
    }

    #[test]
    fn embeddings_have_no_fallback_to_another_model() {
        let mut fleet = testing::example();
        let mut slot = fleet.slots.get("embed-fast").expect("declared").clone();
        slot.route.truncate(1);
        fleet.slots.insert(slot);
        let down: Vec<_> = slot_machines(&fleet);
        let scenario = slot::simulate(&fleet, &down, at());
        let embed = scenario.slots.iter().find(|outlook| outlook.slot.name == "embed-fast").expect("the slot");
        assert_eq!(embed.state(), SlotState::Down);
    }

    fn slot_machines(fleet: &Fleet) -> Vec<crate::fleet::MachineName> {
        fleet.slots.get("embed-fast").expect("declared").route[0].machines.clone()
    }
}
