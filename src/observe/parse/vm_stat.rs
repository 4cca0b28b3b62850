//! `vm_stat`: counters of pages by label (facts/macos.md 3.3). Labels may be quoted, values end in a dot, unknown labels are passed over.

/// What matters of it, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VmStat {
    /// From the heading, bytes.
    pub page_size: Option<u64>,
    /// `Pages free` (without the speculative ones)
    pub free: Option<u64>,
    /// `File-backed pages`
    pub file_backed: Option<u64>,
    /// `Pages purgeable`
    pub purgeable: Option<u64>,
    /// `Pages wired down`
    pub wired: Option<u64>,
    /// `Pages occupied by compressor`
    pub compressor: Option<u64>,
}

impl VmStat {
    /// free + file-backed + purgeable: what can be had without paging anything out, bytes (facts/macos.md 3.4).
    pub fn available(&self) -> Option<u64> {
        let pages = self.free?.checked_add(self.file_backed?)?.checked_add(self.purgeable?)?;
        pages.checked_mul(self.page_size?)
    }

    /// A counter in bytes.
    pub fn bytes(&self, pages: Option<u64>) -> Option<u64> {
        pages?.checked_mul(self.page_size?)
    }
}

/// Reads it.
pub fn vm_stat(text: &str) -> VmStat {
    let mut read = VmStat::default();
    for line in text.lines() {
        if let Some(rest) = line.split_once("page size of ").map(|(_, rest)| rest) {
            read.page_size = rest.split_whitespace().next().and_then(|size| size.parse().ok());
            continue;
        }
        let Some((label, value)) = line.rsplit_once(':') else { continue };
        let slot = match label.trim().trim_matches('"') {
            "Pages free" => &mut read.free,
            "File-backed pages" => &mut read.file_backed,
            "Pages purgeable" => &mut read.purgeable,
            "Pages wired down" => &mut read.wired,
            "Pages occupied by compressor" => &mut read.compressor,
            _ => continue,
        };
        *slot = value.trim().trim_end_matches('.').parse().ok();
    }
    read
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// facts/macos.md 3.3, mini-01.
    const MINI: &str = "Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                4518.
Pages active:                            194947.
Pages wired down:                        159117.
Pages purgeable:                            630.
\"Translation faults\":                 574921966.
File-backed pages:                       141843.
Anonymous pages:                         247311.
Pages stored in compressor:             1022243.
Pages occupied by compressor:            454496.
";

    #[test]
    fn available_is_what_can_be_had_without_paging() {
        let read = vm_stat(MINI);
        assert_eq!(read.available(), Some(2_408_300_544), "facts/macos.md 3.4");
        assert_eq!(read.bytes(read.wired), Some(159_117 * 16384));
        assert_eq!(read.compressor, Some(454_496));
        assert_eq!(vm_stat("").available(), None);
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,200}", pages in any::<u64>()) {
            vm_stat(&text).available();
            let huge = format!("page size of {pages} bytes\nPages free: {pages}.\nFile-backed pages: {pages}.\nPages purgeable: 1.");
            vm_stat(&huge).available();
        }
    }
}
