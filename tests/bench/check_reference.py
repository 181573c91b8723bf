#!/usr/bin/env python3
"""The reference job, exact and plain, in Python's own integers: the judge of the others. usage: check_reference.py BILL.csv ANSWER.json"""
import collections
import csv
import decimal
import json
import sys

import reference_job
from reference_job import COLUMNS, UNALLOCATED, tag_key

NANO = decimal.Decimal("1e-9")


def nanos(text):
    return int(decimal.Decimal(text).quantize(NANO, rounding=decimal.ROUND_HALF_EVEN).scaleb(9))


def value(row, tags, dimension):
    key = tag_key(dimension)
    return tags.get(key) if key else row[COLUMNS[dimension]]


def meets(test, found):
    if not found:
        return False
    if test["op"] == "prefix":
        return found.startswith(test["value"])
    return found == test["value"] if test["op"] == "eq" else found in test["value"]


def first_match(job, row, tags):
    for rule in job["rules"]:
        if all(meets(test, value(row, tags, test["dim"])) for test in rule["when"]):
            return rule
    return None


def one_team(rule, row, tags):
    """The team of a direct rule; nothing for a shared one."""
    if rule is None:
        return UNALLOCATED
    target = rule["then"]
    if target["kind"] == "tag":
        return value(row, tags, target["dim"])
    if target["kind"] == "lookup":
        return target["map"][value(row, tags, target["dim"])]
    return None if rule["shared"] else target["weights"][0][0]


def cut(amount, upto, total):
    """Towards zero, which Python's `//` does not do for negative amounts."""
    product = abs(amount) * upto // total
    return product if amount >= 0 else -product


def split(amount, weights):
    total, upto, before = sum(weight for _, weight in weights), 0, 0
    for team, weight in weights:
        upto += weight
        share = cut(amount, upto, total)
        yield team, share - before
        before = share


def weights_of_day(rule, day, direct):
    given, by_cost = reference_job.shared_weights(rule)
    if by_cost:
        given = [(team, max(0, direct[day, team])) for team, _ in given]
    return given if any(weight for _, weight in given) else [(team, 1) for team, _ in given]


def main():
    bill, answer = sys.argv[1:3]
    job = reference_job.load()
    sums, direct, shared = collections.Counter(), collections.Counter(), []
    with open(bill, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tags = json.loads(row["Tags"] or "{}")
            day, service, amount = row["ChargePeriodStart"][:10], row["ServiceName"], nanos(row["EffectiveCost"])
            rule = first_match(job, row, tags)
            team = one_team(rule, row, tags)
            if team is None:
                shared.append((rule, day, service, amount))
                continue
            sums[team, service, day[:7]] += amount
            if team != UNALLOCATED:
                direct[day, team] += amount
    for rule, day, service, amount in shared:
        for team, share in split(amount, weights_of_day(rule, day, direct)):
            sums[team, service, day[:7]] += share
    reference_job.write_answer(answer, [(*group, total) for group, total in sorted(sums.items())])


main()
