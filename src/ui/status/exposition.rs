//! Prometheus' text format, version 0.0.4 (prometheus.io, "Exposition formats"): families one after another, each with HELP, TYPE and all its samples.

use std::fmt::Display;

/// A metric family in the making.
pub(super) struct Family {
    name: &'static str,
    head: String,
    samples: String,
}

impl Family {
    /// Goes up and down.
    pub(super) fn gauge(name: &'static str, help: &str) -> Self {
        Self::new(name, "gauge", help)
    }

    /// Only grows, until it starts anew.
    pub(super) fn counter(name: &'static str, help: &str) -> Self {
        debug_assert!(name.ends_with("_total"), "{name}");
        Self::new(name, "counter", help)
    }

    fn new(name: &'static str, kind: &str, help: &str) -> Self {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        Self { name, head: format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"), samples: String::new() }
    }

    /// Adds a sample. Label values may be anybody's text.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.samples.push_str(self.name);
        for (place, (label, text)) in labels.iter().enumerate() {
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.samples.push_str(&format!("{}{label}=\"{text}\"", if place == 0 { '{' } else { ',' }));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        self.samples.push_str(&format!("{end} {value}\n"));
    }

    /// As [`Self::sample`]; what is not known has no sample.
    pub(super) fn known(&mut self, labels: &[(&str, &str)], value: Option<impl Display>) {
        if let Some(value) = value {
            self.sample(labels, value);
        }
    }

    /// One sample for each of an enumeration's values: 1 for the one that holds.
    pub(super) fn states(&mut self, labels: &[(&str, &str)], known: &[&str], state: &str) {
        for one in known {
            self.sample(&[labels, &[("state", *one)]].concat(), u8::from(*one == state));
        }
    }

    /// The family's lines; none without a sample.
    pub(super) fn render(self) -> String {
        if self.samples.is_empty() { String::new() } else { self.head + &self.samples }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_anybodys_text() {
        let mut family = Family::gauge("x", "one\nline \\");
        family.sample(&[("a", "q\"\\\nz"), ("b", "")], 1.5);
        family.sample(&[], 2);
        insta::assert_snapshot!(family.render(), @r#"
        # HELP x one\nline \\
        # TYPE x gauge
        x{a="q\"\\\nz",b=""} 1.5
        x 2
        "#);
        assert_eq!(Family::counter("y_total", "nothing yet").render(), "");
    }
}
