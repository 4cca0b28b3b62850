//! Memory and speed arithmetic: will it fit, how fast can it be. Pure.
