//! The probe's answer cut into its sections.

/// One section: a marker line and what came until the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section<'a> {
    /// The first word of the marker.
    pub name: &'a str,
    /// The rest of the marker.
    pub argument: &'a str,
    /// The bytes until the newline before the next marker.
    pub body: &'a [u8],
}

impl Section<'_> {
    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.body)
    }
}

/// Cuts at lines `@@NONCE NAME ARGUMENT`. What stands before the first marker is dropped; a marker that is not UTF-8 is none.
pub fn sections<'a>(output: &'a [u8], nonce: &str) -> Vec<Section<'a>> {
    let mark = format!("\n@@{nonce} ").into_bytes();
    let mut starts: Vec<usize> = Vec::new();
    if output.starts_with(&mark[1..]) {
        starts.push(mark.len() - 1);
    }
    let mut from = 0;
    while let Some(at) = find(&output[from..], &mark) {
        starts.push(from + at + mark.len());
        // The newline that ends a marker line may be the one that begins the next marker.
        from += at + mark.len() - 1;
    }
    let ends = starts.iter().skip(1).map(|start| start - mark.len()).chain([output.len()]);
    let cut = |(start, end): (&usize, usize)| {
        let whole = output.get(*start..end.max(*start))?;
        let newline = whole.iter().position(|b| *b == b'\n').unwrap_or(whole.len());
        let marker = std::str::from_utf8(&whole[..newline]).ok()?;
        let (name, argument) = marker.split_once(' ').unwrap_or((marker, ""));
        Some(Section { name, argument, body: whole.get(newline + 1..).unwrap_or_default() })
    };
    starts.iter().zip(ends).filter_map(cut).collect()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = haystack[from..].iter().position(|b| b == first) {
        let start = from + at;
        if haystack[start + 1..].starts_with(rest) {
            return Some(start);
        }
        from = start + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cut_at_markers_of_this_run_only() {
        let output = b"noise\n@@n one\na\n@@other two\nb\n\n@@n three x y\n\n@@n empty\n@@n last\nno newline";
        let cut: Vec<_> = sections(output, "n").iter().map(|s| (s.name, s.argument, s.text().into_owned())).collect();
        assert_eq!(
            cut,
            [
                ("one", "", "a\n@@other two\nb\n".to_owned()),
                ("three", "x y", String::new()),
                ("empty", "", String::new()),
                ("last", "", "no newline".to_owned()),
            ]
        );
    }

    proptest! {
        #[test]
        fn never_panics(output in proptest::collection::vec(any::<u8>(), 0..200), glue in "(\n@@n [a-z ]{0,5}\n?){0,4}") {
            let mut all = output.clone();
            all.extend_from_slice(glue.as_bytes());
            all.extend_from_slice(&output);
            sections(&all, "n");
        }
    }
}
