"""Writes theil.json: what AIF360 makes of given counts as Theil indices, of all samples and between groups.

    .venv/bin/python theil.py        (the environment of generate.py)

Counts are listed per group as [TP, FP, TN, FN]; values are decimal text with 17 digits.
"""

import json
import math
import pathlib
import random
import warnings

warnings.filterwarnings("ignore")

import pandas as pd
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import ClassificationMetric


def text(value):
    return "nan" if math.isnan(value) else f"{value:.17f}"


def indices(groups):
    rows = []
    for index, (tp, fp, tn, fn) in enumerate(groups):
        for label, prediction, count in [(1, 1, tp), (0, 1, fp), (0, 0, tn), (1, 0, fn)]:
            rows += [(float(index), float(label), float(prediction))] * count
    data = pd.DataFrame(rows, columns=["a", "y", "p"])

    def dataset(labels):
        return BinaryLabelDataset(
            df=data[["a"]].assign(y=labels), label_names=["y"], protected_attribute_names=["a"],
            favorable_label=1, unfavorable_label=0,
        )

    metric = ClassificationMetric(
        dataset(data.y), dataset(data.p), unprivileged_groups=[{"a": 1.0}], privileged_groups=[{"a": 0.0}]
    )
    return metric.theil_index(), metric.between_all_groups_theil_index()


def main():
    draw = random.Random(2)
    # ProPublica's COMPAS table, a model without mistakes, one that grants nothing, one that grants everything.
    cases = [
        [(505, 349, 1139, 461), (1369, 805, 990, 532)],
        [(3, 0, 4, 0), (2, 0, 5, 0)],
        [(0, 0, 4, 3), (0, 0, 5, 1)],
        [(3, 4, 0, 0), (2, 5, 0, 0)],
        [(0, 0, 0, 3), (0, 0, 0, 2)],
    ]
    for groups, most in [(2, 9), (2, 400), (3, 40), (6, 200), (1, 50), (12, 15)]:
        cases.append([tuple(draw.randint(1, most) for _ in range(4)) for _ in range(groups)])
    vectors = []
    for groups in cases:
        overall, between = indices(groups)
        vectors.append({"groups": groups, "overall": text(overall), "between": text(between)})
    path = pathlib.Path(__file__).with_name("theil.json")
    path.write_text(json.dumps(vectors, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
