"""Writes vectors.json: what Fairlearn, AIF360, scikit-learn and statsmodels make of given counts.

    python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/python generate.py

Values are decimal text with 17 digits. Counts are listed per group as [TP, FP, TN, FN] or per label and prediction.
"""

import json
import logging
import math
import pathlib
import random
import warnings

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import sklearn.metrics as sk
from aif360.datasets import BinaryLabelDataset
from aif360.metrics import BinaryLabelDatasetMetric, ClassificationMetric
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint


def text(value):
    value = float(value)
    return str(value) if math.isnan(value) or math.isinf(value) else f"{value:.17f}"


def table(tables):
    """One row per sample, from [TP, FP, TN, FN] per group; `group` is a tuple of group indices."""
    rows = []
    for group, (tp, fp, tn, fn) in tables.items():
        for label, prediction, count in [(1, 1, tp), (0, 1, fp), (0, 0, tn), (1, 0, fn)]:
            rows += [(*group, label, prediction)] * count
    names = [f"a{index}" for index in range(len(next(iter(tables))))]
    return pd.DataFrame(rows, columns=[*names, "y", "p"]), names


def false_discovery_rate(y, p):
    return 1 - sk.precision_score(y, p)


def negative_predictive_value(y, p):
    return sk.precision_score(y, p, pos_label=0)


def false_omission_rate(y, p):
    return 1 - negative_predictive_value(y, p)


FAIRLEARN_RATES = {
    "selection_rate": fl.selection_rate,
    "base_rate": lambda y, p: np.mean(y),
    "accuracy": sk.accuracy_score,
    "error_rate": sk.zero_one_loss,
    "precision": sk.precision_score,
    "recall": fl.true_positive_rate,
    "specificity": fl.true_negative_rate,
    "false_positive_rate": fl.false_positive_rate,
    "false_negative_rate": fl.false_negative_rate,
    "false_discovery_rate": false_discovery_rate,
    "false_omission_rate": false_omission_rate,
    "negative_predictive_value": negative_predictive_value,
    "f1": sk.f1_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
}
# The ids that are not made of the rate's name.
NAMED = {
    "fairlearn.selection_rate_difference": "fairlearn.demographic_parity_difference",
    "fairlearn.selection_rate_ratio": "fairlearn.demographic_parity_ratio",
    "fairlearn.recall_difference": "fairlearn.equal_opportunity_difference",
    "fairlearn.recall_ratio": "fairlearn.equal_opportunity_ratio",
    "fairlearn.precision_difference": "fairlearn.predictive_parity_difference",
    "fairlearn.precision_ratio": "fairlearn.predictive_parity_ratio",
    "aif360.selection_rate_difference": "aif360.statistical_parity_difference",
    "aif360.selection_rate_ratio": "aif360.disparate_impact",
    "aif360.recall_difference": "aif360.equal_opportunity_difference",
    "aif360.precision_difference": "aif360.predictive_parity_difference",
}


def fairlearn_values(data, names):
    sensitive = data[names]
    frame = fl.MetricFrame(metrics=FAIRLEARN_RATES, y_true=data.y, y_pred=data.p, sensitive_features=sensitive)
    values = {}
    for rate in FAIRLEARN_RATES:
        values[f"fairlearn.{rate}_difference"] = frame.difference()[rate]
        values[f"fairlearn.{rate}_ratio"] = frame.ratio()[rate]
        values[f"fairlearn.{rate}_group_min"] = frame.group_min()[rate]
        values[f"fairlearn.{rate}_group_max"] = frame.group_max()[rate]
    named = {
        "fairlearn.demographic_parity_difference": fl.demographic_parity_difference,
        "fairlearn.demographic_parity_ratio": fl.demographic_parity_ratio,
        "fairlearn.equal_opportunity_difference": fl.equal_opportunity_difference,
        "fairlearn.equal_opportunity_ratio": fl.equal_opportunity_ratio,
        "fairlearn.equalized_odds_difference": fl.equalized_odds_difference,
        "fairlearn.equalized_odds_ratio": fl.equalized_odds_ratio,
    }
    values = {NAMED.get(metric, metric): value for metric, value in values.items()}
    for metric, function in named.items():
        value = function(data.y, data.p, sensitive_features=sensitive)
        assert metric not in values or values[metric] == value or math.isnan(value)
        values[metric] = value
    for metric in ["equalized_odds_difference", "equalized_odds_ratio"]:
        function = getattr(fl, metric)
        values[f"fairlearn.{metric}.mean"] = function(data.y, data.p, sensitive_features=sensitive, agg="mean")
    return values


AIF360_RATES = {
    "selection_rate": "selection_rate",
    "accuracy": "accuracy",
    "error_rate": "error_rate",
    "precision": "positive_predictive_value",
    "recall": "true_positive_rate",
    "specificity": "true_negative_rate",
    "false_positive_rate": "false_positive_rate",
    "false_negative_rate": "false_negative_rate",
    "false_discovery_rate": "false_discovery_rate",
    "false_omission_rate": "false_omission_rate",
    "negative_predictive_value": "negative_predictive_value",
}


def aif360_values(data, names, unprivileged, reference):
    def dataset(labels):
        frame = data[names].assign(y=labels)
        return BinaryLabelDataset(
            df=frame.astype(float), label_names=["y"], protected_attribute_names=names,
            favorable_label=1, unfavorable_label=0,
        )

    groups = {
        "unprivileged_groups": [dict(zip(names, group)) for group in unprivileged],
        "privileged_groups": [dict(zip(names, reference))],
    }
    truth, predicted = dataset(data.y), dataset(data.p)
    metric = ClassificationMetric(truth, predicted, **groups)
    base = BinaryLabelDatasetMetric(truth, **groups)
    values = {
        "aif360.base_rate_difference": base.mean_difference(),
        "aif360.base_rate_ratio": base.disparate_impact(),
    }
    for rate, name in AIF360_RATES.items():
        values[f"aif360.{rate}_difference"] = metric.difference(getattr(metric, name))
        values[f"aif360.{rate}_ratio"] = metric.ratio(getattr(metric, name))
    values = {NAMED.get(key, key): value for key, value in values.items()}
    named = [
        "statistical_parity_difference", "disparate_impact", "equal_opportunity_difference",
        "average_odds_difference", "average_abs_odds_difference", "equalized_odds_difference",
        "average_predictive_value_difference", "false_positive_rate_difference", "false_negative_rate_difference",
        "false_discovery_rate_difference", "false_omission_rate_difference", "error_rate_difference",
        "false_positive_rate_ratio", "false_negative_rate_ratio", "false_discovery_rate_ratio",
        "false_omission_rate_ratio", "error_rate_ratio",
    ]
    for name in named:
        values[f"aif360.{name}"] = getattr(metric, name)()
    return values


def rate_values(data):
    values = {rate: function(data.y, data.p) for rate, function in FAIRLEARN_RATES.items()}
    values["matthews_correlation"] = sk.matthews_corrcoef(data.y, data.p)
    return values


def shown(values):
    return {metric: text(value) for metric, value in sorted(values.items())}


def groups_of(sizes):
    groups = [()]
    for size in sizes:
        groups = [(*group, index) for group in groups for index in range(size)]
    return groups


def binary_case(tables, sizes):
    data, names = table(tables)
    reference, *others = groups_of(sizes)
    case = {
        "sizes": sizes,
        "groups": [list(tables[group]) for group in groups_of(sizes)],
        "overall": shown(rate_values(data)),
        "between": shown(fairlearn_values(data, names) | aif360_values(data, names, others, reference)),
    }
    if len(others) > 1:
        case["against_last"] = shown(aif360_values(data, names, others[-1:], reference))
    return case


def binary_cases(draw):
    compas = {(0,): (505, 349, 1139, 461), (1,): (1369, 805, 990, 532)}
    cases = [binary_case(compas, [2])]
    for sizes, most in [([2], 9), ([2], 400), ([3], 40), ([6], 200), ([2, 2], 30), ([2, 3], 120), ([2, 2, 2], 15)]:
        tables = {group: tuple(draw.randint(1, most) for _ in range(4)) for group in groups_of(sizes)}
        cases.append(binary_case(tables, sizes))
    return cases


# Where our value is undefined on purpose: [TP, FP, TN, FN] per group, the metric, and the reason that we give.
DEGENERATE = [
    ([(3, 1, 4, 2), (0, 2, 5, 0)], "fairlearn.equal_opportunity_difference", "no_positives"),
    ([(3, 1, 4, 2), (0, 2, 5, 0)], "aif360.equal_opportunity_difference", "no_positives"),
    ([(3, 1, 4, 2), (2, 0, 0, 5)], "fairlearn.false_positive_rate_difference", "no_negatives"),
    ([(3, 1, 4, 2), (2, 0, 0, 5)], "aif360.average_odds_difference", "no_negatives"),
    ([(3, 1, 4, 2), (0, 0, 5, 2)], "fairlearn.predictive_parity_difference", "nothing_selected"),
    ([(3, 1, 4, 2), (0, 0, 5, 2)], "aif360.predictive_parity_difference", "nothing_selected"),
    ([(3, 1, 4, 2), (0, 0, 5, 0)], "fairlearn.f1_difference", "nothing_to_find"),
    ([(0, 0, 4, 2), (1, 1, 5, 2)], "aif360.disparate_impact", "reference_rate_zero"),
    ([(0, 0, 4, 2), (0, 0, 5, 2)], "fairlearn.demographic_parity_ratio", "largest_rate_zero"),
    ([(0, 0, 4, 2), (0, 0, 5, 2)], "aif360.disparate_impact", "reference_rate_zero"),
    ([(0, 0, 4, 2), (0, 0, 5, 2)], "fairlearn.equalized_odds_ratio", "largest_rate_zero"),
    ([(3, 1, 4, 2), (0, 0, 0, 0)], "fairlearn.demographic_parity_difference", "empty_group"),
    ([(3, 1, 4, 2), (0, 0, 0, 0)], "aif360.statistical_parity_difference", "empty_group"),
]


def degenerate_cases():
    cases = []
    for groups, metric, reason in DEGENERATE:
        data, names = table({(index,): group for index, group in enumerate(groups)})
        values = fairlearn_values(data, names) if metric.startswith("fairlearn") else None
        try:
            values = values or aif360_values(data, names, [(1,)], (0,))
            theirs = text(values[metric])
        except Exception as error:
            theirs = f"{type(error).__name__}"
        cases.append({"groups": [list(group) for group in groups], "metric": metric, "theirs": theirs, "ours": reason})
    return cases


def multiclass_cases(draw):
    cases = []
    for classes, most in [(3, 9), (3, 300), (5, 40)]:
        matrix = [[draw.randint(1, most) for _ in range(classes)] for _ in range(classes)]
        pairs = [(y, p) for y, row in enumerate(matrix) for p, count in enumerate(row) for _ in range(count)]
        y, p = np.array(pairs).T
        values = {
            "multiclass_accuracy": sk.accuracy_score(y, p),
            "macro.precision": sk.precision_score(y, p, average="macro"),
            "macro.recall": sk.recall_score(y, p, average="macro"),
            "macro.f1": sk.f1_score(y, p, average="macro"),
        }
        assert math.isclose(values["macro.recall"], sk.balanced_accuracy_score(y, p))
        one_against_rest = [rate_values(pd.DataFrame({"y": y == c, "p": p == c}).astype(int)) for c in range(classes)]
        for rate in FAIRLEARN_RATES:
            mean = np.mean([values[rate] for values in one_against_rest])
            if rate not in ("selection_rate", "base_rate"):
                assert math.isclose(mean, values.setdefault(f"macro.{rate}", mean))
        cases.append({"matrix": matrix, "overall": shown(values), "class_0": shown(one_against_rest[0])})
    return cases


def wilson_cases(draw):
    pairs = [(0, 1), (1, 1), (0, 10), (10, 10), (1, 2), (5, 10), (11, 11), (99, 1000), (12435, 45222), (1, 1 << 20)]
    pairs += [(draw.randint(0, n), n) for n in (draw.randint(1, 5000) for _ in range(60))]
    return [[k, n, *map(text, proportion_confint(k, n, method="wilson"))] for k, n in pairs]


def newcombe_cases(draw):
    quads = [(56, 70, 48, 80), (9, 10, 3, 10), (6, 7, 2, 7), (5, 56, 0, 29), (0, 10, 0, 20), (10, 10, 0, 10)]
    quads += [
        (draw.randint(0, m), m, draw.randint(0, n), n)
        for m, n in ((draw.randint(1, 3000), draw.randint(1, 3000)) for _ in range(60))
    ]
    limits = lambda quad: confint_proportions_2indep(*quad, compare="diff", method="newcomb", correction=False)
    return [[*quad, *map(text, limits(quad))] for quad in quads]


def main():
    draw = random.Random(1)
    vectors = {
        "binary": binary_cases(draw),
        "degenerate": degenerate_cases(),
        "multiclass": multiclass_cases(draw),
        "wilson": wilson_cases(draw),
        "newcombe": newcombe_cases(draw),
    }
    path = pathlib.Path(__file__).with_name("vectors.json")
    path.write_text(json.dumps(vectors, indent=1, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
