//! Which ways of its API and which habits a release has.

use super::Release;

/// What can be asked of a server, and how it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a table of independent yes and no")]
pub struct Ways {
    /// `POST /v1/models/{id}/load` with the API key (0.3.9.dev1). Without it only the admin cookie loads a model.
    pub v1_load: bool,
    /// `/admin/api/models/{id}/load` also takes the API key as bearer (0.3.9.dev1).
    pub bearer_admin_load: bool,
    /// A PUT of load-time fields unloads the loaded model by itself, and loads a pinned one again (0.3.9.dev1). The mere presence of the key counts.
    pub put_reloads: bool,
    /// `GET /health` answers 503 with status `loading` while pinned models load (after 0.5.0, #2184).
    pub health_tells_loading: bool,
    /// The port opens before the pinned models are loaded (0.4.0, #1524). On 0.3.8 nothing answers for minutes, and a second server on the port loads all
    /// its models before it dies.
    pub port_opens_first: bool,
    /// `omlx --version` exists (0.4.0); on 0.3.8 it exits 2. `GET /api/status` tells the release everywhere.
    pub version_flag: bool,
    /// Profiles can be served under names of their own, `<model>:<profile>` (0.4.5.dev1, PR 1838).
    pub exposed_profiles: bool,
    /// The Hugging Face cache is scanned for models by default (0.4.0): its models appear beside the declared ones.
    pub scans_hf_cache: bool,
    /// At most one DFlash engine is loaded at a time (0.4.2, #1892).
    pub one_dflash_engine: bool,
    /// `/v1/models/status` tells measured sizes (`actual_size`, 0.3.9); 0.3.8 measures nothing.
    pub measures_models: bool,
    /// The context window of a model without a declared one is its own, from config.json (0.4.0); before, `sampling.max_context_window`, 32768.
    pub native_context: bool,
    /// A busy model is refused instead of being reloaded under its request (409, 0.4.5.dev1).
    pub protects_busy: bool,
    /// The flags `--max-model-memory` and `--max-process-memory` are accepted (removed in 0.3.11; the fork keeps and ignores them).
    pub memory_flags: bool,
}

/// The ways of a release (facts/omlx.md 0, 1.1, 6.3; the fork's read in its server.py, cli.py and admin/routes.py).
pub const fn ways(release: Release) -> Ways {
    match release {
        Release::V0_3_8 => Ways {
            v1_load: false,
            bearer_admin_load: false,
            put_reloads: false,
            health_tells_loading: false,
            port_opens_first: false,
            version_flag: false,
            exposed_profiles: false,
            scans_hf_cache: false,
            one_dflash_engine: false,
            measures_models: false,
            native_context: false,
            protects_busy: false,
            memory_flags: true,
        },
        Release::V0_5_0 => Ways {
            v1_load: true,
            bearer_admin_load: true,
            put_reloads: true,
            health_tells_loading: false,
            port_opens_first: true,
            version_flag: true,
            exposed_profiles: true,
            scans_hf_cache: true,
            one_dflash_engine: true,
            measures_models: true,
            native_context: true,
            protects_busy: true,
            memory_flags: false,
        },
        Release::Flyto0_7_0 => Ways {
            v1_load: true,
            bearer_admin_load: true,
            put_reloads: true,
            health_tells_loading: false,
            port_opens_first: false,
            version_flag: false,
            exposed_profiles: false,
            scans_hf_cache: false,
            one_dflash_engine: false,
            measures_models: true,
            native_context: false,
            protects_busy: false,
            memory_flags: true,
        },
    }
}

/// What a server of this release says in the field `version` of `GET /api/status`. The fork says its own number, which is not oMLX's (fleet.md).
pub const fn reported_version(release: Release) -> &'static str {
    match release {
        Release::V0_3_8 => "0.3.8",
        Release::V0_5_0 => "0.5.0",
        Release::Flyto0_7_0 => "0.7.0",
    }
}

/// The context window in tokens of a model whose profile declares none and whose own length is `native`, if known.
///
/// 0.3.8 and the fork: `sampling.max_context_window`, 32768 by default (facts/omlx.md 8.2). 0.5.0: the model's own length, else the same.
pub fn default_context(release: Release, sampling_default: u64, native: Option<u64>) -> u64 {
    if ways(release).native_context { native.unwrap_or(sampling_default) } else { sampling_default }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_context_of_a_model_without_one() {
        assert_eq!(default_context(Release::V0_3_8, 32_768, Some(262_144)), 32_768);
        assert_eq!(default_context(Release::V0_5_0, 32_768, Some(262_144)), 262_144);
        assert_eq!(default_context(Release::V0_5_0, 32_768, None), 32_768);
    }

    #[test]
    fn a_load_with_the_key_needs_a_later_release() {
        assert!(!ways(Release::V0_3_8).v1_load && ways(Release::Flyto0_7_0).v1_load);
        assert_ne!(reported_version(Release::Flyto0_7_0), Release::Flyto0_7_0.as_str());
    }
}
