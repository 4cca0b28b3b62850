//! A stacked bar: parts of a limit, drawn to scale in one line, each with a sign of its own.

use super::Palette;

/// One part of the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is drawn with; tells the parts apart also without colour.
    pub sign: char,
    /// How much.
    pub amount: u64,
}

/// What is free is drawn with this.
pub(super) const FREE: char = '·';

/// The bar in `width` columns. Parts beyond the limit are drawn behind a `┃` that stands at the limit. A part that is not nothing has at least one column.
pub fn stacked_bar(parts: &[Part], limit: u64, width: usize, palette: Palette) -> String {
    let total: u64 = parts.iter().map(|part| part.amount).fold(0, u64::saturating_add);
    let scale = total.max(limit).max(1);
    // One column is for the mark of the limit.
    let columns = width.saturating_sub(1).max(1);
    let at = |amount: u64| {
        let at = u128::from(amount) * columns as u128 / u128::from(scale);
        usize::try_from(at).unwrap_or(columns).min(columns)
    };
    let mut cells = vec![FREE; columns];
    let (mut sum, mut from) = (0_u64, 0);
    for part in parts.iter().filter(|part| part.amount > 0) {
        sum = sum.saturating_add(part.amount);
        let to = at(sum).max(from + 1).min(columns);
        for cell in &mut cells[from.min(columns)..to] {
            *cell = part.sign;
        }
        from = to;
    }
    let mark = at(limit);
    let within: String = cells[..mark].iter().collect();
    let beyond: String = cells[mark..].iter().filter(|cell| **cell != FREE).collect();
    let within = if total > limit { palette.warn(&within) } else { palette.good(&within) };
    format!("{within}┃{}", palette.bad(&beyond))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(parts: &[(char, u64)], limit: u64) -> String {
        let parts: Vec<Part> = parts.iter().map(|(sign, amount)| Part { sign: *sign, amount: *amount }).collect();
        stacked_bar(&parts, limit, 21, Palette::new(false))
    }

    #[test]
    fn within_and_beyond() {
        assert_eq!(bar(&[('█', 10), ('▒', 5)], 20), "██████████▒▒▒▒▒·····┃");
        assert_eq!(
            bar(&[('█', 20), ('▒', 20)], 30),
            "███████████████┃▒▒▒▒▒".replacen("███████████████", "██████████▒▒▒▒▒", 1)
        );
        assert_eq!(bar(&[], 20), "····················┃");
        assert_eq!(bar(&[('█', 0), ('▒', 1)], 1_000_000), "▒···················┃");
        assert_eq!(bar(&[('█', u64::MAX), ('▒', u64::MAX)], 0).chars().count(), 21);
    }
}
