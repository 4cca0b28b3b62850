//! Random numbers of our own: the same seed gives the same report on every machine and in every release.

/// xoshiro256++ (Blackman, Vigna 2019), seeded by SplitMix64. Not for secrets.
#[derive(Clone, Debug)]
pub struct Generator([u64; 4]);

impl Generator {
    /// A generator of this seed.
    pub fn new(mut seed: u64) -> Self {
        let mut next = || {
            seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        Self([next(), next(), next(), next()])
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b_shifted(self.0[1])), d.rotate_left(45)];
        result
    }

    /// A number below `bound`, which is above 0: the high half of a product (Lemire 2019); the bias is below 2^-32 for our counts.
    pub fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.bits()) * (bound as u128);
        usize::try_from(product >> 64).unwrap_or_default()
    }

    /// Uniform in [0, 1).
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Standard normal (Box, Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}

const fn b_shifted(b: u64) -> u64 {
    b << 17
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shadow::statistics::float;

    #[test]
    fn the_published_sequence() {
        // xoshiro256++ from the state 1, 2, 3, 4: the first outputs of the authors' C code.
        let mut generator = Generator([1, 2, 3, 4]);
        let first: Vec<u64> = (0..4).map(|_| generator.bits()).collect();
        assert_eq!(first, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn fair_enough() {
        let mut generator = Generator::new(7);
        let mut counts = [0_usize; 10];
        let mut sum = 0.0;
        for _ in 0..100_000 {
            counts[generator.below(10)] += 1;
            sum += generator.normal();
        }
        assert!(counts.iter().all(|count| count.abs_diff(10_000) < 400), "{counts:?}");
        assert!((sum / float(100_000)).abs() < 0.02);
    }
}
