//! What each release of oMLX understands: fields, ranges, budgets, what takes effect when; the types of its API.
//!
//! Tables and small functions over them; everything that differs between two releases is in this room and nowhere else. Knows no machine, no file, no
//! network: `render` writes oMLX's files with it, `plan` finds the cheapest action with it, `observe` reads oMLX's answers with it.
//!
//! Sources are oMLX's own files of the release (paths are those of its `omlx/` package), read or run; flyto-0.7.0 is the package `flyto-mlx` 0.7.0.

pub mod api;
mod column;
mod environment;
mod exclusion;
mod field;
mod field_table;
mod log_line;
mod memory;
mod preset;
mod python_json;
mod setting;
mod setting_table;
mod size;
mod upgrade;
mod value;
mod ways;

pub use environment::{DFLASH_MAX_CTX, dflash_limit, is_refused_variable};
pub use exclusion::{Conflict, conflicts, sampler_fields_ignored_by_dflash};
pub use field::{Effect, Field};
pub use field_table::{field, fields, profile_fields};
pub use log_line::without_refused_key;
pub use memory::{MemoryLimits, estimated_size, memory_limits};
pub use preset::Preset;
pub use python_json::{model_settings_text, settings_text};
pub use setting::{DECIDED_ELSEWHERE, Reach, Setting};
pub use setting_table::{section_order, setting, settings};
pub use size::{SizeError, parse_size};
pub use upgrade::{UpgradeNote, upgrade_notes, vanishing_fields, vanishing_settings};
pub use value::{Kind, Misfit, Range, Release, same_value};
pub use ways::{Ways, default_context, reported_version, ways};
