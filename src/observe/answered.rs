//! The probe's answer by the names of its sections.

use super::parse::Section;

/// Every section, in the order in which the machine wrote them.
pub(super) struct Answered<'a> {
    pub(super) all: &'a [Section<'a>],
}

impl<'a> Answered<'a> {
    pub(super) fn each(&self, name: &'static str) -> impl Iterator<Item = &'a Section<'a>> {
        self.all.iter().filter(move |section| section.name == name)
    }

    pub(super) fn has(&self, name: &'static str) -> bool {
        self.each(name).next().is_some()
    }

    /// The text of the first section of a name; empty when there is none.
    pub(super) fn text(&self, name: &'static str) -> String {
        self.each(name).next().map(|section| section.text().into_owned()).unwrap_or_default()
    }
}
