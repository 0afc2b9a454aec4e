"""What the counterfactual sets have in common."""


def label(favourable: str, unfavourable: str) -> tuple:
    """The classes of a counterfactual; a row's label is the class of an unchanged answer that agrees with the record."""
    classes = [f"unchanged: {favourable}", f"unchanged: {unfavourable}", "changed"]
    values = [favourable, unfavourable, "changed"]
    return ("outcome", classes, values, classes[0], "What was recorded; `changed` is never a label.")
