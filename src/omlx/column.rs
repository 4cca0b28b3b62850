//! What stands in the columns of both tables, of fields and of settings: releases, defaults, ranges.

use super::preset::Preset;
use super::value::{Range, Release};

pub(super) const ALL: &[Release] = &Release::ALL;
pub(super) const V038: &[Release] = &[Release::V0_3_8];
pub(super) const V050: &[Release] = &[Release::V0_5_0];
pub(super) const FLYTO: &[Release] = &[Release::Flyto0_7_0];
/// Both later ones: what came with 0.3.9 to 0.3.12.
pub(super) const LATER: &[Release] = &[Release::V0_5_0, Release::Flyto0_7_0];

pub(super) const OFF: Option<Preset> = Some(Preset::Bool(false));
pub(super) const ON: Option<Preset> = Some(Preset::Bool(true));

pub(super) const COUNT: Range = Range::AtLeast(1.0);
