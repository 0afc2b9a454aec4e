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


def sha256_of(path: Path) -> str:
    """Returns the lower-case hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def manifest(description: dict, csv_path: Path) -> dict:
    """Returns the manifest of the dataset whose rows are in `csv_path`."""
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
        "@context": CONTEXT,
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
            {
                "@type": "cr:FileObject",
                "@id": csv_path.name,
                "name": csv_path.name,
                "description": description["file"],
                "contentUrl": csv_path.name,
                "contentSize": f"{csv_path.stat().st_size} B",
                "encodingFormat": "text/csv",
                "sha256": sha256_of(csv_path),
            }
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
    }


def write(description: dict, folder: Path) -> None:
    """Writes `croissant.json` beside the folder's `data.csv`."""
    text = json.dumps(manifest(description, folder / "data.csv"), indent=2, ensure_ascii=False)
    (folder / "croissant.json").write_text(text + "\n", encoding="utf-8")
