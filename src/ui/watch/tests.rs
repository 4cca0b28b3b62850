//! Whole screens at the two sizes that operators have, as they are without colour.

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Watch, Wish};
use crate::testing;
use crate::ui::Commands;
use crate::ui::status::fixture;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (160, 50);

fn now() -> Timestamp {
    Timestamp::from_second(fixture::NOW).expect("a time")
}

fn asked() -> Watch {
    let names: Vec<String> = fixture::document().machines.iter().map(|machine| machine.name.clone()).collect();
    Watch::new(&testing::example(), &names, Commands::default(), false)
}

/// Every machine has answered: the first twice, so that it has a rate; the last one a while ago, and then no more.
fn watch() -> Watch {
    let mut watch = asked();
    let document = fixture::document();
    let ago = |seconds: i64| Timestamp::from_second(fixture::NOW - seconds).expect("a time");
    for (place, machine) in document.machines.into_iter().enumerate() {
        if place == 0 {
            let mut before = machine.clone();
            before.work.completion_tokens = before.work.completion_tokens.map(|tokens| tokens - 500);
            watch.answer(place, before, ago(7));
        }
        if place == 3 {
            let mut before = machine.clone();
            before.reach.path = Some("tailnet");
            watch.answer(place, before, ago(75));
        }
        watch.answer(place, machine, ago(2));
    }
    watch.follow_fleet(document.slots, document.jobs, document.transitions);
    watch
}

fn screen(watch: &Watch, (width, height): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| watch.draw(frame, now())).expect("drawn");
    let buffer = terminal.backend().buffer().clone();
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

fn press(watch: &mut Watch, keys: &[KeyCode]) -> Wish {
    let mut wish = Wish::Nothing;
    for key in keys {
        wish = watch.press(KeyEvent::new(*key, KeyModifiers::NONE));
    }
    wish
}

#[test]
fn before_anybody_has_answered() {
    insta::assert_snapshot!(screen(&asked(), SMALL), @r"
    home  Mon 23 Nov 12:00:00
    asking 4 of 4 machines

       MACHINE     AGE OMLX      LOAD        CONTEXT     SYSTEM       RUN WAIT TOK/S
    ▸  mac-studio1   - asking                                           -    -     -
       mac-mini3     - asking                                           -    -     -
       mac-mini1     - asking                                           -    -     -
       mac-mini2     - asking                                           -    -     -















    enter open  l log  s sort: file  / filter  r ask now  ? help  q quit
    ");
}

#[test]
fn the_fleet_on_a_small_screen() {
    insta::assert_snapshot!(screen(&watch(), SMALL), @r"
    home  Mon 23 Nov 12:00:00
    4 machines: 1 with errors, 1 with warnings, 2 well
    3 slots: 1 ok, 1 degraded, 1 down
    next: fleetctl doctor mac-mini2
    ✖ mac-mini2: cannot connect to mac-mini2.lab.ts.net port 22 as ops: connection …
    ▲ mac-mini3: macOS is under memory pressure (memory-pressure)
    … and 2 more alerts: sort by trouble, open a machine

       MACHINE     AGE OMLX      LOAD        CONTEXT     SYSTEM       RUN WAIT TOK/S
    ▸  mac-studio1  2s running   ███░░ 42.0G ██░░░ 30.0G █░░░░ 12.0G    3    1   100
        moe-batched 19.0 GiB used 4s ago · moe-dflash 17.0 GiB used 13m ago
     ▲ mac-mini3    2s running   █░░░░  3.0G ░░░░░ -5.0G █░░░░  9.0G    0    0     -
        dense-librarian 28.0 GiB used 2h ago · embed-fast 1.0 GiB used 1d ago
       mac-mini1    2s running   ████░  9.0G ████░  8.0G ██░░░  5.0G    0    0     -
        extract-2b 2.0 GiB used 1m ago
     ✖ mac-mini2    1m unreachable                                      -    -     -
        cannot connect to mac-mini2.lab.ts.net port 22 as ops: connection refused


    ✖ embed-fast        nowhere
    ▲ extract-fast      extract-2b on mac-mini1
    ✓ chat-interactive  moe-dflash on mac-studio1
    coming: Mon 23 Nov 22:00 mac-studio1 · loads dense-synth · unloads moe-dflash, …
    enter open  l log  s sort: file  / filter  r ask now  ? help  q quit
    ");
}

#[test]
fn the_fleet_on_a_large_screen() {
    insta::assert_snapshot!(screen(&watch(), LARGE), @r#"
    home  Mon 23 Nov 12:00:00
    4 machines: 1 with errors, 1 with warnings, 2 well; 3 slots: 1 ok, 1 degraded, 1 down
    next: fleetctl doctor mac-mini2
    ✖ mac-mini2: cannot connect to mac-mini2.lab.ts.net port 22 as ops: connection refused (unreachable)
    ▲ mac-mini3: macOS is under memory pressure (memory-pressure)
    ▲ mac-mini3: 2 changes to what the file says: fleetctl plan --on mac-mini3 (drifted)
    · mac-mini1: serves what the file does not declare: <script>\u{1b}[2J"\ (undeclared-name)

       MACHINE     AGE OMLX                 LOAD                   CONTEXT                SYSTEM                  RUN WAIT TOK/S
    ▸  mac-studio1  2s running 0.3.8        █████████░░░░░░░ 42.0G ██████░░░░░░░░░░ 30.0G ██░░░░░░░░░░░░░░ 12.0G    3    1   100
        moe-batched 19.0 GiB used 4s ago · moe-dflash 17.0 GiB used 13m ago
     ▲ mac-mini3    2s running 0.3.8        █░░░░░░░░░░░░░░░  3.0G ░░░░░░░░░░░░░░░░ -5.0G ██░░░░░░░░░░░░░░  9.0G    0    0     -
        dense-librarian 28.0 GiB used 2h ago · embed-fast 1.0 GiB used 1d ago
       mac-mini1    2s running 0.3.8        █████████████░░░  9.0G ████████████░░░░  8.0G █████░░░░░░░░░░░  5.0G    0    0     -
        extract-2b 2.0 GiB used 1m ago
     ✖ mac-mini2    1m unreachable                                                                                  -    -     -
        cannot connect to mac-mini2.lab.ts.net port 22 as ops: connection refused






























    ✖ embed-fast        nowhere                          ▲ extract-fast      extract-2b on mac-mini1          ✓ chat-interactive  moe-dflash on mac-studio1
    coming: Mon 23 Nov 22:00 mac-studio1 · loads dense-synth · unloads moe-dflash, moe-batched
    enter open  l log  s sort: file  / filter  r ask now  ? help  q quit
    "#);
}

#[test]
fn a_machine_opened() {
    let mut watch = watch();
    press(&mut watch, &[KeyCode::Down, KeyCode::Enter]);
    insta::assert_snapshot!(screen(&watch, LARGE), @r"
    mac-mini3  seen 2s ago
    oMLX running 0.3.8, by tailnet, up 3 d 2 h, 2 restarts, macOS 15.6.1, tier medium, generation 4, drift: 2
    0 running, 0 waiting

    ALERTS
    ▲ macOS is under memory pressure (memory-pressure)
    ▲ 2 changes to what the file says: fleetctl plan --on mac-mini3 (drifted)

    NAMES
      dense-librarian  loaded        28.0 GiB  used 2h ago   a-model, a-profile
      embed-fast       loaded         1.0 GiB  used 1d ago   a-model, a-profile

    MEMORY
      models    █████████████████░░░ 40.0/48.0 GiB used
      to load   █░░░░░░░░░░░░░░░░░░░ 3.0 GiB free
      context   ░░░░░░░░░░░░░░░░░░░░ 5.0 GiB missing
      system    ███░░░░░░░░░░░░░░░░░ 9.0 GiB free
      64.0 GiB in the machine, GPU limit 48.0 GiB (estimated), swap 0 B, pressure warn































    ↑↓ scroll  l log  r ask now  esc back
    ");
    assert!(screen(&watch, SMALL).contains("mac-mini3"));
    press(&mut watch, &[KeyCode::Char(' '), KeyCode::PageDown, KeyCode::End]);
    assert!(!screen(&watch, SMALL).is_empty());
}

#[test]
fn the_help() {
    let mut watch = watch();
    press(&mut watch, &[KeyCode::Char('?')]);
    insta::assert_snapshot!(screen(&watch, SMALL), @r"
    home  Mon 23 Nov 12:00:00
    4 machines: 1 with errors, 1 with warnings, 2 well
    3 slots: 1 ok, 1 degraded, 1 down
    next: ┌ keys ────────────────────────────────────────────────────────────┐
    ✖ mac-│↑ ↓ k j        choose a machine, or scroll                        │tion …
    ▲ mac-│enter          open it: alerts, names, memory, slots, jobs        │
    … and │l              follow the log of its oMLX                         │
          │s              sort: file, trouble, room, requests                │
       MAC│/              filter by machine, tier, state or served name      │ TOK/S
    ▸  mac│r              ask all machines now                               │   100
        mo│esc            back; in the list, forget the filter               │
     ▲ mac│q              leave                                              │     -
        de│                                                                  │
       mac│AGE            since the machine's last answer                    │     -
        ex│LOAD           room for another model; CONTEXT for the residents' │
     ✖ mac│               contexts; SYSTEM for macOS. The bar is what is free│     -
        ca│TOK/S          tokens written between the last two answers        │sed
          │                                                                  │
          │✖ error  ▲ warning  · note                                        │
    ✖ embe└──────────────────────────────────────────────────────────────────┘
    ▲ extract-fast      extract-2b on mac-mini1
    ✓ chat-interactive  moe-dflash on mac-studio1
    coming: Mon 23 Nov 22:00 mac-studio1 · loads dense-synth · unloads moe-dflash, …
    esc back
    ");
    press(&mut watch, &[KeyCode::Esc]);
    assert!(!screen(&watch, SMALL).contains("keys"));
}

#[test]
fn sorting_and_filtering() {
    let order = |watch: &Watch| {
        let screen = screen(watch, LARGE);
        let heading = screen.lines().position(|line| line.contains("MACHINE")).expect("a list");
        let known = ["mac-studio1", "mac-mini3", "mac-mini1", "mac-mini2"];
        let words = screen.lines().skip(heading).flat_map(str::split_whitespace);
        words.filter(|word| known.contains(word)).take(4).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut watch = watch();
    press(&mut watch, &[KeyCode::Char('s')]);
    assert_eq!(order(&watch)[..2], ["mac-mini2", "mac-mini3"], "trouble");
    press(&mut watch, &[KeyCode::Char('s')]);
    assert_eq!(order(&watch)[..2], ["mac-mini3", "mac-mini1"], "room");
    press(&mut watch, &[KeyCode::Char('s')]);
    assert_eq!(order(&watch)[0], "mac-studio1", "requests");
    press(&mut watch, &[KeyCode::Char('/'), KeyCode::Char('e'), KeyCode::Char('D'), KeyCode::Char('G')]);
    assert!(screen(&watch, SMALL).contains("/eDG▏"));
    press(&mut watch, &[KeyCode::Enter]);
    assert_eq!(order(&watch)[..2], ["mac-mini1", "mac-mini2"], "of the tier edge");
    assert!(!screen(&watch, SMALL).contains(" mac-studio1    2s"));
    press(&mut watch, &[KeyCode::Char('/'), KeyCode::Char('z'), KeyCode::Char('z'), KeyCode::Enter]);
    assert!(screen(&watch, SMALL).contains("no machine matches"));
    assert_eq!(press(&mut watch, &[KeyCode::Char('l')]), Wish::Nothing, "nothing is chosen");
    press(&mut watch, &[KeyCode::Esc]);
    assert_eq!(order(&watch)[..2], ["mac-studio1", "mac-mini3"], "the filter is forgotten, the order stays");
}

#[test]
fn a_log_is_followed_until_it_is_left() {
    let mut watch = watch();
    assert_eq!(press(&mut watch, &[KeyCode::Char('l')]), Wish::Follow("mac-studio1".to_owned()));
    for line in 0..50 {
        watch.log_line(&format!("line {line} \u{1b}[2J"));
    }
    let shown = screen(&watch, SMALL);
    assert!(shown.contains("line 49 \\u{1b}[2J") && !shown.contains("line 5 "), "{shown}");
    press(&mut watch, &[KeyCode::PageUp]);
    watch.log_line("line 50");
    assert!(!screen(&watch, SMALL).contains("line 4 9") && screen(&watch, SMALL).contains("line 39 "));
    press(&mut watch, &[KeyCode::End]);
    watch.log_line(&format!("a long one {} and its end", "x".repeat(150)));
    let shown = screen(&watch, SMALL);
    assert!(
        shown.contains("a long one") && shown.contains("and its end"),
        "of a log every character is shown: {shown}"
    );
    watch.log_ended("mac-studio1: the connection was cut".to_owned());
    assert!(screen(&watch, SMALL).contains("the connection was cut"));
    assert_eq!(press(&mut watch, &[KeyCode::Esc]), Wish::Unfollow);
}

#[test]
fn the_age_is_that_of_the_last_answer() {
    let mut watch = watch();
    let mut silent = fixture::document().machines.remove(3);
    assert_eq!(silent.reach.path, None, "it did not answer");
    silent.name = "mac-studio1".to_owned();
    let answered = watch.rows[0].seen;
    watch.answer(0, silent, now());
    assert_eq!(watch.rows[0].seen, answered);
}

#[test]
fn ways_out() {
    let mut watch = watch();
    assert_eq!(press(&mut watch, &[KeyCode::Char('r')]), Wish::AskNow);
    assert_eq!(press(&mut watch, &[KeyCode::Char('q')]), Wish::Leave);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut watch, &[KeyCode::Char('/')]);
    assert_eq!(watch.press(interrupt), Wish::Interrupt, "also while typing");
}

#[test]
fn no_screen_is_too_small_and_no_list_too_long() {
    let fleet = testing::example();
    let names: Vec<String> = (0..300).map(|place| format!("mac-{place}")).collect();
    let mut watch = Watch::new(&fleet, &names, Commands::default(), true);
    for (place, name) in names.iter().enumerate() {
        let mut machine = fixture::document().machines.remove(place % 4);
        machine.name.clone_from(name);
        watch.answer(place, machine, now());
    }
    press(&mut watch, &[KeyCode::End]);
    assert!(screen(&watch, SMALL).contains("mac-299"), "{}", screen(&watch, SMALL));
    for size in [(1, 1), (2, 5), (10, 3), (20, 8), (40, 12), (500, 4)] {
        for key in [KeyCode::Char('?'), KeyCode::Esc, KeyCode::Enter, KeyCode::Char('l'), KeyCode::Esc, KeyCode::Esc] {
            press(&mut watch, &[key]);
            screen(&watch, size);
        }
    }
}
