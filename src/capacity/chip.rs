//! What follows from a chip's name.

/// The memory bandwidth of a chip in bytes per second (10^9 a GB). `cores` tells the smaller bins of M3 Max and M4 Max apart; without it the larger is taken.
/// `None`: a chip that is not in the table.
///
/// Sources: facts/capacity.md 3.5 for M4, M4 Pro, M4 Max, M3 Max, M1, M2 and M3 Ultra; Apple's technical specifications for the others.
pub fn bandwidth(chip: &str, cores: Option<u32>) -> Option<f64> {
    let name = chip.trim().to_ascii_lowercase();
    let name = name.strip_prefix("apple").unwrap_or(&name).trim();
    let words: Vec<&str> = name.split_whitespace().collect();
    let small_bin = cores == Some(14);
    let gigabytes = match words.join(" ").as_str() {
        "m1" => 68.25,
        "m2" | "m3" => 100.0,
        "m4" => 120.0,
        "m3 pro" => 150.0,
        "m5" => 153.0,
        "m1 pro" | "m2 pro" => 200.0,
        "m4 pro" => 273.0,
        "m3 max" if small_bin => 300.0,
        "m1 max" | "m2 max" | "m3 max" => 400.0,
        "m4 max" if small_bin => 410.0,
        "m4 max" => 546.0,
        "m1 ultra" | "m2 ultra" => 800.0,
        "m3 ultra" => 819.0,
        _ => return None,
    };
    Some(gigabytes * 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of facts/capacity.md 3.5, GB/s; the smaller bins of M4 Max and M3 Max have 14 cores.
    #[test]
    fn the_table_of_the_facts() {
        for (chip, cores, gigabytes) in [
            ("M4", 10, 120.0),
            ("M4 Pro", 14, 273.0),
            ("M4 Max", 16, 546.0),
            ("M4 Max", 14, 410.0),
            ("M3 Max", 16, 400.0),
            ("M3 Max", 14, 300.0),
            ("M1 Ultra", 20, 800.0),
            ("M2 Ultra", 24, 800.0),
            ("M3 Ultra", 28, 819.0),
        ] {
            assert_eq!(bandwidth(chip, Some(cores)), Some(gigabytes * 1e9), "{chip} {cores}");
        }
    }

    #[test]
    fn bins_and_spellings() {
        assert_eq!(bandwidth("  apple m3   ULTRA ", None), Some(819e9));
        assert_eq!(bandwidth("Apple  M4 Pro", Some(12)), Some(273e9));
        assert_eq!(bandwidth("m4 max", Some(14)), Some(410e9));
        assert_eq!(bandwidth("M4 Max", Some(16)), Some(546e9));
        assert_eq!(bandwidth("Xeon", None), None);
        assert_eq!(bandwidth("", None), None);
    }
}
