//! Sizes from what a weights directory says of itself: the index of its shards, or the header of one file.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::fleet::Bytes;

/// Why an index or a header tells no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// No JSON object of the expected shape.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The index names a file that is not in its own directory.
    #[error("the index names a file outside its directory: {0:?}")]
    Outside(String),
    /// Offsets that run backwards or beyond what a file can hold.
    #[error("the header of a safetensors file has absurd offsets")]
    AbsurdOffsets,
}

/// What `model.safetensors.index.json` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// `metadata.total_size`: the bytes of all tensors.
    pub total: Option<Bytes>,
    /// The shards it names, each once, sorted.
    pub files: Vec<String>,
}

/// Reads an index. Errors: [`WeightsError`]; a shard must be a plain file name, so that nobody is led out of the directory by it.
pub fn read_index(text: &str) -> Result<Index, WeightsError> {
    const MALFORMED: WeightsError = WeightsError::Malformed("model.safetensors.index.json");
    let value: Value = serde_json::from_str(text).map_err(|_| MALFORMED)?;
    let map = value.get("weight_map").and_then(Value::as_object).ok_or(MALFORMED)?;
    let mut files = BTreeSet::new();
    for file in map.values() {
        let file = file.as_str().ok_or(MALFORMED)?;
        if file.is_empty() || file.starts_with('.') || file.contains(['/', '\\']) || file.chars().any(char::is_control)
        {
            return Err(WeightsError::Outside(file.to_owned()));
        }
        files.insert(file.to_owned());
    }
    let total = value.pointer("/metadata/total_size").and_then(Value::as_u64).filter(|total| *total > 0).map(Bytes);
    Ok(Index { total, files: files.into_iter().collect() })
}

/// The bytes of the tensors of one safetensors file, from the JSON text of its header (without the eight bytes of its length). Errors: [`WeightsError`].
pub fn header_bytes(header: &str) -> Result<Bytes, WeightsError> {
    const MALFORMED: WeightsError = WeightsError::Malformed("the header of a safetensors file");
    let value: Value = serde_json::from_str(header).map_err(|_| MALFORMED)?;
    let mut end = 0;
    for (name, tensor) in value.as_object().ok_or(MALFORMED)? {
        if name == "__metadata__" {
            continue;
        }
        let offset = |at: usize| tensor.pointer(&format!("/data_offsets/{at}")).and_then(Value::as_u64);
        let (start, stop) = offset(0).zip(offset(1)).ok_or(MALFORMED)?;
        if start > stop || stop > 1 << 50 {
            return Err(WeightsError::AbsurdOffsets);
        }
        end = end.max(stop);
    }
    Ok(Bytes(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index() {
        let text = r#"{"metadata":{"total_size":10},"weight_map":{"a":"m-2.safetensors","b":"m-1.safetensors","c":"m-2.safetensors"}}"#;
        let index = read_index(text).expect("an index");
        assert_eq!((index.total, index.files.join(" ").as_str()), (Some(Bytes(10)), "m-1.safetensors m-2.safetensors"));
        for (file, escaped) in
            [("../x", "../x"), ("/etc/passwd", "/etc/passwd"), (".hidden", ".hidden"), ("a\\nb", "a\nb")]
        {
            let text = format!(r#"{{"weight_map":{{"a":"{file}"}}}}"#);
            assert_eq!(read_index(&text), Err(WeightsError::Outside(escaped.to_owned())), "{file}");
        }
        for text in ["", "{}", r#"{"weight_map":[]}"#, r#"{"weight_map":{"a":7}}"#] {
            assert_eq!(read_index(text), Err(WeightsError::Malformed("model.safetensors.index.json")), "{text}");
        }
    }

    #[test]
    fn a_header() {
        let text = r#"{"__metadata__":{"format":"mlx"},"a":{"dtype":"U32","shape":[2],"data_offsets":[0,8]},"b":{"data_offsets":[8,40]}}"#;
        assert_eq!(header_bytes(text), Ok(Bytes(40)));
        assert_eq!(header_bytes(r#"{"a":{"data_offsets":[9,8]}}"#), Err(WeightsError::AbsurdOffsets));
        assert_eq!(
            header_bytes(r#"{"a":{"data_offsets":[0,18446744073709551615]}}"#),
            Err(WeightsError::AbsurdOffsets)
        );
        assert!(header_bytes(r#"{"a":{}}"#).is_err() && header_bytes("[]").is_err() && header_bytes("").is_err());
    }
}
