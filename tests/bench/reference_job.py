"""The reference job's rules, as every contender reads them: first match decides, by the order in the file.

A condition looks at a dimension (`service`, `account`, `category`, `region`, `tag:<key>`); without the tag it is false.
Who pays: `tag` the team that the tag names, `lookup` the team in a map, `fixed` teams by weight, `even` teams alike,
`proportional` teams by their direct cost of the day (rules with one team), alike if that is zero for all.
An amount is EffectiveCost in nanos, rounded half-even. Share k of amount a is trunc(a*c_k/t) - trunc(a*c_(k-1)/t) with
the cumulative weights c in the order listed and their total t. What no rule decides is `unallocated`.
"""
import json
import os

COLUMNS = {"service": "ServiceName", "account": "SubAccountName", "category": "ChargeCategory", "region": "RegionId"}
UNALLOCATED = "unallocated"


def rules_path():
    return os.environ.get("RULES", os.path.join(os.path.dirname(os.path.abspath(__file__)), "rules.json"))


def load():
    with open(rules_path()) as file:
        return json.load(file)


def tag_key(dimension):
    """The key of a tag's dimension; nothing for the others."""
    return dimension[4:] if dimension.startswith("tag:") else None


def tag_dimensions(job):
    return sorted({test["dim"] for rule in job["rules"] for test in rule["when"] if tag_key(test["dim"])})


def shared_weights(rule):
    """Teams and weights of a shared rule, and whether the weights are those of the day."""
    target = rule["then"]
    if target["kind"] == "fixed":
        return [(team, weight) for team, weight in target["weights"]], False
    return [(team, 1) for team in target["teams"]], target["kind"] == "proportional"


def write_answer(path, rows):
    """Rows of team, service, month and nanos."""
    with open(path, "w") as file:
        json.dump([[team or "", service or "", month, int(nanos)] for team, service, month, nanos in rows], file)
