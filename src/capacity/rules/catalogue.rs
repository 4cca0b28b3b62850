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
    PINNED_SET_TOO_LARGE = Error "pinned-set-too-large",
        "a resident set above oMLX's model limit or the GPU limit",
        "Resident names are pinned: loaded at start, never evicted. The sum of 1.05 × the size of each (oMLX's own estimate) must stay below the smaller of \
         oMLX's limit for models and the GPU limit, in the baseline and in every window. 0.3.8: the limit is 0.9 × (RAM − reserve), the reserve a fifth of \
         RAM between 2 and 8 GiB. The GPU limit is gpu_limit, else macOS's default (about 0.67 to 0.9 of RAM, from a table). 0.3.8 loads pinned names before its \
         guard runs, so nothing stops such a set: the machine swaps, freezes or panics.\n\nMend: keep fewer names resident, use smaller weights, raise gpu_limit, \
         or serve a name on another machine.";

    PINNED_OVER_PROCESS_LIMIT = Warning "pinned-set-over-process-limit",
        "a resident set above oMLX's limit for its process",
        "The set fits oMLX's limit for models and the GPU limit, but not memory.max_process_memory. The guard unloads what is not pinned and then only warns, or \
         aborts requests.\n\nMend: raise memory.max_process_memory in [omlx.settings], or keep less resident.";

    NEVER_FITS = Error "never-fits",
        "a served name that fits in no window of any of its machines",
        "A name can load when 1.05 × its size, beside the resident names of that time, is at most the machine's limit (the smallest of oMLX's limit for models, \
         its limit for its process and the GPU limit); whatever is not resident is evicted for it. This name can load at no time on any machine of its `on`: every \
         request for it is answered with 507.\n\nMend: serve it where there is room, or make a name that keeps it out load on demand.";

    UNLOADABLE_IN_WINDOW = Warning "unloadable-in-window",
        "a name that cannot load in some window",
        "While a window is open its residents stay loaded. A name that does not fit beside them (1.05 × size each) is answered with 507 until the window closes, \
         though it can load at other times.\n\nMend: rebind the slots that use it for that time in [schedules.NAME.slots], or change the window's residents.";

    ALTERNATING_TWINS = Warning "alternating-twins",
        "two names of the same weights that cannot be loaded together",
        "oMLX 0.3.8 knows one profile per name: two profiles of one weights directory are two names and, loaded, two copies; a symlink shares the disk, not the \
         memory. When both do not fit, every request for the one that is out evicts another and reads the whole directory again: size ÷ the disk's speed (5 to 7 \
         GB/s at best) and the building of the engine, 1 to 2 s a GB in practice.\n\nMend: one profile for both kinds of work, where they differ only in what a \
         request can say; DFlash off where batching is needed; the two kinds of work one after the other, in windows; or one of the names on another machine.";

    ONE_LOAD_SUFFICES = Note "one-load-suffices",
        "two names of the same weights that differ only in what a request can say",
        "Thinking, sampling and lengths are request-time settings: one loaded model answers both ways (chat_template_kwargs.enable_thinking, temperature, \
         max_tokens in the request). Two names cost their weights twice.\n\nMend: serve one name, and let the callers or the gateway's overlay say the rest.";

    CONTEXT_ROOM = Warning "context-room",
        "fits only without room for its declared context",
        "The sum of 1.05 × weights, drafts, KV cache and state of every reserved request (max_context_window × concurrency), the largest prefill scratch and the \
         server itself (0.75 GiB) is above 95 % of the limit. KV a token: 2 · layers with full attention · KV heads · head dimension · 2 bytes. Scratch: query heads \
         · 2048 · context · 4 bytes above 128 numbers a head; of several models in one process only the largest counts, one thread runs them all. Long requests \
         will be aborted, or evict other names.\n\nMend: a smaller max_context_window, less concurrency, a higher gpu_limit, fewer residents. `capacity` shows the \
         largest context that fits.";

    TURBOQUANT_GAIN = Note "turboquant-gain",
        "what TurboQuant gains in context",
        "TurboQuant shrinks the KV cache and not the prefill scratch, which grows with the context too and is the larger of the two for models with more than 128 \
         numbers a head. It is a setting of the profile and on at every length: no release of oMLX has a threshold above which it starts. For a threshold, two profiles \
         under two names would be needed, which are two loads.";

    TWO_DFLASH_PINNED = Error "two-dflash-pinned",
        "two DFlash names resident on one machine",
        "From oMLX 0.4.2 on only one DFlash engine is loaded at a time: the second unloads the first, or fails because it is pinned (#1892). On 0.3.8 both load, \
         and hold the one GPU thread against each other for whole answers.\n\nMend: keep one of them resident.";

    DFLASH_CONCURRENCY = Error "dflash-concurrency",
        "DFlash and concurrent requests",
        "The DFlash engine serves one request from its first to its last token; there is no continuous batching, further requests wait. Batched work is faster \
         without it: a mixture of 35B-A3B at 8 bit on an M3 Ultra is bound to 251 tok/s for one request, to 481 for four together.\n\nMend: concurrency 1, or a \
         profile without DFlash.";

    DFLASH_EVICTABLE = Warning "dflash-evictable",
        "a DFlash name that may be unloaded in the middle of an answer",
        "oMLX never sees a DFlash engine as busy: its counter is not set. Idle time (ttl) and the eviction of the least recently used model therefore count from the \
         start of the last request, also while it is being answered.\n\nMend: make it resident, without ttl.";

    DRAFT_UNCOUNTED = Warning "draft-uncounted",
        "a draft that oMLX does not count",
        "Drafts for speculative work (DFlash, SpecPrefill) are loaded beside the model and are in none of oMLX's sums. fleetctl counts them in the headroom, not in \
         `fits`, which is oMLX's own rule.";

    DFLASH_BESIDE_LONG_CONTEXT = Warning "dflash-beside-long-context",
        "a DFlash slot beside long-context work on one machine",
        "All models of one oMLX process run on one GPU thread. A prefill chunk of 2048 tokens cannot be interrupted: at 350 tok/s of prefill it stalls every answer \
         for 5.9 s, and a 64 Ki prompt is 32 such stalls. A DFlash answer in turn holds the thread to its last token: 1000 tokens at 300 tok/s are 3.3 s for all \
         others.\n\nMend: send the long prompts to another machine while the interactive slot is in use.";

    PROCESS_ABOVE_GPU = Warning "process-above-gpu",
        "oMLX's process limit above the GPU limit",
        "oMLX 0.3.8 does not look at iogpu.wired_limit_mb nor at Metal's working set: its own limit is RAM less 2 to 8 GiB, which is above the GPU's default limit \
         on every Mac. Between the two, allocations succeed until macOS freezes or panics.\n\nMend: memory.max_process_memory in [omlx.settings] at or below the GPU \
         limit, or a gpu_limit that leaves macOS 8 to 12 GiB.";

    GPU_LIMIT_TOO_HIGH = Warning "gpu-limit-too-high",
        "a GPU limit that leaves macOS too little",
        "Above RAM − max(4 GiB, 8 %) macOS freezes or panics under load instead of refusing an allocation.\n\nMend: a lower gpu_limit.";

    EXPECTATION_ABOVE_BOUND = Warning "expectation-above-bound",
        "an expected speed that the machine's memory cannot give",
        "Each token reads the active weights, the KV cache, and the recurrent state twice: tokens per second ≤ bandwidth ÷ those bytes. With speculative decoding a \
         step verifies a block of 16 tokens: steps per second ≤ bandwidth ÷ (weights that the block touches + draft), times the accepted tokens. The expectation is \
         above that.\n\nMend: expect what bench measures.";

    SPECULATIVE_EXPECTATION = Note "speculative-expectation",
        "an expected speed that only speculation reaches",
        "The plain bound is bandwidth ÷ bytes a token; mixtures with few active experts reach 25 to 45 % of it, dense models 70 to 85 %. Above that, the number stands on \
         accepted draft tokens, which fall with thinking, long contexts, other chat templates, and with a stock draft for an abliterated model.";

    ASSUMED = Note "capacity-assumed",
        "what the memory arithmetic stands on",
        "Size and shape of weights are measured (the machine's own files), catalogued (a published model whose name stands within the directory's name) or declared \
         (the size alone). `capacity --measured` reads the machines' files.";

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
