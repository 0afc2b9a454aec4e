#!/usr/bin/env python3
"""Trains the example models of each dataset on its train rows and exports them to ONNX.

    python3 train.py [german|compas|adult ...]

A model's input is one float tensor [N, D]: the manifest's features in order, in raw units (years, DM, one-hot 0 or 1).
Its label output is the class index of the manifest. Seeds are fixed; `models/README.md` is written from what ONNX
Runtime computes with the exported file, not from what the training library thinks of the model.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import sklearn
from skl2onnx import convert_sklearn
from skl2onnx import __version__ as skl2onnx_version
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import croissant
import encoding

HERE = Path(__file__).resolve().parent
SEED = 20261122
OPSET = {"": 17, "ai.onnx.ml": 3}


def logistic_regression() -> LogisticRegression:
    """A plain logistic regression."""
    return LogisticRegression(C=1.0, max_iter=2000, random_state=SEED)


def linear_svc() -> LinearSVC:
    """A linear support vector machine: scores without probabilities."""
    return LinearSVC(C=0.1, max_iter=20000, random_state=SEED)


def mlp() -> MLPClassifier:
    """A 16-8 network with relu; the strong penalty keeps it from learning its few hundred rows by heart."""
    return MLPClassifier((16, 8), activation="relu", alpha=10.0, max_iter=1000, random_state=SEED)


MODELS = {
    "german": {"logistic": logistic_regression, "mlp-16-8": mlp},
    "compas": {"logistic": logistic_regression, "linear-svc": linear_svc},
    "adult": {"logistic": logistic_regression, "mlp-64-32": None},
}


def export_sklearn(estimator, features: np.ndarray, labels: np.ndarray, path: Path) -> None:
    """Fits a StandardScaler pipeline and writes it as ONNX, without the ZipMap that turns probabilities into maps."""
    pipeline = make_pipeline(StandardScaler(), estimator).fit(features, labels)
    model = convert_sklearn(
        pipeline,
        name=path.stem,
        initial_types=[("input", FloatTensorType([None, features.shape[1]]))],
        options={type(estimator): {"zipmap": False} if hasattr(estimator, "predict_proba") else {}},
        target_opset=OPSET,
    )
    path.write_bytes(model.SerializeToString())


def predictions(path: Path, features: np.ndarray) -> np.ndarray:
    """Returns the class index per row that ONNX Runtime computes; a single score output is a probability of class 1."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    first = session.run(None, {session.get_inputs()[0].name: features})[0]
    if np.issubdtype(first.dtype, np.integer):
        return first.reshape(-1)
    return (first.reshape(-1) >= 0.5).astype(np.int64)


def share(flags: np.ndarray) -> str:
    """Formats a share of rows, or says that there is none."""
    return f"{flags.mean():.4f}" if len(flags) else "undefined (no rows)"


def report(path: Path, audit: dict, rows: list[dict], features: np.ndarray, labels: np.ndarray, test: np.ndarray) -> list[str]:
    """Returns the README section of one model."""
    predicted = predictions(path, features)
    favourable = audit["label"]["classes"].index(audit["label"]["favourable"])
    operators = " → ".join(node.op_type for node in onnx.load(path).graph.node)
    lines = [
        f"## {path.name}",
        "",
        f"{path.stat().st_size:,} bytes, sha256 `{croissant.sha256_of(path)}`",
        "",
        f"Operators: {operators}",
        "",
        f"Accuracy: train rows {share((predicted == labels)[~test])}, test rows {share((predicted == labels)[test])}, "
        f"all {share(predicted == labels)}.",
        "",
        "| attribute | group | rows | favourable label | selection rate | selection rate, test rows | accuracy |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for attribute in audit["attributes"]:
        of_row = np.array([encoding.group(attribute, row) for row in rows])
        for name in [group["name"] for group in attribute["groups"]]:
            member = of_row == name
            cells = [
                f"{member.sum():,}",
                share((labels == favourable)[member]),
                share((predicted == favourable)[member]),
                share((predicted == favourable)[member & test]),
                share((predicted == labels)[member]),
            ]
            lines.append(f"| {attribute['name']} | {name} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def train(name: str) -> None:
    """Trains, exports and reports the models of one dataset."""
    audit, rows = encoding.load(HERE / name)
    features = np.array([encoding.raw_vector(audit, row) for row in rows], dtype=np.float32)
    labels = np.array([encoding.label(audit, row) for row in rows])
    test = np.array([row["split"] == "test" for row in rows])
    folder = HERE / name / "models"
    folder.mkdir(exist_ok=True)
    lines = [
        f"# Example models for {name}",
        "",
        f"Written by `datasets/train.py` (seed {SEED}; scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx_version}).",
        f"Input: `[N, {features.shape[1]}]`, float32, raw units, in manifest order. Trained on {(~test).sum():,} rows with "
        f"`split` = train; {test.sum():,} rows are test.",
        f"The first output is the class index, or for a network with one sigmoid output the probability of class 1: {', '.join(f'{i} = {c}' for i, c in enumerate(audit['label']['classes']))}; "
        f"favourable is {audit['label']['favourable']}.",
        "",
        "The figures are those of the float model in ONNX Runtime, on all rows of `data.csv` unless a column says otherwise.",
        "The models are examples for audits. None is fit for any decision about people.",
        "",
    ]
    for stem, make in MODELS[name].items():
        path = folder / f"{stem}.onnx"
        if make is None:
            from train_torch import export_mlp

            export_mlp(features[~test], labels[~test], path, SEED)
        else:
            export_sklearn(make(), features[~test], labels[~test], path)
        lines += report(path, audit, rows, features, labels, test)
        print(f"{name}/{stem}: {path.stat().st_size:,} bytes", file=sys.stderr)
    (folder / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")


def main() -> None:
    """Reads the command line and trains the models of the datasets asked for."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        # skl2onnx iterates over sets of names; a fixed hash seed makes it write the same order every time.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=list(MODELS))
    for name in parser.parse_args().names:
        train(name)


if __name__ == "__main__":
    main()
