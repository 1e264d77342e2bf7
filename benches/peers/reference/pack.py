"""Reads a model pack: `manifest.json` beside its shards.

The format is that of `crates/servimage-pack` (`manifest.rs`, `layout.rs`): little-endian, row-major. Quantized rows are cut
into blocks of 32 along the last dimension; all words come first, then one f16 scale a block.
"""

import hashlib
import json
import pathlib
from dataclasses import dataclass

import numpy as np

BLOCK = 32
SELF_TEST = "self_test."


@dataclass
class Pack:
    """A pack in memory."""

    folder: pathlib.Path
    manifest: dict
    tensors: dict[str, np.ndarray]
    shards: list[bytes]

    def weights(self) -> dict[str, np.ndarray]:
        """Every tensor but those of the self-test, as f32."""
        return {name: x for name, x in self.tensors.items() if not name.startswith(SELF_TEST)}

    def self_test(self) -> dict[str, np.ndarray]:
        """Inputs and expected outputs of the self-test, without their prefix."""
        return {
            name.removeprefix(SELF_TEST): x
            for name, x in self.tensors.items()
            if name.startswith(SELF_TEST)
        }

    def blocks(self, name: str, layout: str) -> tuple[np.ndarray, np.ndarray]:
        """Quants and scales of a matrix: the pack's own where it has this layout, else quantized here."""
        entry = next(entry for entry in self.manifest["tensors"] if entry["name"] == name)
        if entry["layout"] == layout:
            return blocks(bytes_of(entry, self.shards), entry["shape"], layout)
        return quantize(self.tensors[name], layout)

    def size_bytes(self) -> dict[str, int]:
        """What a visitor fetches, by file."""
        names = ["manifest.json", self.manifest["tokenizer"]["path"]]
        names += [shard["path"] for shard in self.manifest["shards"]]
        return {name: (self.folder / name).stat().st_size for name in names}


def read_pack(folder: str | pathlib.Path) -> Pack:
    """Reads all tensors; the shards' hashes are checked."""
    folder = pathlib.Path(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    if manifest["format_version"] != 1:
        raise ValueError(f"{folder}: format_version is {manifest['format_version']}, expected 1")
    shards = [read_shard(folder, entry) for entry in manifest["shards"]]
    tensors = {entry["name"]: decode(entry, shards) for entry in manifest["tensors"]}
    return Pack(folder, manifest, tensors, shards)


def read_shard(folder: pathlib.Path, entry: dict) -> bytes:
    """The bytes of one shard."""
    data = (folder / entry["path"]).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != entry["sha256"]:
        raise ValueError(f"{entry['path']}: SHA-256 is {found}, expected {entry['sha256']}")
    return data


def bytes_of(entry: dict, shards: list[bytes]) -> bytes:
    """The bytes of one tensor."""
    parts = (shards[p["shard"]][p["offset"] : p["offset"] + p["length"]] for p in entry["parts"])
    return b"".join(parts)


def decode(entry: dict, shards: list[bytes]) -> np.ndarray:
    """One tensor, f32 but for `u32`."""
    data = bytes_of(entry, shards)
    shape, layout = entry["shape"], entry["layout"]
    plain = {"f32": "<f4", "f16": "<f2", "u32": "<u4"}
    if layout in plain:
        values = np.frombuffer(data, plain[layout]).reshape(shape)
        return values.astype(np.uint32 if layout == "u32" else np.float32)
    if layout in ("q4", "q8"):
        return dequantize(data, shape, layout)
    raise ValueError(f"{entry['name']}: layout is {layout}, expected f32, f16, u32, q8 or q4")


def blocks(data: bytes, shape: list[int], layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Quants `[rows, n_blocks, 32]` around 0 and scales `[rows, n_blocks]`, f32, of a quantized tensor."""
    *outer, d_in = shape
    n_rows = int(np.prod(outer, dtype=np.int64))
    by_row = (n_rows, -(-d_in // BLOCK))
    n_blocks = by_row[0] * by_row[1]
    n_bytes = n_blocks * (BLOCK if layout == "q8" else BLOCK // 2)
    words, scales = data[:n_bytes], data[n_bytes : n_bytes + 2 * n_blocks]
    if layout == "q8":
        quants = np.frombuffer(words, np.int8).astype(np.float32)
    else:
        pairs = np.frombuffer(words, np.uint8)
        quants = np.stack([pairs & 15, pairs >> 4], axis=-1).astype(np.float32) - 8.0
    return quants.reshape(*by_row, BLOCK), np.frombuffer(scales, "<f2").astype(np.float32).reshape(by_row)


def dequantize(data: bytes, shape: list[int], layout: str) -> np.ndarray:
    """`scale * q`; the zeros behind a row that ends inside a block are dropped."""
    quants, scales = blocks(data, shape, layout)
    rows = (quants * scales[..., None]).reshape(len(quants), -1)[:, : shape[-1]]
    return np.ascontiguousarray(rows).reshape(shape)


def quantize(values: np.ndarray, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """Quants and scales as `servimage convert` makes them without a search: largest value over 127 or 7, rounded up to f16."""
    top = 127.0 if layout == "q8" else 7.0
    rows = values.reshape(-1, values.shape[-1])
    rows = np.pad(rows, ((0, 0), (0, -rows.shape[1] % BLOCK))).reshape(len(rows), -1, BLOCK)
    largest = np.abs(rows).max(-1)
    scales = (largest / top).astype(np.float16)
    short = scales.astype(np.float32) * top < largest
    scales[short] = np.nextafter(scales[short], np.float16(np.inf))
    scales = scales.astype(np.float32)
    safe = np.where(scales > 0, scales, 1)[..., None]
    return np.clip(np.round(rows / safe), -top, top), scales
