"""Positions that the reference implementation gives, for `tests/positions.rs`.

    python make_positions.py > positions.json

Needs torch and transformers. A case is a list of text lengths around and between images, and the images' grids in
patches; the positions are summed up in a few numbers where the sequence is long.
"""
import json
from types import SimpleNamespace

import torch
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLModel

IMAGE, TEXT, MERGE = 5, 100, 2
CASES = [
    ([3], []),
    ([4, 2], [[1, 4, 6]]),
    ([1, 1, 1], [[1, 2, 2], [1, 8, 4]]),
    ([0, 0], [[1, 6, 4]]),
    ([5, 2, 2, 3], [[1, 4, 14], [1, 14, 4], [1, 2, 8]]),
    ([2, 3], [[3, 4, 8]]),
    ([2, 2, 2, 2, 2, 2, 4], [[1, 14, 14], [1, 10, 16], [1, 24, 8], [1, 2, 98], [1, 98, 2], [1, 12, 16]]),
]


def main():
    self = SimpleNamespace(config=SimpleNamespace(vision_config=SimpleNamespace(spatial_merge_size=MERGE)))
    self.get_vision_position_ids = lambda *a, **k: Qwen3VLModel.get_vision_position_ids(self, *a, **k)
    out = []
    for texts, grids in CASES:
        ids = [TEXT] * texts[0]
        for n_text, (t, h, w) in zip(texts[1:], grids):
            ids += [IMAGE] * (t * h * w // MERGE**2) + [TEXT] * n_text
        batch = torch.tensor([ids])
        positions, _ = Qwen3VLModel.get_rope_index(
            self, batch, (batch == IMAGE).int(), torch.tensor(grids) if grids else None
        )
        out.append({"texts": texts, "grids": grids, "positions": positions[:, 0].tolist()})
    print("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in out) + "\n]")


main()
