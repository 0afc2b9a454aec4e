"""Has other people's libraries read what `assay certificate export` makes of a certificate.

    exports.py cyclonedx FILE | model-index FILE

Prints one JSON object: {"ok": what was read} or {"error": the first complaint}.
"""

import json
import pathlib
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import eval_results_to_model_index


def cyclonedx(text):
    """Against the schema that the CycloneDX project publishes, formats and unknown fields included."""
    complaint = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if complaint is not None:
        return {"error": getattr(complaint.data, "message", str(complaint.data))[:200]}
    bill = json.loads(text)
    model = next(one for one in bill["components"] if one["type"] == "machine-learning-model")
    card = model["modelCard"]
    metrics = card["quantitativeAnalysis"]["performanceMetrics"]
    numbers = [one for one in metrics if not one["value"].startswith("undefined: ")]
    for one in numbers:
        float(one["value"])
    return {"ok": {"model": model["name"], "numbers": len(numbers), "undefined": len(metrics) - len(numbers)}}


def model_index(text):
    """As the hub's client reads a repository's README.md."""
    try:
        data = ModelCard(text, ignore_metadata_errors=False).data
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    if not data.eval_results:
        return {"error": "no results were read"}
    for one in data.eval_results:
        if not isinstance(one.metric_value, float) or one.verified is not None or one.verify_token is not None:
            return {"error": f"{one.metric_name}: {one.metric_value!r}, {one.verified!r}"}
    # All are of one task and one dataset, and so one entry when the library writes the card.
    entries = eval_results_to_model_index(data.model_name, data.eval_results)[0]["results"]
    first = data.eval_results[0]
    return {"ok": {
        "model": data.model_name, "dataset": first.dataset_name, "task": first.task_type, "source": first.source_url,
        "numbers": len(data.eval_results), "entries": len(entries),
    }}


def main():
    form, path = sys.argv[1:]
    read = {"cyclonedx": cyclonedx, "model-index": model_index}[form]
    print(json.dumps(read(pathlib.Path(path).read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
