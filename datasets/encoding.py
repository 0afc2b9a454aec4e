"""Reads a dataset folder the way the audit does: groups, labels, and features as raw numbers and as 16-bit integers.

This is the second implementation of the manifest's `assay:audit` block (the first is the Rust one); `prepare.py` uses it
to check every row before a manifest is written, and `train.py` to build the matrix that the models are trained on.
All arithmetic is on `Decimal`, so an encoded value is exact.
"""

import csv
import json
import re
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path

LIMIT = 32767
NUMBER = re.compile(r"-?\d+(\.\d{1,9})?")


def number(text: str) -> Decimal:
    """Parses a decimal string with at most nine fraction digits."""
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a decimal number with at most 9 fraction digits")
    return Decimal(text)


def load(folder: Path) -> tuple[dict, list[dict]]:
    """Returns the audit block of a dataset folder and its rows, each row a dict of raw strings."""
    audit = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))["assay:audit"]
    with open(folder / audit["file"], newline="", encoding="utf-8") as file:
        return audit, list(csv.DictReader(file))


def feature_names(audit: dict) -> list[str]:
    """Returns the names of the input vector's entries, in order."""
    names = []
    for feature in audit["features"]:
        if "numeric" in feature:
            names.append(feature["name"])
        else:
            names += [f"{feature['column']}={value}" for value in feature["one_hot"]]
    return names


def raw_vector(audit: dict, row: dict) -> list[Decimal]:
    """Returns the model's input for one row, in raw units: numbers after clamping, one-hot entries as 0 or 1."""
    vector = []
    for feature in audit["features"]:
        cell = row[feature["column"]]
        if "numeric" in feature:
            value = number(cell)
            if clamp := feature.get("clamp"):
                value = min(max(value, number(clamp["min"])), number(clamp["max"]))
            vector.append(value)
        else:
            hits = [Decimal(int(cell == value)) for value in feature["one_hot"]]
            if not any(hits) and not feature.get("other"):
                raise ValueError(f"column {feature['column']}: value {cell!r} is not listed")
            vector += hits
    return vector


def encoded_vector(audit: dict, row: dict) -> list[int]:
    """Returns the audit's input for one row: `floor((value - offset) * scale + 1/2)`, which must fit in 16 bits."""
    affine = []
    for feature in audit["features"]:
        if "numeric" in feature:
            affine.append((number(feature["numeric"]["offset"]), number(feature["numeric"]["scale"])))
        else:
            affine += [(Decimal(0), number(feature["scale"]))] * len(feature["one_hot"])
    encoded = []
    for (offset, scale), value, name in zip(affine, raw_vector(audit, row), feature_names(audit), strict=True):
        integer = int(((value - offset) * scale + Decimal("0.5")).to_integral_value(ROUND_FLOOR))
        if abs(integer) > LIMIT:
            raise ValueError(f"feature {name}: {value} becomes {integer}, outside 16 bits")
        encoded.append(integer)
    return encoded


def group(attribute: dict, row: dict) -> str:
    """Returns the name of the one group of `attribute` that the row belongs to."""
    cell = row[attribute["column"]]
    hits = []
    for candidate in attribute["groups"]:
        if "values" in candidate:
            inside = cell in candidate["values"]
        elif candidate.get("other"):
            continue
        else:
            value = number(cell)
            inside = ("from" not in candidate or number(candidate["from"]) <= value) and (
                "below" not in candidate or value < number(candidate["below"])
            )
        if inside:
            hits.append(candidate["name"])
    if not hits:
        hits = [candidate["name"] for candidate in attribute["groups"] if candidate.get("other")]
    if len(hits) != 1:
        raise ValueError(f"attribute {attribute['name']}: value {cell!r} falls in {len(hits)} groups, not one")
    return hits[0]


def label(audit: dict, row: dict) -> int:
    """Returns the row's class index."""
    return audit["label"]["values"].index(row[audit["label"]["column"]])
