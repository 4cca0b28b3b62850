//! Random models and fleets against an independent computation: no function of the product is used for the expected numbers.

use fleetctl::capacity::{Decode, Measured, MeasuredWeights, WeightsState, assess};
use fleetctl::fleet::{Bytes, WeightsName};
use proptest::prelude::*;

const GIB: u128 = 1 << 30;

#[derive(Clone, Debug)]
struct Model {
    bytes: u64,
    layers: u64,
    /// Every n-th layer attends to all; the others are linear (false) or sliding (true).
    interval: Option<(u64, bool)>,
    hidden: u64,
    heads: u64,
    kv_heads: u64,
    head_dim: u64,
    linear: (u64, u64, u64, u64),
    native: u64,
    /// Experts a layer, experts a token, width of one, width of the shared part.
    experts: Option<(u64, u64, u64, u64)>,
    vocabulary: u64,
}

#[derive(Clone, Debug)]
struct Name {
    model: usize,
    context: Option<u64>,
    concurrency: u64,
    turboquant: Option<f64>,
    draft: Option<u64>,
    resident: bool,
    resident_in_window: bool,
}

#[derive(Clone, Debug)]
struct Case {
    ram: u64,
    gpu_limit: Option<u64>,
    process: Option<u64>,
    models: Vec<Model>,
    names: Vec<Name>,
}

fn model() -> impl Strategy<Value = Model> {
    (
        // Thousandths of the machine's RAM: everything happens near the limit.
        10_u64..480,
        1_u64..80,
        prop::option::of((1_u64..6, any::<bool>())),
        prop::sample::select(vec![64_u64, 1024, 2048, 5120]),
        prop::sample::select(vec![(8_u64, 2_u64), (16, 16), (24, 4), (32, 1)]),
        prop::sample::select(vec![64_u64, 128, 192, 256]),
        (1_u64..20, 1_u64..50, prop::sample::select(vec![64_u64, 128]), 1_u64..6),
        prop::sample::select(vec![4096_u64, 20_480, 131_072, 262_144]),
        prop::option::of((8_u64..300, 1_u64..9, 64_u64..1024, 1_u64..600)),
        1000_u64..300_000,
    )
        .prop_map(
            |(share, layers, interval, hidden, (heads, kv_heads), head_dim, linear, native, experts, vocabulary)| {
                Model {
                    bytes: share,
                    layers,
                    interval,
                    hidden,
                    heads,
                    kv_heads,
                    head_dim,
                    linear,
                    native,
                    experts,
                    vocabulary,
                }
            },
        )
}

fn case() -> impl Strategy<Value = Case> {
    let name = (
        0_usize..3,
        prop::option::of(1_u64..200_000),
        1_u64..4,
        prop::option::of(prop::sample::select(vec![2.0, 2.5, 3.0, 4.0, 8.0])),
        prop::option::of(100_u64..4000),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.3),
    )
        .prop_map(|(model, context, concurrency, turboquant, draft, resident, resident_in_window)| Name {
            model,
            context,
            concurrency,
            // DFlash and TurboQuant exclude each other.
            turboquant: if draft.is_some() { None } else { turboquant },
            draft,
            resident,
            resident_in_window,
        });
    (
        prop::sample::select(vec![8_u64, 16, 24, 48, 64, 96, 128, 256, 512]),
        prop::option::of(40_u64..90),
        prop::option::of(20_u64..95),
        prop::collection::vec(model(), 3),
        prop::collection::vec(name, 1..7),
    )
        .prop_map(|(ram, gpu_percent, process, mut models, names)| {
            for (at, model) in models.iter_mut().enumerate() {
                model.bytes = (ram << 30) / 1000 * model.bytes + at as u64;
            }
            Case { ram, gpu_limit: gpu_percent.map(|percent| (ram * percent / 100).max(1)), process, models, names }
        })
}

impl Case {
    fn toml(&self) -> String {
        let mut text = vec![String::from(
            "schema = 1\n[fleet]\nname = \"t\"\ntimezone = \"UTC\"\ntailnet = \"t.ts.net\"\nuser = \"ops\"\n[omlx]\nversion = \"0.3.8\"\n\
             program = \"/opt/homebrew/bin/omlx\"\nbind = \"loopback\"\nport = 8000\nbase = \"~/.omlx\"\nweights = \"~/models\"\n",
        )];
        if let Some(percent) = self.process {
            text.push(format!("[omlx.settings]\nmemory.max_process_memory = \"{percent}%\"\n"));
        }
        text.push(format!("[machines.m]\nchip = \"M4\"\nmemory = \"{}GB\"\n", self.ram));
        if let Some(limit) = self.gpu_limit {
            text.push(format!("gpu_limit = \"{limit}GB\"\n"));
        }
        for (at, _) in self.models.iter().enumerate() {
            text.push(format!("[models.w{at}]\ndirectory = \"w{at}\"\nsize = \"1GB\"\nkind = \"llm\"\n"));
        }
        for (at, name) in self.names.iter().enumerate() {
            text.push(format!("[profiles.p{at}]\n"));
            if let Some(context) = name.context {
                text.push(format!("max_context_window = {context}\n"));
            }
            if let Some(bits) = name.turboquant {
                text.push(format!("turboquant_kv_enabled = true\nturboquant_kv_bits = {bits:?}\n"));
            }
            if let Some(megabytes) = name.draft {
                text.push(format!("dflash_enabled = true\ndflash_draft_model = \"d{at}\"\n[models.d{at}]\n"));
                text.push(format!("directory = \"d{at}\"\nsize = \"{megabytes}MB\"\nkind = \"draft\"\n"));
            }
            text.push(format!(
                "[serve.n{at}]\nmodel = \"w{}\"\nprofile = \"p{at}\"\non = [\"m\"]\nresident = {}\nconcurrency = {}\n",
                name.model, name.resident, name.concurrency
            ));
        }
        let window: Vec<String> = self.in_window().map(|at| format!("\"n{at}\"")).collect();
        text.push(format!(
            "[schedules.s]\non = [\"m\"]\nwindow = \"01:00-02:00\"\ndays = \"daily\"\nresident = [{}]\n",
            window.join(", ")
        ));
        text.concat()
    }

    fn in_window(&self) -> impl Iterator<Item = usize> {
        self.names.iter().enumerate().filter(|(_, name)| name.resident_in_window).map(|(at, _)| at)
    }

    fn measured(&self) -> Measured {
        let weights = self.models.iter().enumerate().map(|(at, model)| {
            let found = MeasuredWeights {
                bytes: Some(Bytes(model.bytes)),
                config: Some(model.config()),
                state: WeightsState::Present,
            };
            (WeightsName::new(format!("w{at}")).expect("a slug"), found)
        });
        let drafts = self.names.iter().enumerate().filter_map(|(at, name)| {
            let (full, sliding) = name.draft_layers()?;
            let kinds = [vec!["\"full_attention\""; full], vec!["\"sliding_attention\""; sliding]].concat().join(", ");
            let config = format!(
                r#"{{"num_hidden_layers": {}, "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
                    "layer_types": [{kinds}], "sliding_window": 2000}}"#,
                full + sliding
            );
            let found = MeasuredWeights { bytes: None, config: Some(config), state: WeightsState::Present };
            Some((WeightsName::new(format!("d{at}")).expect("a slug"), found))
        });
        Measured { weights: weights.chain(drafts).collect(), ..Measured::default() }
    }

    /// The smallest limit and its name.
    fn limit(&self) -> (u128, &'static str) {
        let ram = u128::from(self.ram) * GIB;
        let reserve = (ram / 5).clamp(2 * GIB, 8 * GIB);
        let model = ((ram - reserve) * 9 / 10).max(GIB);
        let process = self.process.map_or(ram - reserve, |percent| ram * u128::from(percent) / 100);
        let default_gpu = match self.ram {
            8 => 5_700_000_000,
            16 => 12_713_115_648,
            24 => 19_069_654_794,
            48 => 40_200_896_512,
            64 => 55_662_788_608,
            96 => 83_494_174_720,
            128 => 115_448_725_504,
            256 => 223_338_299_392,
            _ => 498_216_206_336,
        };
        let gpu = self.gpu_limit.map_or(default_gpu, |limit| u128::from(limit) * GIB);
        let smallest = model.min(gpu).min(process);
        (
            smallest,
            if smallest == model {
                "omlx"
            } else if smallest == gpu {
                "gpu"
            } else {
                "process"
            },
        )
    }

    fn estimate(&self, name: usize) -> u128 {
        let bytes = self.models[self.names[name].model].bytes;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "Python's int(total * 1.05)"
        )]
        let estimate = (bytes as f64 * 1.05) as u64;
        u128::from(estimate)
    }

    fn loaded(&self, name: usize) -> u128 {
        let draft = self.names[name].draft.map_or(0, |megabytes| u128::from(megabytes) << 20);
        u128::from(self.models[self.names[name].model].bytes) + draft
    }

    fn tokens(&self, name: usize) -> u128 {
        let native = self.models[self.names[name].model].native;
        u128::from(self.names[name].context.unwrap_or(native.min(32_768)))
    }

    fn sum(&self, names: &[usize]) -> u128 {
        names.iter().map(|name| self.estimate(*name)).sum()
    }

    fn largest_context(&self, name: usize, loaded: &[usize]) -> u128 {
        let model = &self.models[self.names[name].model];
        let (limit, _) = self.limit();
        let usable = limit * 95 / 100;
        let occupied: u128 =
            loaded.iter().map(|other| self.loaded(*other) + self.models[self.names[*other].model].state()).sum();
        let mut best = 0;
        for tokens in (256..=u128::from(model.native)).step_by(256) {
            let need = model.kv(tokens, self.names[name].turboquant)
                + self.names[name].draft_kv(tokens)
                + model.scratch(tokens);
            if usable < occupied || need > usable - occupied {
                break;
            }
            best = tokens;
        }
        best
    }
}

impl Name {
    /// Full and sliding layers of its draft: some, by the draft's size.
    fn draft_layers(&self) -> Option<(usize, usize)> {
        let megabytes = usize::try_from(self.draft?).expect("small");
        Some((1 + megabytes % 3, megabytes % 5))
    }

    /// 8 key-value heads of 128 numbers: 4096 bytes a layer and token, a window of 2000 in whole steps of 256.
    fn draft_kv(&self, tokens: u128) -> u128 {
        let Some((full, sliding)) = self.draft_layers() else { return 0 };
        let tokens = tokens.div_ceil(256) * 256;
        4096 * (full as u128 * tokens + sliding as u128 * tokens.min(2048))
    }
}

impl Model {
    fn config(&self) -> String {
        let kinds: Vec<&str> = (0..self.layers)
            .map(|layer| match self.interval {
                None => "\"full_attention\"",
                Some((interval, _)) if (layer + 1) % interval == 0 => "\"full_attention\"",
                Some((_, true)) => "\"sliding_attention\"",
                Some((_, false)) => "\"linear_attention\"",
            })
            .collect();
        let experts = self.experts.map_or_else(String::new, |(total, active, width, shared)| {
            format!(
                "\"num_experts\": {total}, \"num_experts_per_tok\": {active}, \"moe_intermediate_size\": {width}, \"shared_expert_intermediate_size\": {shared}, "
            )
        });
        format!(
            r#"{{"quantization": {{"bits": 4, "group_size": 32}}, "text_config": {{{experts}"vocab_size": {}, "num_hidden_layers": {}, "hidden_size": {}, "num_attention_heads": {}, "num_key_value_heads": {}, "head_dim": {},
                "layer_types": [{}], "sliding_window": 1000, "max_position_embeddings": {}, "linear_num_key_heads": {}, "linear_num_value_heads": {},
                "linear_key_head_dim": {}, "linear_value_head_dim": {}, "linear_conv_kernel_dim": {}}}}}"#,
            self.vocabulary,
            self.layers,
            self.hidden,
            self.heads,
            self.kv_heads,
            self.head_dim,
            kinds.join(","),
            self.native,
            self.linear.0,
            self.linear.1,
            self.linear.2,
            self.linear.2,
            self.linear.3,
        )
    }

    /// Full, sliding and linear layers.
    fn kinds(&self) -> (u128, u128, u128) {
        let (mut full, mut sliding, mut linear) = (0, 0, 0);
        for layer in 1..=self.layers {
            match self.interval {
                None => full += 1,
                Some((interval, _)) if layer % interval == 0 => full += 1,
                Some((_, true)) => sliding += 1,
                Some((_, false)) => linear += 1,
            }
        }
        (full, sliding, linear)
    }

    fn kv(&self, tokens: u128, turboquant: Option<f64>) -> u128 {
        let (full, sliding, _) = self.kinds();
        let tokens = tokens.div_ceil(256) * 256;
        let half = u128::from(2 * self.kv_heads * self.head_dim * 2);
        let full_bytes = match turboquant {
            None => full * half,
            Some(bits) => {
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "small"
                )]
                let vector = ((self.head_dim as f64 * bits / 32.0).ceil() as u128) * 4 + 2;
                if full == 0 { 0 } else { (full - 1) * u128::from(2 * self.kv_heads) * vector + half }
            }
        };
        full_bytes * tokens + sliding * half * tokens.min(1024)
    }

    /// Tokens a second of a batch at most: what a step reads, weight by weight, and what each sequence reads beside it, at 5 bits a weight.
    #[expect(clippy::cast_precision_loss, reason = "compared to nine digits")]
    fn bound(&self, bandwidth: f64, batch: u32, context: u128, turboquant: Option<f64>) -> f64 {
        let (full, sliding, linear) = self.kinds();
        let [hidden, heads, kv_heads, head_dim, layers, vocabulary] =
            [self.hidden, self.heads, self.kv_heads, self.head_dim, self.layers, self.vocabulary].map(|n| n as f64);
        let query_and_output = 2.0 * hidden * heads * head_dim;
        let key_and_value = 2.0 * hidden * kv_heads * head_dim;
        let (keys, values, dim, _) = self.linear;
        let (keys, values, dim) = (keys as f64, values as f64, dim as f64);
        // Query, key and value; the gate; two numbers a head; output.
        let of_linear = hidden * (2.0 * keys * dim + values * dim + values * dim + 2.0 * values + values * dim);
        let feed_forward = match self.experts {
            None => 3.0 * hidden * 4.0 * hidden,
            Some((total, active, width, shared)) => {
                let mut untouched = 1.0;
                for _ in 0..batch {
                    untouched *= 1.0 - active as f64 / total as f64;
                }
                let touched = total as f64 * (1.0 - untouched);
                3.0 * hidden * (touched * width as f64 + shared as f64) + hidden * total as f64
            }
        };
        let weights = (full + sliding) as f64 * (query_and_output + key_and_value)
            + linear as f64 * of_linear
            + layers * feed_forward
            + hidden * vocabulary;
        let recurrent = linear as f64 * values * dim * dim * 4.0;
        let sequence = self.kv(context, turboquant) as f64 + 2.0 * recurrent;
        f64::from(batch) * bandwidth / (weights * 5.0 / 8.0 + f64::from(batch) * sequence)
    }

    fn state(&self) -> u128 {
        let (_, _, layers) = self.kinds();
        let (keys, values, dim, conv) = self.linear;
        let (keys, values, dim, conv) = (u128::from(keys), u128::from(values), u128::from(dim), u128::from(conv));
        layers * (values * dim * dim * 4 + (conv - 1) * (2 * keys * dim + values * dim) * 2)
    }

    fn scratch(&self, tokens: u128) -> u128 {
        let (full, sliding, _) = self.kinds();
        let heads = u128::from(self.heads);
        if self.head_dim <= 128 || full + sliding == 0 {
            return heads * tokens.min(2048) * u128::from(self.head_dim) * 4;
        }
        let seen = if full == 0 { tokens.min(1000 + 2048) } else { tokens };
        heads * 2048 * 4 * seen
    }
}

/// Every smallest set of names that does not fit beside what is resident, found by trying all.
fn swap_sets(case: &Case, resident: &[usize]) -> Vec<Vec<usize>> {
    let (limit, _) = case.limit();
    let fits = |names: &[usize]| case.sum(names) <= limit;
    let others: Vec<usize> = (0..case.names.len()).filter(|name| !resident.contains(name) && fits(&[*name])).collect();
    let beside = |names: &[usize]| fits(&[resident, names].concat());
    let (able, unable): (Vec<usize>, Vec<usize>) = others.into_iter().partition(|name| beside(&[*name]));
    let minimal = |candidates: &[usize], fits: &dyn Fn(&[usize]) -> bool, smallest: usize| -> Vec<Vec<usize>> {
        (0_u32..1 << candidates.len())
            .map(|bits| {
                (0..candidates.len()).filter(|at| bits >> at & 1 == 1).map(|at| candidates[at]).collect::<Vec<_>>()
            })
            .filter(|set| (smallest..=4).contains(&set.len()) && !fits(set))
            .filter(|set| (0..set.len()).all(|out| fits(&[&set[..out], &set[out + 1..]].concat())))
            .collect()
    };
    let mut sets = minimal(&able, &beside, 2);
    for name in unable {
        let with = |names: &[usize]| fits(&[names, &[name]].concat());
        sets.extend(minimal(resident, &with, 1).into_iter().map(|set| [set, vec![name]].concat()));
    }
    for set in &mut sets {
        set.sort_unstable();
    }
    sets.sort();
    sets
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_models_and_fleets(case in case()) {
        let loaded = fleetctl::config::load("fleet.toml", &case.toml());
        let fleet = loaded.sound.expect("a fleet, whether it fits or not");
        let capacity = assess(&fleet, fleet.machines.get("m").expect("the machine"), Some(&case.measured()));
        let (limit, by) = case.limit();
        prop_assert_eq!((u128::from(capacity.budget.limit.get()), capacity.budget.by.as_str()), (limit, by));
        for (at, name) in case.names.iter().enumerate() {
            let footprint = capacity.footprints.iter().find(|footprint| footprint.served == format!("n{at}").as_str()).expect("served");
            let geometry = footprint.geometry.as_ref().expect("read");
            let bits_per_weight = footprint.bits_per_weight.expect("said by the config.json");
            for (batch, context) in [(1, 0), (1, 8192), (4, 2048), (16, 512)] {
                let decode = Decode { geometry, bits_per_weight, kv: footprint.kv_format, context };
                let expected = case.models[name.model].bound(819e9, batch, u128::from(context), name.turboquant);
                prop_assert!((decode.bound(819e9, batch) / expected - 1.0).abs() < 1e-9, "{} at {batch}, {context}", at);
            }
        }
        let baseline: Vec<usize> = (0..case.names.len()).filter(|at| case.names[*at].resident).collect();
        let window: Vec<usize> = case.in_window().collect();
        for (found, resident) in capacity.windows.iter().zip([baseline, window]) {
            let key = |at: usize| format!("n{at}");
            let names: Vec<String> = resident.iter().map(|at| key(*at)).collect();
            let residents: Vec<String> = found.resident.iter().map(|name| name.served.to_string()).collect();
            prop_assert_eq!(&residents, &names);
            prop_assert_eq!(found.fits, case.sum(&resident) <= limit);
            let (mut caches, mut scratch, mut weights) = (0_u128, 0_u128, 0_u128);
            for at in &resident {
                let (name, model) = (&case.names[*at], &case.models[case.names[*at].model]);
                let footprint = capacity.footprints.iter().find(|footprint| footprint.served == key(*at).as_str()).expect("served");
                let tokens = case.tokens(*at);
                let kv = (model.kv(tokens, name.turboquant) + name.draft_kv(tokens)) * u128::from(name.concurrency);
                let state = model.state() * u128::from(name.concurrency);
                prop_assert_eq!(footprint.kv_bytes.map(u128::from), Some(kv));
                prop_assert_eq!(footprint.state_bytes.map(u128::from), Some(state));
                prop_assert_eq!(u128::from(footprint.estimated.get()), case.estimate(*at));
                caches += kv + state;
                scratch = scratch.max(model.scratch(case.tokens(*at)));
                weights += case.loaded(*at);
            }
            prop_assert_eq!(found.scratch_bytes.map(u128::from), Some(scratch));
            let signed = |bytes: u128| i128::try_from(bytes).expect("small");
            prop_assert_eq!(i128::from(found.headroom.load), signed(limit) - signed(weights));
            prop_assert_eq!(
                found.headroom.context.map(i128::from),
                Some(signed(limit) - signed(weights) - signed(caches) - signed(scratch))
            );
            for at in &resident {
                let shown = found.resident.iter().find(|name| name.served == key(*at).as_str()).expect("resident");
                let (name, tokens) = (&case.names[*at], case.tokens(*at));
                let keeps_cache = case.models[name.model].kv(tokens, None) + name.draft_kv(tokens) > 0;
                let expected = keeps_cache.then(|| case.largest_context(*at, &resident));
                prop_assert_eq!(shown.largest_context.map(u128::from), expected);
            }
            for name in &found.loadable {
                let at: usize = name.served.as_str()[1..].parse().expect("a number");
                let with = [&resident[..], &[at]].concat();
                prop_assert_eq!(name.fits, case.sum(&with) <= limit, "{}", name.served);
                let evicts: Vec<String> = (0..case.names.len())
                    .filter(|other| name.fits && *other != at && !resident.contains(other))
                    .filter(|other| case.sum(&[&resident[..], &[*other]].concat()) <= limit)
                    .filter(|other| case.sum(&[&with[..], &[*other]].concat()) > limit)
                    .map(key)
                    .collect();
                prop_assert_eq!(name.evicts.iter().map(ToString::to_string).collect::<Vec<_>>(), evicts);
            }
            let mut sets: Vec<Vec<usize>> = found
                .swap_sets
                .iter()
                .map(|set| set.names.iter().map(|name| name.as_str()[1..].parse().expect("a number")).collect())
                .collect();
            sets.sort();
            prop_assert_eq!(sets, swap_sets(&case, &resident));
        }
    }
}
