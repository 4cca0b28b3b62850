//! The whole answer, from top to bottom.

use super::answer::CapacityAnswer;
use super::bar::{legend, parts};
use super::sentences::{alternation, headroom, limit, numbers, too_long};
use super::tables::{on_demand, residents};
use super::verdict::{Verdict, verdicts};
use crate::capacity::{Finding, MachineCapacity, WindowCapacity};
use crate::fleet::Machine;
use crate::ui::stacked_bar::stacked_bar;
use crate::ui::wrap::paragraph;
use crate::ui::{Palette, sanitize};

/// A longer bar tells no more.
const LONGEST_BAR: u16 = 100;

/// The whole answer.
pub fn render_capacity(answer: &CapacityAnswer<'_>, width: u16, color: bool) -> String {
    let page = Page { width, palette: Palette::new(color) };
    let mut text: String = verdicts(answer).iter().map(|verdict| page.verdict(verdict)).collect();
    for capacity in answer.machines {
        text.push('\n');
        let Some(machine) = answer.fleet.machines.get(&capacity.machine) else { continue };
        text.push_str(&page.machine(answer, machine, capacity));
    }
    if answer.machines.iter().any(|machine| !machine.footprints.is_empty()) {
        text.push('\n');
        text.push_str(&page.wrapped("", FOOTNOTE));
    }
    text
}

const FOOTNOTE: &str = "TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT and LARGEST are tokens: what is declared (or oMLX's \
                        default), and the most that one request can have while all else is at rest.";

struct Page {
    width: u16,
    palette: Palette,
}

impl Page {
    fn verdict(&self, verdict: &Verdict) -> String {
        let text = self.wrapped(&format!("{}: ", verdict.word), &verdict.text);
        // Coloured behind the laying out, which counts columns.
        text.replacen(verdict.word, &self.palette.tone(verdict.tone, verdict.word), 1)
    }

    fn machine(&self, answer: &CapacityAnswer<'_>, machine: &Machine, capacity: &MachineCapacity) -> String {
        let budget = &capacity.budget;
        let mut text = format!(
            "{}  {}, {} RAM, oMLX {}\n",
            self.palette.heading(machine.name.as_str()),
            sanitize(&machine.chip),
            budget.ram,
            machine.omlx.release,
        );
        text.push_str(&self.wrapped("limit ", &limit(capacity)));
        if capacity.footprints.is_empty() {
            text.push_str("serves nothing\n");
            return text;
        }
        text.push_str(&self.wrapped("numbers: ", &numbers(answer.fleet, capacity)));
        for window in &capacity.windows {
            text.push('\n');
            text.push_str(&self.window(capacity, window));
        }
        let own: Vec<&Finding> =
            answer.findings.iter().filter(|finding| finding.machines.contains(&capacity.machine)).collect();
        if !own.is_empty() {
            text.push('\n');
        }
        for finding in own {
            text.push_str(&self.wrapped(&format!("{}: ", finding.rule.id), &finding.text));
            if let Some(help) = &finding.help {
                text.push_str(&self.wrapped("  help: ", help));
            }
        }
        text
    }

    fn window(&self, capacity: &MachineCapacity, window: &WindowCapacity) -> String {
        let name = window.window.as_ref().map_or_else(|| "baseline".to_owned(), |name| format!("window {name}"));
        let verdict = if window.resident.is_empty() {
            self.palette.dim("nothing is resident")
        } else if !window.fits {
            self.palette.bad("the residents do not fit")
        } else if window.headroom.context.is_some_and(|left| left < 0) {
            self.palette.warn("the residents fit, their contexts do not")
        } else {
            self.palette.good("fits")
        };
        let mut text = format!("{}: {verdict}\n", self.palette.heading(&name));
        let parts = parts(capacity, window);
        let columns = usize::from(self.width.min(LONGEST_BAR));
        text.push_str(&stacked_bar(&parts.map(|(_, part)| part), capacity.budget.limit.get(), columns, self.palette));
        text.push('\n');
        text.push_str(&self.wrapped("", &legend(&parts, window)));
        text.push_str(&self.wrapped("headroom: ", &headroom(window)));
        if let Some(mend) = too_long(capacity, window) {
            text.push_str(&self.wrapped("  help: ", &mend));
        }
        if !window.resident.is_empty() {
            text.push('\n');
            text.push_str(&residents(capacity, window, self.width, self.palette));
        }
        if !window.loadable.is_empty() {
            text.push('\n');
            text.push_str(&on_demand(capacity, window, self.width, self.palette));
        }
        for set in &window.swap_sets {
            text.push_str(&self.wrapped("alternate: ", &alternation(capacity, window, set)));
        }
        text
    }

    fn wrapped(&self, lead: &str, text: &str) -> String {
        paragraph(lead, text, self.width)
    }
}
