"""One module per dataset: where its originals are, how a row is read, and what its manifest says."""

import hashlib


def split(name: str, index: int) -> str:
    """Assigns row `index` (0-based) of a dataset without a published split: about 70 % train, 30 % test.

    The first four bytes, big-endian, of SHA-256("<name>:<index>") modulo 10: below 7 is train.
    """
    digest = hashlib.sha256(f"{name}:{index}".encode()).digest()
    return "train" if int.from_bytes(digest[:4], "big") % 10 < 7 else "test"


def one_hot(column: str, *values: str) -> dict:
    """A categorical feature at the scale of one standard unit."""
    return {"column": column, "one_hot": list(values), "scale": "4096"}


def numeric(column: str, offset: str, scale: str) -> dict:
    """A numeric feature: about the mean as offset, about 4096 divided by the standard deviation as scale."""
    return {"column": column, "name": column, "numeric": {"offset": offset, "scale": scale}}


def clamped(column: str, offset: str, scale: str, low: str, high: str) -> dict:
    """A numeric feature with a heavy tail: the raw value is limited to [low, high] before it is encoded."""
    return {**numeric(column, offset, scale), "clamp": {"min": low, "max": high}}
