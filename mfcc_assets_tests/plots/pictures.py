"""Titles that are hard to draw, made-up cepstra, and the pixels of a picture."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HARD_TITLES = ["", "$5 for $x_1", r"$\frac{", "東京の夜 🎷 👩‍👩‍👧", "two\nlines\x00", "long " * 100]


def cepstra(frames: int, seed: int = 0) -> NDArray[np.float32]:
    """Random cepstra (frames, 13)."""
    return np.random.default_rng(seed).normal(scale=20, size=(frames, 13)).astype(np.float32)


def pixels(png: bytes) -> NDArray[np.uint8]:
    """Pixels (rows, columns, 3) of a PNG."""
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))
