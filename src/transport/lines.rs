//! A script's output handed over line by line, as it comes.

/// How far the output was handed over as lines.
#[derive(Default)]
pub(super) struct Lines {
    /// Up to here it was handed over.
    told: usize,
    /// Up to here there is no further newline.
    searched: usize,
}

impl Lines {
    /// Hands over the complete lines; the newline before the end marker is not the script's, so the last line waits while more may come.
    pub(super) fn tell(&mut self, output: &[u8], more: bool, line: &mut impl FnMut(&str)) {
        self.told = self.told.min(output.len());
        self.searched = self.searched.clamp(self.told, output.len());
        while let Some(newline) = output[self.searched..].iter().position(|b| *b == b'\n') {
            let end = self.searched + newline;
            if more && end + 1 == output.len() && output[self.told..end].is_empty() {
                self.searched = end;
                return;
            }
            line(&String::from_utf8_lossy(&output[self.told..end]));
            self.told = end + 1;
            self.searched = self.told;
        }
        self.searched = output.len();
        if !more && self.told < output.len() {
            line(&String::from_utf8_lossy(&output[self.told..]));
            self.told = output.len();
        }
    }

    /// What was handed over is dropped: how much that is.
    pub(super) fn forget(&mut self) -> usize {
        let told = std::mem::take(&mut self.told);
        self.searched -= told;
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_line_is_handed_over_once(text in "([a-c]{0,3}\n){0,8}[a-c]{0,3}", cut in 1usize..6, keeps: bool) {
            let (mut lines, mut output, mut told) = (Lines::default(), Vec::new(), Vec::new());
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(cut).collect();
            for (at, piece) in pieces.iter().enumerate() {
                output.extend_from_slice(piece);
                lines.tell(&output, at + 1 < pieces.len(), &mut |line| told.push(line.to_owned()));
                if !keeps {
                    output.drain(..lines.forget());
                }
            }
            prop_assert_eq!(told, text.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
