//! The normal distribution's quantiles.

use statrs::function::erf::erfc_inv;

/// The quantile that leaves 2.5 % on each side.
pub const TWO_SIDED: f64 = 1.959_963_984_540_054;

/// The value below which a standard normal variable falls with probability `p`.
pub fn quantile(p: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        for (p, z) in [(0.975, TWO_SIDED), (0.95, 1.644_853_626_951_472_7), (0.5, 0.0), (0.025, -TWO_SIDED)] {
            assert!((quantile(p) - z).abs() < 1e-12, "{p}: {}", quantile(p));
        }
    }
}
