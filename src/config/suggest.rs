//! "Did you mean": the nearest of the known names.

/// The known name that is most like what was written, if any is like it.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A typing error or two; a long text is no typing error of a short name, and comparing it would be slow.
    if written.is_empty() || written.chars().count() > 128 {
        return None;
    }
    let folded = written.to_lowercase();
    let (likeness, name) = known
        .into_iter()
        .filter(|name| *name != written)
        .map(|name| (strsim::jaro_winkler(&folded, &name.to_lowercase()), name))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    let distance = strsim::osa_distance(&folded, &name.to_lowercase());
    let within = 1 + name.chars().count().max(folded.chars().count()) / 4;
    (distance <= within || likeness >= 0.92).then_some(name)
}

/// `did you mean "x"?`, or the whole list when it is short, or nothing.
pub fn help<'a>(written: &str, known: impl IntoIterator<Item = &'a str> + Clone, what: &str) -> Option<String> {
    if let Some(name) = nearest(written, known.clone()) {
        return Some(format!("did you mean \"{name}\"?"));
    }
    let all: Vec<&str> = known.into_iter().collect();
    match all.len() {
        0 => None,
        1..=12 => Some(format!("{what}: {}", all.join(", "))),
        more => Some(format!("{what}: {}, … ({more} in all)", all[..10].join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_name() {
        let known = ["mac-studio1", "mac-mini1", "mac-mini2", "interactive", "enable_thinking"];
        for (written, found) in [
            ("mac-studio", Some("mac-studio1")),
            ("mac-mni1", Some("mac-mini1")),
            ("Interactive", Some("interactive")),
            ("enable_thinkng", Some("enable_thinking")),
            ("zebra", None),
            ("", None),
            (&"x".repeat(300), None),
        ] {
            assert_eq!(nearest(written, known), found, "{written}");
        }
    }
}
