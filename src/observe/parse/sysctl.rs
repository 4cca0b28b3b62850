//! `sysctl NAME…` in its named form: an oid that is not there prints nothing on standard output and shifts no other line (facts/macos.md 3.2).

/// What we ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sysctl {
    /// `hw.memsize`, bytes
    pub memory: Option<u64>,
    /// `machdep.cpu.brand_string`
    pub chip: Option<String>,
    /// `hw.ncpu`
    pub cores: Option<u32>,
    /// `hw.model`
    pub model: Option<String>,
    /// `kern.osproductversion`
    pub macos: Option<String>,
    /// `kern.boottime`, seconds since 1970; the text behind the brace is local time and is not read.
    pub boot_time: Option<i64>,
    /// `vm.swapusage`'s `used`, bytes; `M` is MiB with two decimals.
    pub swap_used: Option<u64>,
    /// `iogpu.wired_limit_mb`, MiB; 0 is the system's own rule.
    pub gpu_limit_mebibytes: Option<u64>,
    /// `kern.memorystatus_vm_pressure_level`: 1, 2 or 4
    pub pressure: Option<u8>,
    /// `hw.pagesize`, bytes
    pub page_size: Option<u64>,
}

/// Reads it; the first line of a name counts.
pub fn sysctl(text: &str) -> Sysctl {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
            .filter(|v| !v.is_empty())
    };
    let owned = |name: &str| value(name).map(str::to_owned);
    Sysctl {
        memory: value("hw.memsize").and_then(|v| v.parse().ok()),
        chip: owned("machdep.cpu.brand_string"),
        cores: value("hw.ncpu").and_then(|v| v.parse().ok()),
        model: owned("hw.model"),
        macos: owned("kern.osproductversion"),
        boot_time: value("kern.boottime").and_then(boot_time),
        swap_used: value("vm.swapusage").and_then(swap_used),
        gpu_limit_mebibytes: value("iogpu.wired_limit_mb").and_then(|v| v.parse().ok()),
        pressure: value("kern.memorystatus_vm_pressure_level").and_then(|v| v.parse().ok()),
        page_size: value("hw.pagesize").and_then(|v| v.parse().ok()),
    }
}

fn boot_time(value: &str) -> Option<i64> {
    let seconds = value.split_once("sec = ")?.1;
    let end = seconds.find(|c: char| !c.is_ascii_digit()).unwrap_or(seconds.len());
    seconds[..end].parse().ok()
}

fn swap_used(value: &str) -> Option<u64> {
    let used = value.split_once("used = ")?.1.split_whitespace().next()?;
    let unit = used.find(|c: char| c.is_ascii_alphabetic())?;
    // A locale may have put a comma there; two decimals at most matter.
    let (whole, fraction) = used[..unit].split_once(['.', ',']).unwrap_or((&used[..unit], "0"));
    let scale = match used.as_bytes().get(unit)? {
        b'K' => 1u64 << 10,
        b'M' => 1 << 20,
        b'G' => 1 << 30,
        _ => return None,
    };
    let hundredths: u64 = format!("{fraction}00").get(..2)?.parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(scale)?.checked_add(hundredths * scale / 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// facts/macos.md 3.2, studio-01.
    const STUDIO: &str = "hw.memsize: 103079215104
machdep.cpu.brand_string: Apple M3 Ultra
hw.ncpu: 28
hw.model: Mac15,14
kern.osproductversion: 15.6.1
kern.boottime: { sec = 1755590412, usec = 482113 } Tue Aug 19 10:00:12 2025
vm.swapusage: total = 2048.00M  used = 1024.25M  free = 1023.75M  (encrypted)
vm.loadavg: { 3.12 2.87 2.40 }
iogpu.wired_limit_mb: 0
kern.memorystatus_vm_pressure_level: 1
kern.memorystatus_level: 33
hw.pagesize: 16384
";

    #[test]
    fn the_reference_machine() {
        let read = sysctl(STUDIO);
        assert_eq!(
            read,
            Sysctl {
                memory: Some(103_079_215_104),
                chip: Some("Apple M3 Ultra".to_owned()),
                cores: Some(28),
                model: Some("Mac15,14".to_owned()),
                macos: Some("15.6.1".to_owned()),
                boot_time: Some(1_755_590_412),
                swap_used: Some(1024 * (1 << 20) + (1 << 20) / 4),
                gpu_limit_mebibytes: Some(0),
                pressure: Some(1),
                page_size: Some(16384),
            }
        );
        assert_eq!(sysctl("sysctl: unknown oid 'hw.nope'\n"), Sysctl::default());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,80}", used in "[0-9.,]{0,6}[KMGé]?") {
            sysctl(&text);
            sysctl(&format!("vm.swapusage: used = {used}\nkern.boottime: sec = {text}"));
        }
    }
}
