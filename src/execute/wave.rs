//! Waves: how many machines are changed before the next ones are.

/// A size in `--wave`: how many machines are done when the wave is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Machines(usize),
    Percent(usize),
}

/// `--wave 1,25%,100%`: each size counts from the first machine on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waves(Vec<Size>);

/// Why a text is no list of waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of growing sizes, as 1,25%,100%")]
pub struct WavesError;

impl Waves {
    /// All machines in one wave.
    pub fn one() -> Self {
        Self(vec![Size::Percent(100)])
    }

    /// Reads the list. Errors: an empty one, a zero, more than 100 %, a percentage or number smaller than the one before it.
    pub fn parse(text: &str) -> Result<Self, WavesError> {
        let mut sizes = Vec::new();
        for word in text.split(',') {
            let word = word.trim();
            let (digits, is_percent) = word.strip_suffix('%').map_or((word, false), |digits| (digits, true));
            let size: usize = digits.parse().map_err(|_| WavesError)?;
            let grows = match sizes.last() {
                Some(Size::Machines(before)) if !is_percent => size > *before,
                Some(Size::Percent(before)) if is_percent => size > *before,
                _ => true,
            };
            if size == 0 || !grows || (is_percent && size > 100) {
                return Err(WavesError);
            }
            sizes.push(if is_percent { Size::Percent(size) } else { Size::Machines(size) });
        }
        Ok(Self(sizes))
    }

    /// Cuts a count of machines into waves: lengths above zero that add up to it. A percentage is rounded up; what the list leaves out is the last wave.
    pub fn cut(&self, machines: usize) -> Vec<usize> {
        let mut waves = Vec::new();
        let mut done = 0;
        for size in self.0.iter().copied().chain([Size::Percent(100)]) {
            let until = match size {
                Size::Machines(count) => count.min(machines),
                Size::Percent(percent) => (machines * percent).div_ceil(100),
            };
            if until > done {
                waves.push(until - done);
                done = until;
            }
        }
        waves
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_count_from_the_first_machine() {
        let waves = Waves::parse("1,25%,100%").expect("sizes");
        assert_eq!(waves.cut(4), [1, 3]);
        assert_eq!(waves.cut(8), [1, 1, 6]);
        assert_eq!(waves.cut(1), [1]);
        assert_eq!(waves.cut(0), [0; 0]);
        assert_eq!(Waves::parse("2").expect("sizes").cut(5), [2, 3]);
        assert_eq!(Waves::one().cut(3), [3]);
        for odd in ["", "0", "a", "50%,25%", "2,2", "101%", "1,,2", "-1", "1%%"] {
            assert_eq!(Waves::parse(odd), Err(WavesError), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn every_machine_is_in_one_wave(sizes in proptest::collection::vec(1usize..100, 1..6), percent: bool, machines in 0usize..200) {
            let mut sizes = sizes;
            sizes.sort_unstable();
            sizes.dedup();
            let words: Vec<String> = sizes.iter().map(|size| format!("{size}{}", if percent { "%" } else { "" })).collect();
            let waves = Waves::parse(&words.join(",")).expect("sizes").cut(machines);
            prop_assert_eq!(waves.iter().sum::<usize>(), machines);
            prop_assert!(waves.iter().all(|wave| *wave > 0));
        }
    }
}
