//! `df -kP PATH…`: columns are read from the right, because a device name may hold spaces (`map auto_home`, facts/macos.md 3.7).

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Where it is mounted.
    pub mount: String,
    /// Bytes that may still be written.
    pub available: u64,
}

/// One volume a line; the heading and what is no such line are passed over. The paths' own order is kept: with one path an argument, line i answers argument i.
pub fn df(text: &str) -> Vec<Volume> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Volume> {
    // FILESYSTEM BLOCKS USED AVAILABLE CAPACITY% MOUNT: the mount begins at the first slash behind the percentage.
    let (percent, _) = line.match_indices('%').find(|(at, _)| line[at + 1..].trim_start().starts_with('/'))?;
    let mount = line[percent + 1..].trim().to_owned();
    let mut columns = line[..percent].split_whitespace().rev();
    columns.next()?;
    let blocks: u64 = columns.next()?.parse().ok()?;
    Some(Volume { mount, available: blocks.checked_mul(1024)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn from_the_right() {
        let text = "Filesystem   1024-blocks      Used Available Capacity  Mounted on
/dev/disk3s5   239362496 171020320  47120012    79%    /System/Volumes/Data
map auto_home          0         0         0   100%    /System/Volumes/Data/home
//ops@hub/My Models   100 50 50 50% /Volumes/My Models 100%
";
        let read = df(text);
        assert_eq!(read[0], Volume { mount: "/System/Volumes/Data".to_owned(), available: 47_120_012 * 1024 });
        assert_eq!((read[1].available, read[1].mount.as_str()), (0, "/System/Volumes/Data/home"));
        assert_eq!((read[2].available, read[2].mount.as_str()), (50 * 1024, "/Volumes/My Models 100%"));
        assert_eq!(read.len(), 3);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[a-z0-9 %/\n]{0,100}|\\PC{0,100}") {
            df(&text);
        }
    }
}
