//! The runs of each name: one discarded, then so many that count, alone and at once; the conditions before and after.

use std::time::Duration;

use tokio::task::JoinSet;

use super::request::Door;
use super::site::{Site, Sites};
use super::target::Target;
use crate::capacity::{self, DFLASH_BLOCK, Decode, Timing, bandwidth, runs_dflash, spread, together_tps, usual_share};
use crate::cli::BenchArgs;
use crate::command::Context;
use crate::command::slot_probe::Keys;
use crate::error::CommandError;
use crate::fleet::{Fleet, Profile, SlotKind, WeightsKind};
use crate::observe::PowerState;
use crate::omlx::api::{Status, parse};
use crate::secret::SecretString;
use crate::slot;
use crate::transport::{Got, JsonClient, PlainHttp};
use crate::ui::Waiting;
use crate::ui::json::{BenchEntry, BoundEntry, Conditions};

/// Looks at the server's counters until they hold what was asked; it books an answer after its last byte.
const LOOKS: u32 = 20;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The ways to the machines.
pub(super) struct Doors {
    pub(super) client: JsonClient,
    pub(super) probe: PlainHttp,
    pub(super) keys: Keys,
    pub(super) sites: Sites,
}

/// Measures everything, one name after the other: two at once would measure each other.
pub(super) async fn all(
    cx: &Context,
    args: &BenchArgs,
    fleet: &Fleet,
    targets: &[Target<'_>],
    doors: &Doors,
) -> Result<Vec<BenchEntry>, CommandError> {
    let names = targets.iter().map(|target| format!("{} on {}", target.served.name, target.machine.name)).collect();
    let mut waiting = Waiting::new(names, cx.ui.animates());
    let mut results = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let began = tokio::time::Instant::now();
        waiting.tell(&crate::transport::Event::Started(place), None);
        cx.ui.status(&format!("{} on {}", target.served.name, target.machine.name));
        let measuring = Measuring { cx, args, fleet, target, doors };
        let many = u32::from(args.concurrent);
        let at_once: Vec<u32> = if target.kind == WeightsKind::Embedding || many == 1 || measuring.dflash() {
            vec![1]
        } else {
            vec![1, many]
        };
        for concurrent in at_once {
            let entry = measuring.one(concurrent).await;
            let has_failed = entry.verdict == "failed";
            results.push(entry);
            if has_failed {
                break;
            }
        }
        waiting.tell(&crate::transport::Event::Finished(place, began.elapsed()), None);
    }
    waiting.finish();
    Ok(results)
}

struct Measuring<'a> {
    cx: &'a Context,
    args: &'a BenchArgs,
    fleet: &'a Fleet,
    target: &'a Target<'a>,
    doors: &'a Doors,
}

/// What the runs gave.
#[derive(Default)]
struct Runs {
    /// Of each run that counts, its answers.
    timings: Vec<Vec<Timing>>,
    /// Of each run that counts.
    vectors_per_second: Vec<f64>,
    dimensions: Option<u32>,
    requests: u64,
    tokens: u64,
}

impl Measuring<'_> {
    fn profile(&self) -> Option<&Profile> {
        self.fleet.profiles.get(&self.target.served.profile)
    }

    fn dflash(&self) -> bool {
        self.profile().is_some_and(runs_dflash)
    }

    fn key(&self) -> Option<&SecretString> {
        self.doors.keys.of(self.target.machine)
    }

    /// What the machine says of itself.
    fn site(&self) -> Option<&Site> {
        self.doors.sites.of(&self.target.machine.name)
    }

    async fn power(&self) -> PowerState {
        match self.site() {
            Some(site) => site.power().await,
            None => PowerState::default(),
        }
    }

    async fn one(&self, concurrent: u32) -> BenchEntry {
        let served = self.target.served;
        let base_url = slot::base_url(self.target.machine);
        let mut entry = BenchEntry {
            at: self.cx.clock.now().to_string(),
            slot: self.target.slot.map(|slot| slot.name.to_string()),
            served: served.name.to_string(),
            machine: self.target.machine.name.to_string(),
            model: served.model.to_string(),
            profile: served.profile.to_string(),
            kind: if self.target.kind == WeightsKind::Embedding { "embedding" } else { "chat" }.to_owned(),
            concurrent,
            runs: u32::from(self.args.runs),
            ttft: None,
            prefill_tps: None,
            decode_tps: None,
            vectors_per_second: None,
            dimensions: None,
            bound: None,
            conditions: Conditions {
                thinking: self.profile().and_then(|profile| profile.fields.get("enable_thinking")?.as_bool()),
                dflash: self.dflash(),
                base_url: base_url.clone(),
                ..Conditions::default()
            },
            verdict: "ok".to_owned(),
            detail: None,
        };
        if self.target.kind == WeightsKind::Reranker {
            return failed(entry, "a reranker answers neither tokens nor vectors".to_owned());
        }
        let before = match self.status(&base_url).await {
            Ok(status) => status,
            Err(why) => return failed(entry, why),
        };
        entry.conditions.release.clone_from(&before.version);
        entry.conditions.in_flight = before.active_requests.zip(before.waiting_requests).map(|(a, w)| a + w);
        let others = before.loaded_models.iter().filter(|name| served.name != name.as_str());
        entry.conditions.beside = Some(others.cloned().collect());
        if self.dflash() {
            entry.conditions.draft_revision = self.site().and_then(|site| site.draft_revision(self.fleet, served));
        }
        let power = self.power().await;
        entry.conditions.power_mode = power.mode.map(str::to_owned);
        entry.conditions.thermal_before = power.thermal.map(str::to_owned);
        let runs = match self.runs(concurrent, &base_url).await {
            Ok(runs) => runs,
            Err(why) => return failed(entry, why),
        };
        entry.conditions.thermal_after = self.power().await.thermal.map(str::to_owned);
        entry.conditions.requests = runs.requests;
        entry.conditions.tokens_in_all = runs.tokens;
        let after = self.settled(&base_url, &before, &runs).await;
        let counted = |of: fn(&Status) -> Option<u64>| Some(of(after.as_ref()?)?.saturating_sub(of(&before)?));
        entry.conditions.counted_requests = counted(|status| status.total_requests);
        entry.conditions.counted_tokens = counted(|status| status.total_completion_tokens);
        self.fill(&mut entry, &runs);
        entry
    }

    async fn status(&self, base_url: &str) -> Result<Status, String> {
        let root = base_url.strip_suffix("/v1").unwrap_or(base_url);
        match self.doors.probe.get(&format!("{root}{}", slot::STATUS), self.key()).await {
            Got::Answer { status: 200, body } => parse("GET /api/status", &body).map_err(|error| error.to_string()),
            Got::Answer { status, .. } => Err(format!("GET /api/status: HTTP {status}")),
            Got::NoConnection(why) | Got::NoAnswer(why) => Err(why),
        }
    }

    /// The counters once they hold every request of ours; the last look when they never do.
    async fn settled(&self, base_url: &str, before: &Status, runs: &Runs) -> Option<Status> {
        let wanted = before.total_requests?.saturating_add(runs.requests);
        let mut last = None;
        for _ in 0..LOOKS {
            last = self.status(base_url).await.ok();
            if last.as_ref().and_then(|status| status.total_requests) >= Some(wanted) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        last
    }

    async fn runs(&self, concurrent: u32, base_url: &str) -> Result<Runs, String> {
        let door = Door {
            client: self.doors.client.clone(),
            base_url: base_url.to_owned(),
            key: self.key().cloned(),
            model: self.target.served.name.to_string(),
            overlay: slot::overlay(self.fleet, self.target.served, SlotKind::Chat),
            words: self.args.words,
            tokens: self.args.tokens,
            vectors: usize::from(self.args.vectors),
        };
        let mut runs = Runs::default();
        for run in 0..=u32::from(self.args.runs) {
            // The first one may load the model, and warms what there is to warm.
            let counts = run > 0;
            if self.target.kind == WeightsKind::Embedding {
                let vectors = door.embed().await?;
                runs.requests += 1;
                runs.dimensions = u32::try_from(vectors.dimensions).ok();
                if counts {
                    runs.vectors_per_second.push(float(vectors.count as u64) / vectors.seconds.max(1e-9));
                }
                continue;
            }
            let timings = at_once(&door, concurrent).await?;
            runs.requests += u64::from(concurrent);
            runs.tokens += timings.iter().map(|timing| timing.tokens).sum::<u64>();
            if counts {
                runs.timings.push(timings);
            }
        }
        Ok(runs)
    }

    fn fill(&self, entry: &mut BenchEntry, runs: &Runs) {
        let all = || runs.timings.iter().flatten();
        entry.ttft = spread(all().map(|timing| timing.first)).map(Into::into);
        entry.prefill_tps = spread(all().filter_map(Timing::prefill_tps)).map(Into::into);
        let decoded = runs.timings.iter().filter_map(|run| match run.as_slice() {
            [alone] => alone.decode_tps(),
            many => together_tps(many),
        });
        entry.decode_tps = spread(decoded).map(Into::into);
        entry.vectors_per_second = spread(runs.vectors_per_second.iter().copied()).map(Into::into);
        entry.dimensions = runs.dimensions;
        let middle =
            |of: fn(&Timing) -> u64| spread(all().map(|timing| float(of(timing)))).map(|found| whole(found.median));
        entry.conditions.prompt_tokens = middle(|timing| timing.prompt_tokens);
        entry.conditions.tokens = middle(|timing| timing.tokens);
        entry.bound = self.bound(entry);
    }

    /// The bound that matches the profile; `None` where the chip or the shape is not known.
    fn bound(&self, entry: &BenchEntry) -> Option<BoundEntry> {
        let machine = self.target.machine;
        let measured = entry.decode_tps?.median;
        let speed = bandwidth(&machine.chip, machine.cores)?;
        let own = self.site().map(|site| &site.measured);
        let footprint = capacity::footprint(self.fleet, machine, self.target.served, own)?;
        let shape_by = Some(footprint.shape_by.as_str().to_owned());
        let geometry = footprint.geometry.as_ref()?;
        let decode = Decode {
            geometry,
            bits_per_weight: footprint.bits_per_weight?,
            kv: footprint.kv_format,
            context: entry.conditions.prompt_tokens.unwrap_or(0),
        };
        if self.dflash() {
            let steps = decode.speculative_steps(speed, DFLASH_BLOCK, float(footprint.draft_bytes.get()));
            let tps = steps * f64::from(DFLASH_BLOCK);
            let accepted = Some(measured / steps);
            return Some(BoundEntry {
                kind: "speculative".to_owned(),
                tps,
                share: measured / tps,
                accepted,
                usual: None,
                shape_by,
            });
        }
        let tps = decode.bound(speed, entry.concurrent);
        let usual = (entry.concurrent == 1).then(|| usual_share(geometry));
        Some(BoundEntry { kind: "plain".to_owned(), tps, share: measured / tps, accepted: None, usual, shape_by })
    }
}

/// So many answers at once.
async fn at_once(door: &Door, concurrent: u32) -> Result<Vec<Timing>, String> {
    let mut requests = JoinSet::new();
    for _ in 0..concurrent {
        let door = door.clone();
        requests.spawn(async move { door.chat().await });
    }
    requests.join_all().await.into_iter().collect()
}

fn failed(mut entry: BenchEntry, why: String) -> BenchEntry {
    "failed".clone_into(&mut entry.verdict);
    entry.detail = Some(why);
    entry
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes are far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a median of counts")]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}
