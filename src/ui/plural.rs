//! Numbers of things in words.

/// `1 machine`, `2 machines`; for nouns that take an s.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `2 errors, 1 note`: how many there are of each noun, in this order, without those of which there is none. Empty where there is nothing at all.
pub(super) fn tally(counts: &[(usize, &str)]) -> String {
    let some = counts.iter().filter(|(count, _)| *count > 0);
    some.map(|(count, noun)| plural(*count, noun)).collect::<Vec<_>>().join(", ")
}
