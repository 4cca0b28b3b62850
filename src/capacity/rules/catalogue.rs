//! The catalogue of this room's rules: what `explain CODE` prints.

use crate::capacity::finding::{Gravity, Rule};

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $gravity:ident $id:literal, $title:literal, $explanation:literal;)*) => {
        $(
            $(#[$doc])*
            pub(crate) static $name: Rule =
                Rule { id: $id, gravity: Gravity::$gravity, title: $title, explanation: $explanation };
        )*

        /// Every rule of this room.
        pub static RULES: &[&Rule] = &[$(&$name),*];
    };
}

rules! {
    RESIDENT_TWIN = Warning "resident-twin",
        "a second name of resident weights, without room for both copies",
        "oMLX 0.3.8 knows one profile per name: two profiles of one weights directory are two names and, loaded, two copies; a symlink shares the disk, not the \
         memory. When both do not fit, every request for the one that is out evicts another and reads the whole directory again: size ÷ the disk's speed (5 to 7 \
         GB/s at best) and the building of the engine, 1 to 2 s a GB in practice.\n\nMend: one profile for both kinds of work, where they differ only in what a \
         request can say; DFlash off where batching is needed; the two kinds of work one after the other, in windows; or one of the names on another machine.";

    ONE_LOAD_SUFFICES = Note "one-load-suffices",
        "two names of the same weights that differ only in what a request can say",
        "Thinking, sampling and lengths are request-time settings: one loaded model answers both ways (chat_template_kwargs.enable_thinking, temperature, \
         max_tokens in the request). Two names cost their weights twice.\n\nMend: serve one name, and let the callers or the gateway's overlay say the rest. From oMLX 0.5.0 \
         on the second name can be NAME:PROFILE in [serve]: the same engine answers to both (see exposed-profile).";

    TURBOQUANT_GAIN = Note "turboquant-gain",
        "what TurboQuant gains in context",
        "TurboQuant shrinks the KV cache and not the prefill scratch, which grows with the context too and is the larger of the two for models with more than 128 \
         numbers a head. It is a setting of the profile and on at every length: no release of oMLX has a threshold above which it starts. For a threshold, two profiles \
         under two names would be needed, which are two loads.";

    DFLASH_CONCURRENCY = Error "dflash-concurrency",
        "DFlash and concurrent requests",
        "The DFlash engine serves one request from its first to its last token; there is no continuous batching, further requests wait. Batched work is faster \
         without it: a mixture of 35B-A3B at 8 bit on an M3 Ultra is bound to 251 tok/s for one request, to 481 for four together.\n\nMend: concurrency 1, or a \
         profile without DFlash.";

    DFLASH_EVICTABLE = Warning "dflash-evictable",
        "a DFlash name that may be unloaded in the middle of an answer",
        "oMLX never sees a DFlash engine as busy: its counter is not set. Idle time (ttl) and the eviction of the least recently used model therefore count from the \
         start of the last request, also while it is being answered.\n\nMend: make it resident, without ttl.";

    DRAFT_OF_ANOTHER_MODEL = Warning "draft-of-another-model",
        "a draft that was trained for another model",
        "A draft proposes tokens by their numbers, so its vocabulary is the model's; a DFlash draft also reads the hidden states of certain layers of the model, so it has \
         the model's hidden size and taps layers that the model has. oMLX checks none of this: it starts without the draft and says so in its log only, or few \
         tokens are accepted. What is compared: the machine's own config.json of the draft (`capacity --measured`, `plan`) with the model's shape; without it, the \
         model names within the two directories' names.\n\nMend: the draft that was published for these weights.";

    EXPECTATION_ABOVE_BOUND = Warning "expectation-above-bound",
        "an expected speed that the machine's memory cannot give",
        "Each token reads the active weights, the KV cache, and the recurrent state twice: tokens per second ≤ bandwidth ÷ those bytes. With speculative decoding a \
         step verifies a block of 16 tokens: steps per second ≤ bandwidth ÷ (weights that the block touches + draft), times the accepted tokens. The expectation is \
         above that.\n\nMend: expect what bench measures.";

    SPECULATIVE_EXPECTATION = Note "speculative-expectation",
        "an expected speed that only speculation reaches",
        "The plain bound is bandwidth ÷ bytes a token; mixtures with few active experts reach 25 to 45 % of it, dense models 70 to 85 %. Above that, the number stands on \
         accepted draft tokens, which fall with thinking, long contexts, other chat templates, and with a stock draft for an abliterated model.";

    UNPUBLISHED_MODEL = Note "unpublished-model",
        "weights of a model that is not published under that name",
        "No release of that name was found; several tools take the name for another model's. The shape is that model's, until the machine's own config.json is read.";

    CONFIG_UNUSABLE = Warning "config-json-unusable",
        "a config.json that gives no shape",
        "The machine's config.json of these weights is malformed, absurd, or of an architecture that this arithmetic does not know. The catalogue or the declared \
         size is used instead.";

    UNKNOWN_CHIP = Note "unknown-chip",
        "a chip whose memory bandwidth is not known",
        "The bound for decode speed follows from the chip's memory bandwidth. Known are M1 to M4 with Pro, Max and Ultra, and M5.";
}
