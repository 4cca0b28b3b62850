//! The reconciler's idea of what is resident, and of the gateway's routes, is fleetctl's own, at every instant.

use std::fmt::Write as _;

use fleetctl::fleet::{Fleet, Machine};
use fleetctl::{config, render, schedule, slot};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Host, golden, shells, told};

/// A small generator: the same cases in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % end
    }
}

/// A fleet of one machine and its gateway with up to five windows, no two of which start together; half of them rebind a slot.
fn fleet(zone: &str, random: &mut Random) -> Fleet {
    let mut text = format!(
        "schema = 1\n[fleet]\nname = \"t\"\ntimezone = \"{zone}\"\ntailnet = \"t.ts.net\"\nuser = \"ops\"\n\
         [omlx]\nversion = \"0.3.8\"\nprogram = \"/opt/homebrew/bin/omlx\"\nbind = \"all\"\nport = 8000\n\
         api_key = {{ env = \"K\" }}\n[machines.m]\nchip = \"M4\"\nmemory = \"64GB\"\n\
         [models.w]\ndirectory = \"w\"\nsize = \"1GB\"\nkind = \"llm\"\n[profiles.p]\n"
    );
    for name in ["A.1", "b", "c-2"] {
        let resident = random.below(2) == 0;
        writeln!(text, "[serve.\"{name}\"]\nmodel = \"w\"\nprofile = \"p\"\non = [\"m\"]\nresident = {resident}")
            .expect("text");
    }
    text.push_str(
        "[slots.s]\nroute = [\"A.1\"]\n[slots.t]\nroute = [\"b\"]\n[gateway]\nengine = \"litellm\"\non = [\"m\"]\n\
         program = \"/opt/homebrew/bin/litellm\"\nbind = \"loopback\"\nport = 4000\napi_key = { env = \"G\" }\n",
    );
    let mut starts: Vec<u64> = Vec::new();
    for number in 0..=random.below(5) {
        // Half of the edges lie in the hours in which clocks are changed.
        let edge =
            |random: &mut Random| if random.below(2) == 0 { random.below(1_440) } else { 45 + random.below(150) };
        let (start, end) = (edge(random), edge(random));
        if start == end || starts.contains(&start) {
            continue;
        }
        starts.push(start);
        let time = |minute: u64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let days: Vec<String> = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
            .iter()
            .filter(|_| random.below(3) > 0)
            .map(|day| format!("\"{day}\""))
            .collect();
        let days = if days.is_empty() { "\"daily\"".to_owned() } else { format!("[{}]", days.join(", ")) };
        let resident: Vec<&str> =
            ["\"A.1\"", "\"b\"", "\"c-2\""].into_iter().filter(|_| random.below(2) == 0).collect();
        writeln!(
            text,
            "[schedules.w{number}]\non = [\"m\"]\nwindow = \"{}-{}\"\ndays = {days}\nresident = [{}]",
            time(start),
            time(end),
            resident.join(", ")
        )
        .expect("text");
        if random.below(2) == 0 {
            let slot = ["s", "t"][usize::from(random.below(2) == 0)];
            writeln!(text, "[schedules.w{number}.slots]\n{slot} = {{ route = [\"c-2\"] }}").expect("text");
        }
    }
    if starts.is_empty() {
        text.push_str("[schedules.w9]\non = [\"m\"]\nwindow = \"01:00-02:00\"\ndays = \"daily\"\nresident = [\"b\"]\n");
    }
    let loaded = config::load("fleet.toml", &text);
    loaded.fleet.unwrap_or_else(|| panic!("{text}\n{:?}", loaded.problems))
}

/// Instants of the year from 2026-11, a third of them around a change of the zone's clock.
fn instants(zone: &str, count: usize, random: &mut Random) -> Vec<i64> {
    let start = "2026-10-20T00:00:00Z".parse::<Timestamp>().expect("an instant");
    let zone = TimeZone::get(zone).expect("a zone");
    let jumps: Vec<i64> = zone.following(start).take(2).map(|jump| jump.timestamp().as_second()).collect();
    (0..count)
        .map(|_| {
            let anywhere = i64::try_from(random.below(366 * 86_400)).expect("small");
            match (random.below(3), jumps.as_slice()) {
                (0, [one, other]) => (if random.below(2) == 0 { one } else { other }) - 7_200 + anywhere % 18_000,
                _ => start.as_second() + anywhere,
            }
        })
        .collect()
}

fn wanted(fleet: &Fleet, machine: &Machine, second: i64) -> String {
    let state = schedule::state_at(fleet, machine, Timestamp::from_second(second).expect("in range"));
    let mut line = state.window.map_or("-".to_owned(), |window| window.name.to_string());
    for served in state.resident {
        line.push(' ');
        line.push_str(served.name.as_str());
    }
    line
}

/// What the script says of each instant, a line each.
fn said(host: &Host, shell: &[&str], script: &str, question: &str, seconds: &[i64]) -> Vec<String> {
    let numbers: Vec<String> = seconds.iter().map(i64::to_string).collect();
    let arguments: Vec<&str> = std::iter::once(question).chain(numbers.iter().map(String::as_str)).collect();
    let output = host.run(shell, script, &arguments);
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), seconds.len(), "{}", told(&output));
    lines
}

/// 40 fleets at 85 instants: with three zones more than 10,000 pairs; the gateway's state at the first 20 of each.
fn agree(zone: &str, seed: u64) {
    let mut random = Random(seed);
    let host = Host::at(0);
    // GNU's date instead of BSD's, called without a detour: the clock is not asked here.
    let script = golden("mac-studio1", "schedule").replace("/bin/date -r \"$2\"", "/usr/bin/date -d \"@$2\"");
    let shells = shells();
    for round in 0..40 {
        let fleet = fleet(zone, &mut random);
        let machine = fleet.machines.get("m").expect("declared");
        let bundle = render::bundle(&fleet, machine);
        let entry = bundle.entry("/usr/local/var/fleetctl/schedule/table.json").expect("a table");
        let render::Content::Whole(table) = &entry.content else { panic!("a file of ours") };
        std::fs::write(host.path("state/schedule/table.json"), table.shown()).expect("written");
        let seconds = instants(zone, 85, &mut random);
        let shell = &shells[round % shells.len()];
        let shown = table.shown();
        let at = |second: i64| Timestamp::from_second(second).expect("in range");
        for (second, line) in seconds.iter().zip(said(&host, shell, &script, "--wanted", &seconds)) {
            let expected = wanted(&fleet, machine, *second);
            assert_eq!(line, expected, "round {round}, {} in {zone}\n{shown}", at(*second));
        }
        for (second, line) in seconds.iter().zip(said(&host, shell, &script, "--gateway", &seconds[..20])) {
            let expected = slot::gateway::state_of(&fleet, at(*second)).key;
            assert_eq!(line, expected, "round {round}, {} in {zone}\n{shown}", at(*second));
        }
    }
}

#[test]
fn in_new_york() {
    agree("America/New_York", 1);
}

#[test]
fn in_berlin() {
    agree("Europe/Berlin", 2);
}

#[test]
fn on_lord_howe_where_the_clock_turns_by_half_an_hour() {
    agree("Australia/Lord_Howe", 3);
}
