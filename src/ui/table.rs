//! Tables for people: a heading, columns without lines, cells that wrap at the width of the terminal.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Row, Table, presets};

use super::sanitize;

/// What a cell's content means; colour says nothing that the text does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Deserves a look.
    Warn,
    /// Wrong.
    Bad,
    /// Matters less.
    Dim,
    /// A name that heads its row.
    Strong,
}

/// A table in the making. Cells are sanitized; a line break in a cell stays one.
pub struct Grid {
    table: Table,
    is_colored: bool,
}

impl Grid {
    /// A table of at most `width` columns of the terminal. A heading that begins with `>` aligns its column to the right.
    pub fn new(headings: &[&str], width: u16, is_colored: bool) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        if is_colored {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let bold = |heading: &&str| Cell::new(heading.trim_start_matches('>')).add_attribute(Attribute::Bold);
        table.set_header(headings.iter().map(bold).collect::<Vec<_>>());
        for (index, heading) in headings.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                let is_last = index + 1 == headings.len();
                column.set_padding((0, if is_last { 0 } else { 2 }));
                if heading.starts_with('>') {
                    column.set_cell_alignment(CellAlignment::Right);
                }
            }
        }
        Self { table, is_colored }
    }

    /// Adds a row of texts and what they mean.
    pub fn row<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = (T, Tone)>) -> &mut Self {
        let cells = cells.into_iter().map(|(text, tone)| {
            let safe: Vec<String> = text.as_ref().split('\n').map(sanitize).collect();
            let cell = Cell::new(safe.join("\n"));
            match tone {
                _ if !self.is_colored => cell,
                Tone::Plain => cell,
                Tone::Good => cell.fg(Color::Green),
                Tone::Warn => cell.fg(Color::Yellow),
                Tone::Bad => cell.fg(Color::Red),
                Tone::Dim => cell.add_attribute(Attribute::Dim),
                Tone::Strong => cell.add_attribute(Attribute::Bold),
            }
        });
        self.table.add_row(Row::from(cells.collect::<Vec<_>>()));
        self
    }

    /// The text, a line break behind the last line, no blanks at the end of one.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for line in self.table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_without_lines_and_nothing_that_moves_the_cursor() {
        let mut grid = Grid::new(&["NAME", ">SIZE", "SAID"], 60, false);
        grid.row([("a", Tone::Strong), ("36.0 GiB", Tone::Plain), ("one\ntwo", Tone::Bad)]);
        grid.row([("longer", Tone::Plain), ("1 B", Tone::Plain), ("\u{1b}[2J\r", Tone::Dim)]);
        insta::assert_snapshot!(grid.render(), @r"
        NAME        SIZE  SAID
        a       36.0 GiB  one
                          two
        longer       1 B  \u{1b}[2J\r
        ");
    }

    #[test]
    fn wraps_at_the_width() {
        let mut grid = Grid::new(&["NAME", "SAID"], 40, false);
        grid.row([("mac-studio1", Tone::Plain), ("a long text that does not fit into the line", Tone::Plain)]);
        assert!(grid.render().lines().all(|line| line.chars().count() <= 40), "{}", grid.render());
        assert_eq!(grid.render().lines().count(), 3);
    }
}
