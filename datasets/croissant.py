"""Writes a Croissant 1.1 manifest (JSON-LD with the RAI vocabulary) for one dataset folder.

A source module describes its dataset once; this module turns the description into the manifest, so that the sha256,
the fields and the audit block can never disagree with the file beside them.
"""

import hashlib
import json
from pathlib import Path

CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "assay": "https://assay.invalid/ns#",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
    "assay:audit": {"@id": "assay:audit", "@type": "@json"},
}
LANGUAGE_CONTEXT = {"assay:language": {"@id": "assay:language", "@type": "@json"}}


def sha256_of(path: Path) -> str:
    """Returns the lower-case hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_object(path: Path, text: str, encoding: str) -> dict:
    """Returns the manifest's entry for one file, with its digest."""
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": text,
        "contentUrl": path.name,
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": encoding,
        "sha256": sha256_of(path),
    }


def manifest(description: dict, csv_path: Path) -> dict:
    """Returns the manifest of the dataset whose rows are in `csv_path`.

    An item set for language models also has `language`, the `assay:language` block, and `files`: name, description and
    media type of the files that it names.
    """
    language = description.get("language")
    others = [file_object(csv_path.with_name(name), text, encoding) for name, text, encoding in description.get("files", [])]
    data_type = {"integer": "sc:Integer", "text": "sc:Text"}
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"rows/{name}",
            "name": name,
            "description": text,
            "dataType": data_type[kind],
            "source": {"fileObject": {"@id": csv_path.name}, "extract": {"column": name}},
        }
        for name, kind, text in description["columns"]
    ]
    return {
        "@context": CONTEXT | LANGUAGE_CONTEXT if language else CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": description["name"],
        "description": description["description"],
        "version": description["version"],
        "datePublished": description["datePublished"],
        "url": description["url"],
        "license": description["license"],
        "creator": description["creator"],
        "citeAs": description["citeAs"],
        "keywords": description["keywords"],
        "isLiveDataset": False,
        **{f"rai:{key}": value for key, value in description["rai"].items()},
        "distribution": [
            file_object(csv_path, description["file"], "text/csv"),
            *others,
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "description": description["row"],
                "field": fields,
            }
        ],
        "assay:audit": {"version": 1, "file": csv_path.name, **description["audit"]},
        **({"assay:language": {"version": 1, **language}} if language else {}),
    }


def write(description: dict, folder: Path) -> None:
    """Writes `croissant.json` beside the folder's `data.csv`."""
    text = json.dumps(manifest(description, folder / "data.csv"), indent=2, ensure_ascii=False)
    (folder / "croissant.json").write_text(text + "\n", encoding="utf-8")
