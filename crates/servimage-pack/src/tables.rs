//! Checks of the manifest's two tables, files and tensors, as hostile as the rest of it; see [`crate::validate`].

use crate::error::PackError;
use crate::layout::{BLOCK, impossible_shape};
use crate::manifest::{FileEntry, MAX_SHARD_BYTES, Manifest, Part, TensorEntry};
use crate::validate::{check_range, field};
use crate::{MANIFEST_FILE, sha256_hex};
use std::collections::HashSet;

/// Largest tokenizer file, in bytes.
const MAX_TOKENIZER_BYTES: u64 = 64 << 20;

/// Largest model card, in bytes: it is text, shown as a whole.
const MAX_CARD_BYTES: u64 = 1 << 20;

/// Most shards; with 32 MiB each that is 128 GiB.
const MAX_SHARDS: usize = 4096;

/// Most tensors; a 4B has 713.
const MAX_TENSORS: usize = 1 << 16;

/// Checks names, sizes and hashes of tokenizer, model card and shards.
pub(crate) fn check_files(manifest: &Manifest) -> Result<(), PackError> {
    check_range("shards", manifest.shards.len(), MAX_SHARDS)?;
    let mut names = HashSet::from([MANIFEST_FILE.to_owned()]);
    let tokenizer = [(&manifest.tokenizer, MAX_TOKENIZER_BYTES)];
    for (file, most) in tokenizer
        .into_iter()
        .chain(manifest.card.iter().map(|card| (card, MAX_CARD_BYTES)))
        .chain(manifest.shards.iter().map(|shard| (shard, MAX_SHARD_BYTES)))
    {
        check_file(file, most)?;
        // Compared without case: some file systems do not tell the two apart.
        if !names.insert(file.path.to_ascii_lowercase()) {
            return Err(PackError::Duplicate {
                kind: "file",
                name: file.path.clone(),
            });
        }
    }
    Ok(())
}

fn check_file(file: &FileEntry, most: u64) -> Result<(), PackError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if file.path.is_empty()
        || file.path.len() > 100
        || file.path.starts_with('.')
        || !file.path.bytes().all(plain)
    {
        return Err(PackError::Path {
            path: file.path.chars().take(100).collect(),
        });
    }
    if !(1..=most).contains(&file.size_bytes) {
        return Err(field(
            format!("size_bytes of `{}`", file.path),
            format!("1 to {most}"),
            file.size_bytes,
        ));
    }
    let is_hex = file
        .sha256
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if file.sha256.len() != sha256_hex(b"").len() || !is_hex {
        let found: String = file.sha256.chars().take(100).collect();
        return Err(field(
            format!("sha256 of `{}`", file.path),
            "64 lower-case hex digits",
            found,
        ));
    }
    Ok(())
}

/// Checks name, block, shape and place of every tensor.
pub(crate) fn check_tensors(manifest: &Manifest) -> Result<(), PackError> {
    check_range("tensors", manifest.tensors.len(), MAX_TENSORS)?;
    let mut names = HashSet::new();
    let mut end = Part {
        shard: 0,
        offset: 0,
        length: 0,
    };
    for entry in &manifest.tensors {
        check_name(&entry.name)?;
        if !names.insert(entry.name.as_str()) {
            return Err(PackError::Duplicate {
                kind: "tensor",
                name: entry.name.clone(),
            });
        }
        if entry.block != BLOCK {
            return Err(PackError::Block {
                tensor: entry.name.clone(),
                expected: BLOCK,
                found: entry.block,
            });
        }
        let expected = entry
            .layout
            .size_bytes(&entry.shape)
            .ok_or_else(|| impossible_shape(&entry.name, &entry.shape))?;
        let found = check_parts(entry, &manifest.shards, &mut end)?;
        if found != expected {
            let (tensor, shape, layout) = (entry.name.clone(), entry.shape.clone(), entry.layout);
            return Err(PackError::Length {
                tensor,
                shape,
                layout,
                expected,
                found,
            });
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), PackError> {
    let is_plain =
        (1..=200).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain {
        return Ok(());
    }
    let found: String = name.chars().take(100).collect();
    Err(field(
        "tensors.name",
        "1 to 200 visible ASCII characters",
        format!("{found:?}"),
    ))
}

/// Checks that the parts lie in the shards, in order and apart; `end` is the part before. Gives their bytes together.
///
/// Apart matters: parts that shared bytes could make a tensor larger than the whole pack.
fn check_parts(
    entry: &TensorEntry,
    shards: &[FileEntry],
    end: &mut Part,
) -> Result<u64, PackError> {
    let mut total = 0_u64;
    for (index, part) in entry.parts.iter().enumerate() {
        let bad = |expected: String, found: String| {
            Err(PackError::Part {
                tensor: entry.name.clone(),
                part: index,
                expected,
                found,
            })
        };
        let Some(shard) = shards.get(part.shard) else {
            return bad(
                format!("a shard below {}", shards.len()),
                format!("shard {}", part.shard),
            );
        };
        let found = format!(
            "{} bytes at {} of shard {}",
            part.length, part.offset, part.shard
        );
        let part_end = part.offset.checked_add(part.length);
        if part.length == 0 || part_end.is_none_or(|part_end| part_end > shard.size_bytes) {
            return bad(
                format!(
                    "1 byte or more within the {} bytes of `{}`",
                    shard.size_bytes, shard.path
                ),
                found,
            );
        }
        let least = if part.shard == end.shard {
            end.offset + end.length
        } else {
            0
        };
        if part.shard < end.shard || part.offset < least {
            let expected = format!(
                "a place after the part before it, which ends at {} of shard {}",
                end.offset + end.length,
                end.shard
            );
            return bad(expected, found);
        }
        *end = *part;
        // At most MAX_SHARDS x MAX_SHARD_BYTES together, since the parts lie apart.
        total += part.length;
    }
    Ok(total)
}
