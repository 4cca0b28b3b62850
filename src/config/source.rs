//! The text of a fleet file, and where in it an offset lies.

use std::ops::Range;

/// A place as a person counts: 1-based, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters (not bytes, not columns of a terminal).
    pub column: usize,
}

/// The text of a fleet file under the name by which it was asked for.
#[derive(Clone, Debug)]
pub struct Source {
    path: String,
    text: String,
    /// Byte offset of each line's first byte.
    lines: Vec<usize>,
}

impl Source {
    /// Keeps a text and finds its lines.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text, lines }
    }

    /// As the operator named the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of a byte offset; an offset beyond the end is the end, one inside a character is the character's.
    pub fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        Place { line, column: self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1) }
    }

    /// Where a range starts, and where it ends (the end is just behind its last character).
    pub fn places(&self, span: &Range<usize>) -> (Place, Place) {
        (self.place(span.start), self.place(span.end.max(span.start)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_from_one_in_characters() {
        let source = Source::new("f", "a = 1\nÜber = \"é\"\n");
        for (offset, line, column) in [(0, 1, 1), (5, 1, 6), (6, 2, 1), (8, 2, 2), (7, 2, 1), (17, 2, 10), (999, 3, 1)]
        {
            assert_eq!(source.place(offset), Place { line, column }, "offset {offset}");
        }
        assert_eq!(Source::new("f", "").place(0), Place { line: 1, column: 1 });
    }
}
