"""One evaluation as the network takes it: tokens, patches, and the small tables that are made on the host.

Tables: cosines and sines of both towers, taps into the learned positions, and which visual row stands at which token. Our own
engine makes them on the CPU too (`crates/servimage-model/src/positions.rs`); the graph takes them as inputs.
"""

import json
import pathlib
from dataclasses import dataclass

import numpy as np
import torch

from .checkpoint import Checkpoint
from .pack import Pack


@dataclass
class Prompt:
    """Tokens, with an image pad for each visual token, and the images' patches."""

    name: str
    input_ids: np.ndarray
    grids: np.ndarray
    pixel_values: np.ndarray

    def describe(self) -> dict:
        """Sizes of the work, for the report."""
        return {
            "name": self.name,
            "n_ids": len(self.input_ids),
            "n_patches": len(self.pixel_values),
            "grids": self.grids.tolist(),
        }


def self_test_prompt(pack: Pack) -> Prompt:
    """What the pack's self-test is run on."""
    vectors = pack.self_test()
    ids, grids = vectors["input_ids"].astype(np.int64), vectors["image_grid_thw"].astype(np.int64)
    return Prompt("self_test", ids, grids, vectors["pixel_values"])


def read_prompt(path: str | pathlib.Path) -> Prompt:
    """An input file of our own benches: `NAME.json`, and the patches in `NAME.f32` (`benches/forward/input.rs`)."""
    path = pathlib.Path(path)
    document = json.loads(path.read_text())
    grids = np.array(document["grids"], np.int64)
    patches = np.fromfile(path.with_suffix(".f32"), "<f4").reshape(int(grids.prod(1).sum()), -1)
    return Prompt(path.stem, np.array(document["ids"], np.int64), grids, patches)


def tables(checkpoint: Checkpoint, prompt: Prompt) -> dict[str, torch.Tensor]:
    """The network's inputs by name, all that depends on the prompt included."""
    text, vision = checkpoint.text, checkpoint.vision
    merge, image_token = vision["spatial_merge_size"], checkpoint.special_tokens["image"]
    is_image = prompt.input_ids == image_token
    positions = mrope_positions(is_image, prompt.grids, merge)
    patches = np.concatenate([patch_coordinates(grid, merge) for grid in prompt.grids])
    pos_rows, pos_weights = position_taps(vision, prompt.grids)
    text_cos, text_sin = text_rotary(text, positions)
    vision_cos, vision_sin = vision_rotary(vision, patches)
    arrays = {
        "input_ids": prompt.input_ids.astype(np.int32),
        "visual_rows": np.where(is_image, np.cumsum(is_image), 0).astype(np.int32),
        "text_cos": text_cos,
        "text_sin": text_sin,
        "pixel_values": prompt.pixel_values,
        "pos_rows": pos_rows,
        "pos_weights": pos_weights,
        "vision_cos": vision_cos,
        "vision_sin": vision_sin,
    }
    return {name: torch.from_numpy(np.ascontiguousarray(x)) for name, x in arrays.items()}


def mrope_positions(is_image: np.ndarray, grids: np.ndarray, merge: int) -> np.ndarray:
    """Time, height and width position of every token, `[n_ids, 3]`."""
    positions, at, following = [], 0, 0
    for t, h, w in grids:
        start = at + int(np.argmax(is_image[at:]))
        positions += [[following + i] * 3 for i in range(start - at)]
        following += start - at
        rows, columns = h // merge, w // merge
        cells = np.stack(np.meshgrid(range(t), range(rows), range(columns), indexing="ij"), -1)
        positions += (cells.reshape(-1, 3) + following).tolist()
        following += max(rows, columns)
        at = start + t * rows * columns
    positions += [[following + i] * 3 for i in range(len(is_image) - at)]
    return np.array(positions, np.float32)


def inverse_frequencies(theta: float, dim: int) -> np.ndarray:
    """`1 / theta^(2 i / dim)`, rounded to f32 as in the reference."""
    return (1.0 / theta ** (np.arange(0, dim, 2) / dim)).astype(np.float32)


def rotary(angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines, halves repeated: `[rows, head_dim]`."""
    angles = np.concatenate([angles, angles], -1).astype(np.float64)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def text_rotary(dims: dict, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Interleaved M-RoPE: frequency `i` turns with axis `i % 3` while `i < 3 * section[axis]`, else with the time."""
    frequencies = inverse_frequencies(dims["rope_theta"], dims["head_dim"])
    index = np.arange(len(frequencies))
    limits = 3 * np.array(dims["mrope_section"])
    axis = np.where((index % 3 > 0) & (index < limits[index % 3]), index % 3, 0)
    return rotary(positions[:, axis] * frequencies)


def patch_coordinates(grid: np.ndarray, merge: int) -> np.ndarray:
    """Row and column of each patch of an image in merge-block order, `[t * h * w, 2]`."""
    t, h, w = (int(n) for n in grid)
    rows, columns = np.meshgrid(range(h), range(w), indexing="ij")
    cells = np.stack([rows, columns], -1).reshape(h // merge, merge, w // merge, merge, 2)
    return np.tile(cells.transpose(0, 2, 1, 3, 4).reshape(-1, 2), (t, 1))


def vision_rotary(dims: dict, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axial positions: the first quarter of a head turns with the row, the next with the column."""
    head_dim = dims["d_model"] // dims["n_heads"]
    frequencies = inverse_frequencies(dims["rope_theta"], head_dim // 2)
    return rotary((patches[:, :, None].astype(np.float32) * frequencies).reshape(len(patches), -1))


def position_taps(dims: dict, grids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Four rows of the learned table a patch and their bilinear weights, both `[4, n_patches]`."""
    side, merge = int(dims["n_position_embeddings"] ** 0.5), dims["spatial_merge_size"]
    rows, weights = [], []
    for grid in grids:
        top, left = patch_coordinates(grid, merge).T
        (r0, r1, down), (c0, c1, across) = axis_taps(top, grid[1], side), axis_taps(left, grid[2], side)
        rows.append([r0 * side + c0, r0 * side + c1, r1 * side + c0, r1 * side + c1])
        up, back = 1 - down, 1 - across
        weights.append([up * back, up * across, down * back, down * across])
    return np.concatenate(rows, 1).astype(np.int32), np.concatenate(weights, 1).astype(np.float32)


def axis_taps(at: np.ndarray, n: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two table rows around step `at` of `n`, and how far it lies towards the second."""
    step = np.float32((side - 1) / (n - 1)) if n > 1 else np.float32(0)
    source = at.astype(np.float32) * step
    first = np.minimum(np.floor(source).astype(np.int64), side - 1)
    return first, np.minimum(first + 1, side - 1), source - first
