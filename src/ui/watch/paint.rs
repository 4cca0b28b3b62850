//! Words of the live view: tones as styles, texts cut to their column. Nothing is said by colour alone.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::ui::{Tone, sanitize};

/// How things are painted.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    pub(super) is_colored: bool,
}

impl Paint {
    pub(super) fn style(self, tone: Tone) -> Style {
        let color = |color| if self.is_colored { Style::new().fg(color) } else { Style::new() };
        match tone {
            Tone::Plain => Style::new(),
            Tone::Good => color(Color::Green),
            Tone::Warn => color(Color::Yellow),
            Tone::Bad => color(Color::Red),
            Tone::Dim => Style::new().add_modifier(Modifier::DIM),
            Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    pub(super) fn span(self, text: impl Into<String>, tone: Tone) -> Span<'static> {
        Span::styled(sanitize(&text.into()), self.style(tone))
    }

    /// In a column of exactly this width.
    pub(super) fn cell(self, text: &str, width: usize, tone: Tone) -> Span<'static> {
        let text = cut(&sanitize(text), width);
        let pad = width.saturating_sub(text.width());
        Span::styled(format!("{text}{}", " ".repeat(pad)), self.style(tone))
    }

    /// The same, at the right of it.
    pub(super) fn right(self, text: &str, width: usize, tone: Tone) -> Span<'static> {
        let text = cut(&sanitize(text), width);
        let pad = width.saturating_sub(text.width());
        Span::styled(format!("{}{text}", " ".repeat(pad)), self.style(tone))
    }
}

/// `✖`, `▲`, `·`: what a severity looks like without colour.
pub(super) fn glyph(severity: &str) -> &'static str {
    match severity {
        "error" => "✖",
        "warning" => "▲",
        _ => "·",
    }
}

/// At most `width` columns; what is cut off is an ellipsis.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push(c);
    }
    if width > 0 { cut + "…" } else { cut }
}

/// A line in as many as the width takes, the further ones indented: of a log every character is wanted.
pub(super) fn folded(text: &str, width: usize) -> Vec<String> {
    const INDENT: &str = "  ";
    let mut lines = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width && used > INDENT.len() {
            lines.push(INDENT.to_owned());
            used = INDENT.len();
        }
        used += wide;
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }
    lines
}
