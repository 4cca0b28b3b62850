//! `capacity` for people: what is taken, what is left, what alternates, machine by machine and window by window.

use super::clock_face::seconds;
use super::stacked_bar::{FREE, Part, stacked_bar};
use super::wrap::paragraph;
use super::{Grid, Palette, Tone, sanitize};
use crate::capacity::{
    Finding, Footprint, GpuLimitSource, LimitBy, Loadable, MachineCapacity, Source, SwapSet, WindowCapacity,
};
use crate::fleet::{Bytes, Fleet, Machine, ServedName};
use crate::schedule::load_seconds;

/// What `capacity` shows.
pub struct CapacityAnswer<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// The machines asked about.
    pub machines: &'a [MachineCapacity],
    /// What is to be said of them.
    pub findings: &'a [Finding],
}

/// From this width on every term has a column of its own.
const WIDE: u16 = 110;
/// A longer bar tells no more.
const LONGEST_BAR: u16 = 100;

/// The whole answer.
pub fn render_capacity(answer: &CapacityAnswer<'_>, width: u16, color: bool) -> String {
    let mut text = String::new();
    let page = Page { width, palette: Palette::new(color) };
    for capacity in answer.machines {
        if !text.is_empty() {
            text.push('\n');
        }
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
            text.push_str(&self.residents(capacity, window));
        }
        if !window.loadable.is_empty() {
            text.push('\n');
            text.push_str(&self.on_demand(capacity, window));
        }
        for set in &window.swap_sets {
            text.push_str(&self.wrapped("alternate: ", &alternation(capacity, window, set)));
        }
        text
    }

    fn residents(&self, capacity: &MachineCapacity, window: &WindowCapacity) -> String {
        let is_wide = self.width >= WIDE;
        let headings: &[&str] = if is_wide {
            &["RESIDENT", ">WEIGHTS", ">DRAFT", ">KV CACHE", ">STATE", ">SCRATCH", ">CONTEXT", ">LARGEST", "SHAPE BY"]
        } else {
            &["RESIDENT", ">WEIGHTS", ">DRAFT", ">KV+STATE", ">SCRATCH", ">CONTEXT", ">LARGEST"]
        };
        let mut grid = Grid::new(headings, self.width, self.palette.is_colored());
        for resident in &window.resident {
            let Some(footprint) = capacity.footprint(&resident.served) else { continue };
            let mut row = vec![
                (footprint.served.to_string(), Tone::Strong),
                (footprint.weights_bytes.to_string(), Tone::Plain),
                some_bytes(footprint.draft_bytes.get()),
            ];
            if is_wide {
                row.push(maybe_bytes(footprint.kv_bytes));
                row.push(maybe_bytes(footprint.state_bytes));
            } else {
                row.push(maybe_bytes(
                    footprint.kv_bytes.zip(footprint.state_bytes).map(|(kv, state)| kv.saturating_add(state)),
                ));
            }
            row.push(maybe_bytes(footprint.scratch_bytes));
            row.push((declared_context(footprint), Tone::Plain));
            row.push(largest(resident.largest_context, footprint));
            if is_wide {
                row.push((footprint.source.as_str().to_owned(), Tone::Dim));
            }
            grid.row(row);
        }
        grid.render()
    }

    fn on_demand(&self, capacity: &MachineCapacity, window: &WindowCapacity) -> String {
        let mut grid = Grid::new(
            &["ON DEMAND", ">TAKES", "LOADS", ">CONTEXT", ">LARGEST", "EVICTS"],
            self.width,
            self.palette.is_colored(),
        );
        for loadable in &window.loadable {
            let Some(footprint) = capacity.footprint(&loadable.served) else { continue };
            let evicts = list(&loadable.evicts);
            grid.row([
                (footprint.served.to_string(), Tone::Strong),
                (footprint.estimated.to_string(), Tone::Plain),
                loads(footprint, loadable),
                (declared_context(footprint), Tone::Plain),
                largest(loadable.largest_context, footprint),
                if evicts.is_empty() { ("-".to_owned(), Tone::Dim) } else { (evicts, Tone::Plain) },
            ]);
        }
        grid.render()
    }

    fn wrapped(&self, lead: &str, text: &str) -> String {
        paragraph(lead, text, self.width)
    }
}

/// The limit, what sets it, and what the others would allow.
fn limit(capacity: &MachineCapacity) -> String {
    let budget = &capacity.budget;
    let source = match budget.gpu.source {
        GpuLimitSource::Declared => "declared",
        GpuLimitSource::Set => "set on the machine",
        GpuLimitSource::Estimated => "macOS's default, estimated",
    };
    let limits = [
        (LimitBy::Omlx, budget.omlx.model, "what oMLX allows its models".to_owned()),
        (LimitBy::Process, budget.omlx.process, "what oMLX allows its process".to_owned()),
        (LimitBy::Gpu, Some(budget.gpu.bytes), format!("what the GPU may wire ({source})")),
    ];
    let decides = limits.iter().find(|(by, ..)| *by == budget.by).map_or("", |(.., whose)| whose);
    let others = limits.iter().filter(|(by, ..)| *by != budget.by);
    let others: Vec<String> =
        others.filter_map(|(_, limit, whose)| limit.map(|limit| format!("{whose} is {limit}"))).collect();
    format!("{}: {decides}; {}", budget.limit, others.join(", "))
}

/// What to change where the residents' contexts do not fit: the names that declare more than they can have, by how much.
fn too_long(capacity: &MachineCapacity, window: &WindowCapacity) -> Option<String> {
    window.headroom.context.filter(|left| *left < 0 && window.fits)?;
    let names: Vec<String> = window
        .resident
        .iter()
        .filter_map(|resident| {
            let declared = capacity.footprint(&resident.served)?.context;
            let largest = resident.largest_context.filter(|largest| *largest < declared)?;
            Some(format!("{} declares {declared} tokens and can have {largest}; ", resident.served))
        })
        .collect();
    Some(format!(
        "{}lower max_context_window or concurrency, keep fewer names resident{}",
        names.concat(),
        if capacity.budget.by == LimitBy::Gpu { ", or raise gpu_limit" } else { "" }
    ))
}

/// Where the numbers of each name are from, and what the machine's own files say otherwise than declared.
fn numbers(fleet: &Fleet, capacity: &MachineCapacity) -> String {
    let from = |footprint: &Footprint| match (footprint.shape_by, footprint.is_size_measured) {
        (Source::Measured, true) => "measured",
        (Source::Measured, false) => "size declared, shape measured",
        (Source::Catalogue, true) => "size measured, shape by the catalogue",
        (Source::Catalogue, false) => "size declared, shape by the catalogue",
        (Source::Declared, true) => "size measured, shape unknown",
        (Source::Declared, false) => "size declared, shape unknown",
    };
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for footprint in &capacity.footprints {
        let name = footprint.served.as_str();
        match groups.iter_mut().find(|(known, _)| *known == from(footprint)) {
            Some((_, names)) => names.push(name),
            None => groups.push((from(footprint), vec![name])),
        }
    }
    let mut said: Vec<String> = match groups.as_slice() {
        [(from, _)] => vec![(*from).to_owned()],
        _ => groups.iter().map(|(from, names)| format!("{from}: {}", names.join(", "))).collect(),
    };
    let mut told = Vec::new();
    for footprint in capacity.footprints.iter().filter(|footprint| footprint.is_size_measured) {
        let Some(weights) = fleet.weights.get(&footprint.weights).filter(|weights| !told.contains(&&weights.name))
        else {
            continue;
        };
        if weights.size.get().abs_diff(footprint.weights_bytes.get()) > weights.size.get() / 100 {
            said.push(format!("{} has {}, declared are {}", weights.name, footprint.weights_bytes, weights.size));
            told.push(&weights.name);
        }
    }
    said.join("; ")
}

/// Weights, drafts, caches and states, scratch: what a bar is made of.
fn parts(capacity: &MachineCapacity, window: &WindowCapacity) -> [(&'static str, Part); 4] {
    let sum = |of: fn(&Footprint) -> u64| {
        let residents = window.resident.iter().filter_map(|resident| capacity.footprint(&resident.served));
        residents.map(of).fold(0, u64::saturating_add)
    };
    let part = |name, sign, amount| (name, Part { sign, amount });
    [
        part("weights", '█', sum(|footprint| footprint.weights_bytes.get())),
        part("drafts", '▓', sum(|footprint| footprint.draft_bytes.get())),
        part(
            "caches",
            '▒',
            sum(|footprint| footprint.kv_bytes.unwrap_or(0).saturating_add(footprint.state_bytes.unwrap_or(0))),
        ),
        part("scratch", '░', window.scratch_bytes.unwrap_or(0)),
    ]
}

fn legend(parts: &[(&str, Part)], window: &WindowCapacity) -> String {
    let mut said: Vec<String> = parts
        .iter()
        .filter(|(_, part)| part.amount > 0)
        .map(|(name, part)| format!("{} {name} {}", part.sign, Bytes(part.amount)))
        .collect();
    match window.headroom.context {
        None => said.push("caches not known".to_owned()),
        Some(left) if left < 0 => said.push(format!("behind ┃ too much: {}", Bytes(left.unsigned_abs()))),
        Some(left) => said.push(format!("{FREE} free {}", Bytes(left.unsigned_abs()))),
    }
    said.join("  ")
}

fn headroom(window: &WindowCapacity) -> String {
    let headroom = &window.headroom;
    format!(
        "load {} (the limit without weights and drafts), context {} (that without caches and scratch), system {}",
        signed(headroom.load),
        headroom.context.map_or_else(|| "not known".to_owned(), signed),
        headroom.system.map_or_else(|| "not asked".to_owned(), signed),
    )
}

fn signed(bytes: i64) -> String {
    let sign = if bytes < 0 { "−" } else { "" };
    format!("{sign}{}", Bytes(bytes.unsigned_abs()))
}

fn some_bytes(bytes: u64) -> (String, Tone) {
    if bytes == 0 { ("-".to_owned(), Tone::Dim) } else { (Bytes(bytes).to_string(), Tone::Plain) }
}

fn maybe_bytes(bytes: Option<u64>) -> (String, Tone) {
    bytes.map_or_else(|| ("unknown".to_owned(), Tone::Dim), some_bytes)
}

fn declared_context(footprint: &Footprint) -> String {
    match footprint.concurrency {
        1 => footprint.context.to_string(),
        many => format!("{many} × {}", footprint.context),
    }
}

/// The largest context of one request; less than the declared one deserves a look.
fn largest(tokens: Option<u64>, footprint: &Footprint) -> (String, Tone) {
    match tokens {
        None => ("-".to_owned(), Tone::Dim),
        Some(tokens) if tokens < footprint.context => (tokens.to_string(), Tone::Warn),
        Some(tokens) => (tokens.to_string(), Tone::Plain),
    }
}

fn loads(footprint: &Footprint, loadable: &Loadable) -> (String, Tone) {
    if !loadable.fits {
        return ("no room".to_owned(), Tone::Bad);
    }
    (format!("yes, {}", seconds(load_seconds(Bytes(footprint.loaded_bytes())))), Tone::Good)
}

fn list(names: &[ServedName]) -> String {
    names.iter().map(ServedName::as_str).collect::<Vec<_>>().join(", ")
}

/// Why the names of a set alternate, and what each change costs.
fn alternation(capacity: &MachineCapacity, window: &WindowCapacity, set: &SwapSet) -> String {
    let footprints: Vec<&Footprint> = set.names.iter().filter_map(|name| capacity.footprint(name)).collect();
    let is_resident = |name: &ServedName| window.resident.iter().any(|resident| resident.served == *name);
    let (stay, change): (Vec<&Footprint>, Vec<&Footprint>) =
        footprints.iter().copied().partition(|footprint| is_resident(&footprint.served));
    let beside: u64 = window
        .resident
        .iter()
        .filter(|resident| !set.names.contains(&resident.served))
        .filter_map(|resident| capacity.footprint(&resident.served))
        .map(|footprint| footprint.estimated.get())
        .fold(0, u64::saturating_add);
    let sum = footprints.iter().map(|footprint| footprint.estimated.get()).fold(beside, u64::saturating_add);
    let mut text = format!("{} do not fit together: {} of {}", list(&set.names), Bytes(sum), capacity.budget.limit);
    if beside > 0 {
        text = format!("{text}, with what else is resident");
    }
    let names =
        |of: &[&Footprint]| of.iter().map(|footprint| footprint.served.as_str()).collect::<Vec<_>>().join(" and ");
    if stay.is_empty() {
        text.push_str("; one of them is always out");
    } else if !change.is_empty() {
        text = format!(
            "{text}; {} can load only in the place of {}",
            names(&change),
            names(&stay).replace(" and ", " or ")
        );
    }
    let costs: Vec<String> = footprints
        .iter()
        .map(|footprint| {
            let bytes = Bytes(footprint.loaded_bytes());
            format!("{} {bytes} ({})", footprint.served, seconds(load_seconds(bytes)))
        })
        .collect();
    format!("{text}. To load: {}", costs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::{assess, findings};
    use crate::testing;

    fn shown(fleet: &Fleet, machines: &[&str], width: u16) -> String {
        let machines: Vec<MachineCapacity> =
            machines.iter().map(|name| assess(fleet, fleet.machines.get(name).expect("a machine"), None)).collect();
        let findings = findings(fleet);
        render_capacity(&CapacityAnswer { fleet, machines: &machines, findings: &findings }, width, false)
    }

    fn article() -> Fleet {
        testing::sound(include_str!("../../tests/fixtures/fleets/article.toml"))
    }

    #[test]
    fn the_articles_studio_at_80() {
        insta::assert_snapshot!(shown(&article(), &["mac-studio1"], 80), @r#"
        mac-studio1  M3 Ultra, 96.0 GiB RAM, oMLX 0.3.8
        limit 77.8 GiB: what the GPU may wire (macOS's default, estimated); what oMLX
              allows its models is 79.2 GiB, what oMLX allows its process is 88.0 GiB
        numbers: size declared, shape by the catalogue

        baseline: the residents fit, their contexts do not
        ████████████████████████████████████████████████████████████▓▒▒▒▒▒▒░░░░░░░┃░░░░░
        █ weights 63.0 GiB  ▓ drafts 952 MiB  ▒ caches 6.9 GiB  ░ scratch 12.0 GiB
        behind ┃ too much: 5.1 GiB
        headroom: load 13.8 GiB (the limit without weights and drafts), context −5.1 GiB
                  (that without caches and scratch), system not asked
          help: dense-thinking declares 65536 tokens and can have 39680; lower
                max_context_window or concurrency, keep fewer names resident, or raise
                gpu_limit

        RESIDENT         WEIGHTS    DRAFT  KV+STATE   SCRATCH    CONTEXT  LARGEST
        moe-dflash      36.0 GiB  952 MiB   2.7 GiB   4.0 GiB  4 × 32768    68864
        dense-thinking  27.0 GiB        -   4.1 GiB  12.0 GiB      65536    39680

        ON DEMAND        TAKES  LOADS    CONTEXT  LARGEST  EVICTS
        moe-plain     37.8 GiB  no room    32768        -  -
        dense-direct  28.3 GiB  no room    65536        -  -
        alternate: moe-dflash, moe-plain, dense-thinking do not fit together: 103.9 GiB
                   of 77.8 GiB; moe-plain can load only in the place of moe-dflash or
                   dense-thinking. To load: moe-dflash 36.9 GiB (about 59 s), moe-plain
                   36.0 GiB (about 58 s), dense-thinking 27.0 GiB (about 43 s)
        alternate: moe-dflash, dense-thinking, dense-direct do not fit together:
                   94.5 GiB of 77.8 GiB; dense-direct can load only in the place of
                   moe-dflash or dense-thinking. To load: moe-dflash 36.9 GiB (about
                   59 s), dense-thinking 27.0 GiB (about 43 s), dense-direct 27.0 GiB
                   (about 43 s)

        resident-twin: moe-dflash and moe-plain are two copies of moe-35b: both beside
                    dense-thinking take 103.9 GiB of 77.8 GiB (macOS's own GPU limit,
                    estimated), so they can only alternate, and each change loads
                    36.0 GiB (about 58 s); without dense-thinking both fit and leave
                    4.8 GiB for their contexts
          help: use one profile for both, let windows decide which of them is resident,
                or serve one on another machine
        resident-twin: dense-thinking and dense-direct are two copies of dense-27b: both
                    beside moe-dflash take 94.5 GiB of 77.8 GiB (macOS's own GPU limit,
                    estimated), so they can only alternate, and each change loads
                    27.0 GiB (about 43 s); without moe-dflash both fit and leave
                    23.8 GiB for their contexts
          help: use one profile for both, let windows decide which of them is resident,
                or serve one on another machine
        one-load-suffices: dense-thinking and dense-direct are the same weights and
                    differ only in enable_thinking, which a request can say itself
          help: serve them under one name and let the requests differ (thinking:
                chat_template_kwargs.enable_thinking); it saves 27.0 GiB
        dflash-concurrency: moe-dflash reserves for 4 requests at once, and the DFlash
                    engine of oMLX 0.3.8 serves one at a time
          help: serve batched work under a name whose profile has DFlash off, or leave
                concurrency at 1
        speculative-expectation: 245 tok/s is 97 % of the plain bound of 252 tok/s,
                    which plain decoding does not reach: it takes 5.0 accepted tokens a
                    step at 49 steps/s

        TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT
        and LARGEST are tokens: what is declared (or oMLX's default), and the most that
        one request can have while all else is at rest.
        "#);
    }

    #[test]
    fn the_articles_studio_at_160() {
        insta::assert_snapshot!(shown(&article(), &["mac-studio1"], 160), @r#"
        mac-studio1  M3 Ultra, 96.0 GiB RAM, oMLX 0.3.8
        limit 77.8 GiB: what the GPU may wire (macOS's default, estimated); what oMLX allows its models is 79.2 GiB, what oMLX allows its process is 88.0 GiB
        numbers: size declared, shape by the catalogue

        baseline: the residents fit, their contexts do not
        ███████████████████████████████████████████████████████████████████████████▓▒▒▒▒▒▒▒▒░░░░░░░░┃░░░░░░░
        █ weights 63.0 GiB  ▓ drafts 952 MiB  ▒ caches 6.9 GiB  ░ scratch 12.0 GiB  behind ┃ too much: 5.1 GiB
        headroom: load 13.8 GiB (the limit without weights and drafts), context −5.1 GiB (that without caches and scratch), system not asked
          help: dense-thinking declares 65536 tokens and can have 39680; lower max_context_window or concurrency, keep fewer names resident, or raise gpu_limit

        RESIDENT         WEIGHTS    DRAFT  KV CACHE    STATE   SCRATCH    CONTEXT  LARGEST  SHAPE BY
        moe-dflash      36.0 GiB  952 MiB   2.5 GiB  246 MiB   4.0 GiB  4 × 32768    68864  catalogue
        dense-thinking  27.0 GiB        -   4.0 GiB  147 MiB  12.0 GiB      65536    39680  catalogue

        ON DEMAND        TAKES  LOADS    CONTEXT  LARGEST  EVICTS
        moe-plain     37.8 GiB  no room    32768        -  -
        dense-direct  28.3 GiB  no room    65536        -  -
        alternate: moe-dflash, moe-plain, dense-thinking do not fit together: 103.9 GiB of 77.8 GiB; moe-plain can load only in the place of moe-dflash or
                   dense-thinking. To load: moe-dflash 36.9 GiB (about 59 s), moe-plain 36.0 GiB (about 58 s), dense-thinking 27.0 GiB (about 43 s)
        alternate: moe-dflash, dense-thinking, dense-direct do not fit together: 94.5 GiB of 77.8 GiB; dense-direct can load only in the place of moe-dflash or
                   dense-thinking. To load: moe-dflash 36.9 GiB (about 59 s), dense-thinking 27.0 GiB (about 43 s), dense-direct 27.0 GiB (about 43 s)

        resident-twin: moe-dflash and moe-plain are two copies of moe-35b: both beside dense-thinking take 103.9 GiB of 77.8 GiB (macOS's own GPU limit, estimated), so
                    they can only alternate, and each change loads 36.0 GiB (about 58 s); without dense-thinking both fit and leave 4.8 GiB for their contexts
          help: use one profile for both, let windows decide which of them is resident, or serve one on another machine
        resident-twin: dense-thinking and dense-direct are two copies of dense-27b: both beside moe-dflash take 94.5 GiB of 77.8 GiB (macOS's own GPU limit, estimated),
                    so they can only alternate, and each change loads 27.0 GiB (about 43 s); without moe-dflash both fit and leave 23.8 GiB for their contexts
          help: use one profile for both, let windows decide which of them is resident, or serve one on another machine
        one-load-suffices: dense-thinking and dense-direct are the same weights and differ only in enable_thinking, which a request can say itself
          help: serve them under one name and let the requests differ (thinking: chat_template_kwargs.enable_thinking); it saves 27.0 GiB
        dflash-concurrency: moe-dflash reserves for 4 requests at once, and the DFlash engine of oMLX 0.3.8 serves one at a time
          help: serve batched work under a name whose profile has DFlash off, or leave concurrency at 1
        speculative-expectation: 245 tok/s is 97 % of the plain bound of 252 tok/s, which plain decoding does not reach: it takes 5.0 accepted tokens a step at 49
                    steps/s

        TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT and LARGEST are tokens: what is declared (or oMLX's default), and the most that
        one request can have while all else is at rest.
        "#);
    }

    #[test]
    fn the_example_at_100() {
        insta::assert_snapshot!(shown(&testing::example(), &["mac-studio1", "mac-mini1"], 100), @r#"
        mac-studio1  M3 Ultra, 96.0 GiB RAM, oMLX 0.3.8
        limit 79.2 GiB: what oMLX allows its models; what oMLX allows its process is 88.0 GiB, what the GPU
              may wire (declared) is 84.0 GiB
        numbers: size declared, shape by the catalogue

        baseline: fits
        █████████████████████████████████████████████▓▒░░··················································┃
        █ weights 36.0 GiB  ▓ drafts 952 MiB  ▒ caches 381 MiB  ░ scratch 2.0 GiB  · free 39.9 GiB
        headroom: load 42.3 GiB (the limit without weights and drafts), context 39.9 GiB (that without
                  caches and scratch), system not asked

        RESIDENT     WEIGHTS    DRAFT  KV+STATE  SCRATCH  CONTEXT  LARGEST
        moe-dflash  36.0 GiB  952 MiB   381 MiB  2.0 GiB    16384   262144

        ON DEMAND          TAKES  LOADS            CONTEXT  LARGEST  EVICTS
        moe-batched     37.8 GiB  yes, about 58 s    32768    15360  dense-thinking
        dense-thinking  28.3 GiB  yes, about 43 s    32768    45312  moe-batched
        embed-arctic     630 MiB  yes, about 1 s      8192        -  -
        alternate: moe-batched, dense-thinking do not fit together: 103.9 GiB of 79.2 GiB, with what else is
                   resident; one of them is always out. To load: moe-batched 36.0 GiB (about 58 s),
                   dense-thinking 27.0 GiB (about 43 s)

        window night: fits
        ██████████████████████████████████████████████████████████████████████████████▒▒▒▒░░░░░░░··········┃
        █ weights 63.0 GiB  ▒ caches 2.8 GiB  ░ scratch 6.0 GiB  · free 7.4 GiB
        headroom: load 16.2 GiB (the limit without weights and drafts), context 7.4 GiB (that without caches
                  and scratch), system not asked

        RESIDENT         WEIGHTS  DRAFT  KV+STATE  SCRATCH  CONTEXT  LARGEST
        moe-batched     36.0 GiB      -   701 MiB  4.0 GiB    32768    85248
        dense-thinking  27.0 GiB      -   2.1 GiB  6.0 GiB    32768    49152

        ON DEMAND        TAKES  LOADS           CONTEXT  LARGEST  EVICTS
        moe-dflash    37.8 GiB  no room           16384        -  -
        embed-arctic   630 MiB  yes, about 1 s     8192        -  -
        alternate: moe-dflash, moe-batched, dense-thinking do not fit together: 103.9 GiB of 79.2 GiB;
                   moe-dflash can load only in the place of moe-batched or dense-thinking. To load:
                   moe-dflash 36.9 GiB (about 59 s), moe-batched 36.0 GiB (about 58 s), dense-thinking
                   27.0 GiB (about 43 s)

        speculative-expectation: 245 tok/s is 97 % of the plain bound of 252 tok/s, which plain decoding
                    does not reach: it takes 5.0 accepted tokens a step at 49 steps/s

        mac-mini1  M4, 16.0 GiB RAM, oMLX 0.3.8
        limit 11.5 GiB: what oMLX allows its models; what oMLX allows its process is 12.8 GiB, what the GPU
              may wire (macOS's default, estimated) is 11.8 GiB
        numbers: size declared, shape by the catalogue

        baseline: fits
        ██████████████████▒░░░░░···········································································┃
        █ weights 2.2 GiB  ▒ caches 115 MiB  ░ scratch 512 MiB  · free 8.7 GiB
        headroom: load 9.3 GiB (the limit without weights and drafts), context 8.7 GiB (that without caches
                  and scratch), system not asked

        RESIDENT      WEIGHTS  DRAFT  KV+STATE  SCRATCH  CONTEXT  LARGEST
        extract-2b    1.6 GiB      -   115 MiB  512 MiB     8192   120576
        embed-arctic  600 MiB      -         -    8 MiB     8192        -

        unpublished-model: no model of the name of Qwen3.6-2B-MLX-4bit is published; it is taken for
                    Qwen3.5-2B
          help: capacity --measured reads the machine's own config.json

        TAKES is 1.05 × the weights, oMLX's own count, which decides what loads. CONTEXT and LARGEST are
        tokens: what is declared (or oMLX's default), and the most that one request can have while all else
        is at rest.
        "#);
    }

    #[test]
    fn a_narrow_terminal_is_not_overrun() {
        for width in [80, 100, 160] {
            let text = shown(&article(), &["mac-studio1", "mac-mini3", "mac-mini1"], width);
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{text}");
        }
    }
}
