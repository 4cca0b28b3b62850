//! What changes when a machine moves from one release to another: for `plan` to say before it happens.

use super::{Field, Release, Setting, fields, settings};

/// One change of behaviour that came between two releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeNote {
    /// What it is about, short: `memory limits`.
    pub subject: &'static str,
    /// What changes and what to do; a sentence.
    pub text: &'static str,
    /// The releases that behave so.
    behaves: &'static [Release],
}

const V050: &[Release] = &[Release::V0_5_0];
const LATER: &[Release] = &[Release::V0_5_0, Release::Flyto0_7_0];

static NOTES: &[UpgradeNote] = &[
    UpgradeNote {
        subject: "memory limits",
        text: "model.max_model_memory and memory.max_process_memory are ignored and erased at the next save; the memory guard's tier decides instead (since 0.3.11)",
        behaves: LATER,
    },
    UpgradeNote {
        subject: "memory flags",
        text: "--max-model-memory and --max-process-memory stop the server with exit 2, which KeepAlive turns into a restart loop; fleetctl's plist holds no flags, a foreign one may",
        behaves: V050,
    },
    UpgradeNote {
        subject: "admission",
        text: "a load is admitted by measured memory against a ceiling that moves with what other programs use, no longer by the sum of estimated sizes",
        behaves: LATER,
    },
    UpgradeNote {
        subject: "Hugging Face cache",
        text: "models of the Hugging Face cache appear beside the declared ones (since 0.4.0); set huggingface.hf_cache_enabled = false in [omlx.settings] to serve exactly what is declared",
        behaves: V050,
    },
    UpgradeNote {
        subject: "DFlash context",
        text: "DFLASH_MAX_CTX is no longer read; dflash_max_ctx of the profile decides, unlimited by default (since 0.3.9)",
        behaves: LATER,
    },
    UpgradeNote {
        subject: "DFlash engines",
        text: "only one DFlash engine stays loaded at a time: loading a second unloads the first, or fails when that is busy or pinned (since 0.4.2, #1892)",
        behaves: V050,
    },
    UpgradeNote {
        subject: "context window",
        text: "a model without max_context_window takes the length in its config.json instead of 32768 (since 0.4.0): set it in the profile to keep the memory as planned",
        behaves: V050,
    },
    UpgradeNote {
        subject: "profiles",
        text: "a profile can be served as <model>:<profile>; oMLX adds api_name to every profile and rewrites model_profiles.json at start (since 0.4.5.dev1)",
        behaves: V050,
    },
    UpgradeNote {
        subject: "reload",
        text: "a PUT that carries a load-time field unloads the model by itself, even when the value is the same (since 0.3.9.dev1)",
        behaves: LATER,
    },
    UpgradeNote {
        subject: "process name",
        text: "the process calls itself omlx-server, so that a search for omlx serve no longer finds it (since 0.4.2)",
        behaves: V050,
    },
    UpgradeNote { subject: "python", text: "Python 3.11 or newer is needed (since 0.3.9)", behaves: LATER },
];

/// What behaves otherwise after a move from one release to the other, in either direction. Of a move back to an older release only the keys that vanish are
/// known (see [`vanishing_settings`], [`vanishing_fields`]).
pub fn upgrade_notes(from: Release, to: Release) -> impl Iterator<Item = &'static UpgradeNote> {
    NOTES.iter().filter(move |note| note.behaves.contains(&to) && !note.behaves.contains(&from))
}

/// The keys of settings.json that the new release does not know: ignored, and gone at its next save.
pub fn vanishing_settings(from: Release, to: Release) -> impl Iterator<Item = &'static Setting> {
    settings(from).filter(move |old| !settings(to).any(|new| new.section == old.section && new.key == old.key))
}

/// The fields of a model that the new release does not know: ignored, and gone at its next save.
pub fn vanishing_fields(from: Release, to: Release) -> impl Iterator<Item = &'static Field> {
    fields(from).filter(move |old| !fields(to).any(|new| new.name == old.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_0_3_8_to_0_5_0() {
        let (from, to) = (Release::V0_3_8, Release::V0_5_0);
        assert_eq!(upgrade_notes(from, to).count(), NOTES.len());
        assert_eq!(upgrade_notes(to, to).count(), 0);
        let keys: Vec<String> = vanishing_settings(from, to).map(Setting::path).collect();
        assert_eq!(keys, ["model.max_model_memory", "memory.max_process_memory"]);
        let fields: Vec<&str> = vanishing_fields(from, to).map(|field| field.name).collect();
        assert_eq!(fields, ["dflash_draft_quant_bits"]);
        assert!(vanishing_fields(to, from).any(|field| field.name == "dflash_max_ctx"));
    }
}
