//! Facts of a machine, the parsers of what macOS and oMLX print, and the probe that asks for all of it in one round trip.
