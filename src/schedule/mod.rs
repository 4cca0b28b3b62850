//! Windows → resident sets and transitions at a time, in the fleet's zone. Pure.
