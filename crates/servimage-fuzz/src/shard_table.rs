//! Tables of shards and tensors over any bytes, with the hashes made right, so that a fuzzer gets behind them.
//!
//! Input: JSON `{"shards": [SIZE...], "tensors": [ENTRY...]}`, a zero byte, then the bytes of all shards.

use serde_json::{Value, json};
use servimage_pack::{Layout, MANIFEST_FILE, MemorySource, Pack, PackError, sha256_hex};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A sound manifest whose tables are replaced.
static MANIFEST: LazyLock<Value> = LazyLock::new(|| {
    let bytes = include_bytes!("../corpus/manifest/tiny-q8.json");
    serde_json::from_slice(bytes).expect("the committed manifest is JSON")
});

/// Whatever opens gives tensors of the right length or an error, and none with a value that is not finite.
pub(crate) fn run(bytes: &[u8]) {
    let Some(pack) = open(bytes) else {
        return;
    };
    for entry in &pack.manifest().tensors {
        match pollster::block_on(pack.read_tensor(&entry.name)) {
            Ok(tensor) if tensor.layout == Layout::U32 => {
                let n_values: usize = entry.shape.iter().product();
                assert_eq!(
                    tensor.to_u32().map(|values| values.len()).ok(),
                    Some(n_values)
                );
            }
            Ok(tensor) => {
                let values = tensor.to_f32().expect("its length was checked");
                assert_eq!(values.len(), entry.shape.iter().product::<usize>());
                // A finite scale times a small integer is finite.
                assert!(
                    values.iter().all(|value| value.is_finite()),
                    "{}",
                    entry.name
                );
            }
            Err(PackError::NotFinite { tensor, .. }) => assert_eq!(tensor, entry.name),
            Err(error) => panic!("a shard with the right size and hash was refused: {error}"),
        }
    }
    drop(pollster::block_on(pack.verify()));
}

fn open(bytes: &[u8]) -> Option<Pack<MemorySource>> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    let tables: Value = serde_json::from_slice(&bytes[..end]).ok()?;
    let sizes: Vec<usize> = serde_json::from_value(tables.get("shards")?.clone()).ok()?;
    let mut rest = &bytes[end + 1..];
    let mut files = BTreeMap::new();
    let mut shards = Vec::new();
    for (index, size_bytes) in sizes.into_iter().enumerate() {
        let (shard, more) = rest.split_at_checked(size_bytes)?;
        rest = more;
        let path = format!("shard-{index:04}.bin");
        shards.push(json!({"path": path, "size_bytes": size_bytes, "sha256": sha256_hex(shard)}));
        files.insert(path, shard.to_vec());
    }
    let mut manifest = MANIFEST.clone();
    manifest["shards"] = Value::Array(shards);
    manifest["tensors"] = tables.get("tensors")?.clone();
    files.insert(MANIFEST_FILE.to_owned(), manifest.to_string().into_bytes());
    pollster::block_on(Pack::open(MemorySource::new(files))).ok()
}
