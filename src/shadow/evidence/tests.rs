//! The ladder's rules on made-up pairs of the example's calibration (looks at 100, 200 and 400).

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::fleet::{Rung, Shadow};
use crate::shadow::{Arm, Decision, DecisionKind, Easy, Failure, Judged, Measures, Pair, assess};
use crate::testing;

/// The latest pair's time, and now.
const NOW: i64 = 10_000_000;
const HOUR: i64 = 3_600;

fn shadow(rung: Rung) -> Shadow {
    let mut shadow = testing::example().shadows.get("job-score").expect("declared").clone();
    shadow.rung = rung;
    shadow
}

/// How a local answer comes out.
#[derive(Clone, Copy, PartialEq)]
enum Local {
    Right,
    Wrong,
    Fails,
}

/// So many pairs, one a minute until now, evenly over the tiers.
fn pairs(count: i64, local: impl Fn(i64) -> Local) -> Vec<Pair> {
    (0..count)
        .map(|i| {
            let tier = u8::try_from(i % 4).expect("small");
            let score = 90.0 - 25.0 * f64::from(tier);
            let judged = |tier: u8, score: f64| Ok(Judged { score, tier });
            let said = match local(i) {
                Local::Right => judged(tier, score + f64::from(u8::try_from(i % 3).expect("small"))),
                Local::Wrong => judged(if tier == 0 { 1 } else { tier - 1 }, score + 9.0),
                Local::Fails => Err(Failure::NotJson),
            };
            Pair {
                at: NOW - (count - 1 - i) * 60,
                reference: Arm { said: judged(tier, score), seconds: Some(2.0) },
                local: Arm { said, seconds: Some(8.0) },
            }
        })
        .collect()
}

fn decision(kind: DecisionKind, from: Rung, to: Rung, hours_ago: i64) -> Decision {
    Decision {
        at: Timestamp::from_second(NOW - hours_ago * HOUR).expect("a time"),
        kind,
        from,
        to,
        by: "someone".into(),
        fingerprint: "f".into(),
        pairs: 0,
        evidence: serde_json::Value::Null,
    }
}

/// What is missing on a rung for the next.
fn missing(rung: Rung, pairs: &[Pair], decisions: &[Decision]) -> Vec<String> {
    let shadow = shadow(rung);
    let measures = Measures::of(pairs, 4, &[]);
    let evidence = Evidence {
        shadow: &shadow,
        pairs,
        measures: &measures,
        assessment: &assess(&measures, &shadow.require),
        easy: &Easy::of(pairs, &[0, 3], 4),
        looks: &take_looks(pairs, &shadow),
        decisions,
        now: Timestamp::from_second(NOW).expect("a time"),
    };
    next_rung(&evidence).expect("a rung above").missing
}

fn all_right(_: i64) -> Local {
    Local::Right
}

#[test]
fn a_look_is_planned_and_never_changes_its_answer() {
    let shadow = shadow(Rung::Shadow);
    let all = pairs(640, |i| if i % 37 == 0 { Local::Wrong } else { Local::Right });
    let few = take_looks(&all[..99], &shadow);
    assert_eq!((few.taken, few.next), (vec![], Some(NextLook { pairs: 100, more: 1 })));
    let mut before: Vec<TakenLook> = Vec::new();
    for count in [100, 199, 200, 201, 399, 400, 640] {
        let looks = take_looks(&all[..count], &shadow);
        let admitting: Vec<TakenLook> = looks.taken.iter().filter(|look| look.admits).cloned().collect();
        assert_eq!(before, admitting[..before.len()], "{count} pairs: nobody gains by looking again");
        before = admitting;
    }
    assert_eq!(before.iter().map(|look| look.look.pairs).collect::<Vec<_>>(), [100, 200, 400]);
    let later = take_looks(&all, &shadow);
    let confirming: Vec<(usize, usize)> =
        later.taken.iter().filter(|look| !look.admits).map(|look| (look.look.number, look.look.pairs)).collect();
    assert_eq!((confirming, later.next), (vec![(4, 500), (5, 600)], Some(NextLook { pairs: 700, more: 60 })));
    assert_eq!(take_looks(&all[..400], &shadow).next, Some(NextLook { pairs: 500, more: 100 }));
}

#[test]
fn a_look_holds_every_requirement_to_its_own_error() {
    let shadow = shadow(Rung::Shadow);
    let third = |local: &dyn Fn(i64) -> Local| take_looks(&pairs(400, local), &shadow).taken.remove(2);
    assert!(third(&all_right).passed);
    assert!(third(&|i| if i % 16 == 1 && i < 400 { Local::Wrong } else { Local::Right }).passed, "375 of 400");
    assert_eq!(
        third(&|i| if i % 14 == 1 { Local::Wrong } else { Local::Right }).missing,
        ["371 of 400 agree, needed are 373"]
    );
    assert_eq!(third(&|i| if i < 3 { Local::Fails } else { Local::Right }).missing, ["3 failed, allowed are 2"]);
    // p95: at an error of .0190 of 400 latencies at most 11 may be over the limit; 19, 4.75 %, are no proof.
    let slow = |count: usize| {
        let mut pairs = pairs(400, all_right);
        for pair in pairs.iter_mut().take(count) {
            pair.local.seconds = Some(31.0);
        }
        take_looks(&pairs, &shadow).taken.remove(2).missing
    };
    assert_eq!(slow(10), Vec::<String>::new());
    assert_eq!(slow(19), ["p95 is at most 31.0 s, needed is 30 s"]);
    // One pair far away from a cloud without correlation: Fisher believes in it, the bootstrap does not.
    let mut lever = pairs(400, all_right);
    for (i, pair) in lever.iter_mut().enumerate() {
        let score = |step: usize| crate::shadow::statistics::float((i * step) % 7);
        pair.reference.said = Ok(Judged { score: score(3), tier: 0 });
        pair.local.said = Ok(Judged { score: score(5), tier: 0 });
    }
    let far = Ok(Judged { score: 900.0, tier: 0 });
    (lever[9].reference.said, lever[9].local.said) = (far, far);
    let said = take_looks(&lever, &shadow).taken.remove(2).missing;
    assert!(said.len() == 1 && said[0].contains("its bootstrap's lower end"), "{said:?}");
}

#[test]
fn the_first_rung_asks_for_a_passed_look() {
    assert_eq!(missing(Rung::Shadow, &pairs(400, all_right), &[]), Vec::<String>::new());
    let early = missing(Rung::Shadow, &pairs(99, all_right), &[]);
    assert_eq!(early[0], "99 pairs, the first look is at 100");
    let between = missing(Rung::Shadow, &pairs(250, all_right), &[]);
    assert_eq!(
        between,
        [
            "look 2 at 200 pairs (error 0.0131): 200 pairs cannot prove a failure rate of 0.02, even without a failure",
            "the next look is at 400 pairs, 150 more"
        ]
    );
    // It fails all three and is perfect afterwards: it is too late.
    let late =
        missing(Rung::Shadow, &pairs(4_000, |i| if i < 400 && i % 5 == 0 { Local::Wrong } else { Local::Right }), &[]);
    assert!(late.iter().any(|one| one == "all planned looks are spent: change the candidate"), "{late:?}");
}

#[test]
fn a_best_called_last_stops_it() {
    let mut all = pairs(400, all_right);
    all[40].local.said = Ok(Judged { score: 1.0, tier: 3 });
    let said = missing(Rung::Shadow, &all, &[]);
    assert_eq!(said, ["1 of 100 Strong were called No; none may be"]);
}

#[test]
fn a_rung_stands_for_a_day_and_sixty_pairs() {
    let all = pairs(400, all_right);
    let since = |hours| [decision(DecisionKind::Promoted, Rung::Shadow, Rung::Easy5, hours)];
    assert_eq!(missing(Rung::Easy5, &all, &since(24)), Vec::<String>::new());
    assert_eq!(missing(Rung::Easy5, &all, &since(23)), ["23 h on rung easy-5, needed are 24"]);
    // A pair a minute: the last hour holds 60, and the one of the decision's own second counts on neither side.
    assert_eq!(
        missing(Rung::Easy5, &all, &since(0)),
        ["0 h on rung easy-5, needed are 24", "0 pairs since then, needed are 60"]
    );
    let by_hand = missing(Rung::Easy25, &all, &since(48));
    assert!(by_hand[0].starts_with("nothing is recorded of how it came to rung easy-25"), "{by_hand:?}");
}

#[test]
fn the_rung_all_asks_for_two_looks_in_a_row() {
    let stood = [decision(DecisionKind::Promoted, Rung::Easy, Rung::Medium, 25)];
    // At 400 only the third look can prove the failure rate: the fourth confirms it.
    let said = missing(Rung::Medium, &pairs(499, all_right), &stood);
    assert!(said.iter().all(|one| one.starts_with("two looks in a row must pass; look 2 did not")), "{said:?}");
    assert!(!said.is_empty());
    assert_eq!(missing(Rung::Medium, &pairs(500, all_right), &stood), Vec::<String>::new());
    // The latest 400 turned: the whole still passes by its points, the confirming look does not.
    let turned = missing(
        Rung::Medium,
        &pairs(2_000, |i| if i > 1_600 && i % 9 == 0 { Local::Wrong } else { Local::Right }),
        &stood,
    );
    assert!(turned.iter().any(|one| one.contains("look 19 did not")), "{turned:?}");
}

#[test]
fn steady_takes_two_weeks() {
    let stood = |hours| [decision(DecisionKind::Promoted, Rung::Medium, Rung::All, hours)];
    let all = pairs(500, all_right);
    assert_eq!(missing(Rung::All, &all, &stood(14 * 24)), Vec::<String>::new());
    assert_eq!(missing(Rung::All, &all, &stood(14 * 24 - 1)), ["13 days on rung all, needed are 14"]);
    let old: Vec<Pair> = all.iter().map(|pair| Pair { at: pair.at - 8 * 24 * HOUR, ..*pair }).collect();
    assert_eq!(missing(Rung::All, &old, &stood(15 * 24)), ["0 pairs in the last 7 days, needed are 60"]);
}

#[test]
fn cool_downs_double_and_the_second_needs_a_person() {
    use DecisionKind::{Guarded, Halted, Rearmed, Restarted, Resumed};
    let of = |decisions: &[Decision]| Standing::of(decisions);
    let at = |kind, hours| decision(kind, Rung::Easy, Rung::Easy25, hours);
    let first = at(Guarded, 30);
    assert_eq!(of(std::slice::from_ref(&first)).cools_until, first.at.checked_add(SignedDuration::from_hours(24)).ok());
    let second = at(Guarded, 3);
    let twice = of(&[first.clone(), second.clone()]);
    assert_eq!(
        (twice.needs_rearm, twice.cools_until),
        (true, second.at.checked_add(SignedDuration::from_hours(48)).ok())
    );
    assert_eq!(of(&[first.clone(), second.clone(), at(Rearmed, 1)]), Standing::default());
    assert!(of(&[at(Halted, 2)]).halted && !of(&[at(Halted, 2), at(Resumed, 1)]).halted);
    assert_eq!(
        of(&[at(Restarted, 3), at(Restarted, 2)]),
        Standing::default(),
        "another experiment is no fault of this one"
    );

    let all = pairs(400, all_right);
    let said = missing(Rung::Easy25, &all, &[first, second, at(Halted, 1)]).join("\n");
    for what in ["it is halted", "it was demoted twice", "it cools down after a demotion until 1970-04-"] {
        assert!(said.contains(what), "{said}");
    }
}

#[test]
fn what_was_seen_before_a_demotion_admits_to_nothing() {
    let decisions = [
        decision(DecisionKind::Guarded, Rung::Easy5, Rung::Shadow, 2),
        decision(DecisionKind::Looked, Rung::Shadow, Rung::Shadow, 1),
    ];
    let since = last_demotion(&decisions, "f");
    assert_eq!(since, Some(decisions[0].at));
    assert_eq!(last_demotion(&decisions, "g"), None, "another experiment keeps its pairs");
    let fresh = pairs_since(pairs(400, all_right), since);
    assert_eq!(fresh.len(), 120);
    assert_eq!(pairs_since(pairs(400, all_right), None).len(), 400);
}
