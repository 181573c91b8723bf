#!/usr/bin/env python3
"""The reference job as a careful analyst writes it in pandas. usage: job_pandas.py BILL(.csv|.parquet) OUT.sqlite ANSWER.json

Columns at a time, tags parsed once for each distinct text, the result in SQLite. Amounts and shares are floats, as is usual:
the answer is near, not exact.
"""
import json
import os
import sqlite3
import sys

import numpy
import pandas

import reference_job
from reference_job import COLUMNS, UNALLOCATED, tag_key


def read(bill):
    columns = ["ChargePeriodStart", "EffectiveCost", "Tags", *COLUMNS.values()]
    if bill.endswith(".parquet"):
        table = pandas.read_parquet(bill, columns=columns)
        table["day"] = table.ChargePeriodStart.dt.strftime("%Y-%m-%d")
        cost = table.EffectiveCost.astype("float64")
    else:
        table = pandas.read_csv(bill, usecols=columns)
        table["day"] = table.ChargePeriodStart.str[:10]
        cost = table.EffectiveCost
    # `rint` rounds a half to the even number.
    table["nanos"] = numpy.rint(cost.to_numpy() * 1e9).astype("int64")
    for column in ["day", *COLUMNS.values()]:
        table[column] = table[column].astype("category")
    return table.drop(columns=["ChargePeriodStart", "EffectiveCost"])


def dimensions(table, job):
    """The values of all dimensions, as categories; the tags' text is dropped."""
    found = {dimension: table[column] for dimension, column in COLUMNS.items()}
    codes, texts = pandas.factorize(table.Tags.fillna("{}"))
    parsed = [json.loads(text) for text in texts]
    for dimension in reference_job.tag_dimensions(job):
        distinct = pandas.Categorical([tags.get(tag_key(dimension)) for tags in parsed])
        found[dimension] = pandas.Series(pandas.Categorical.from_codes(distinct.codes[codes], distinct.categories), index=table.index)
    return table.drop(columns="Tags"), found


def meets(series, test):
    """Tries each distinct value once; a missing value meets nothing."""
    wanted = test["value"]
    tries = {
        "eq": lambda value: value == wanted,
        "prefix": lambda value: value.startswith(wanted),
        "in": lambda value: value in wanted,
        "lookup": lambda value: value in wanted,
    }
    hits = numpy.array([tries[test["op"]](value) for value in series.cat.categories] + [False], bool)
    return hits[series.cat.codes.to_numpy()]


def decide(table, found, job):
    decided = numpy.zeros(len(table), "int16")
    is_open = numpy.ones(len(table), bool)
    team = numpy.full(len(table), None, object)
    for rule in job["rules"]:
        matched = is_open.copy()
        for test in rule["when"]:
            matched &= meets(found[test["dim"]], test)
        decided[matched] = rule["id"]
        is_open &= ~matched
        target = rule["then"]
        if target["kind"] == "tag":
            team[matched] = found[target["dim"]][matched].astype(object)
        elif target["kind"] == "lookup":
            team[matched] = found[target["dim"]][matched].astype(object).map(target["map"])
        elif not rule["shared"]:
            team[matched] = target["weights"][0][0]
    team[is_open] = UNALLOCATED
    table["rule"] = decided
    table["team"] = pandas.Categorical(team, [entry["team"] for entry in job["teams"]])
    table["line"] = numpy.arange(1, len(table) + 1)
    return table


def shares(direct, days, job):
    owned = direct[direct.team != UNALLOCATED]
    cost = owned.groupby(["day", "team"], observed=True).nanos.sum().to_dict()
    rows = []
    for rule in filter(lambda rule: rule["shared"], job["rules"]):
        given, by_cost = reference_job.shared_weights(rule)
        for day in days:
            weights = [(team, max(0, int(cost.get((day, team), 0))) if by_cost else weight) for team, weight in given]
            if not any(weight for _, weight in weights):
                weights = [(team, 1) for team, _ in weights]
            total, before = sum(weight for _, weight in weights), 0
            for team, weight in weights:
                rows.append((rule["id"], day, team, before / total, (before + weight) / total))
                before += weight
    table = pandas.DataFrame(rows, columns=["rule", "day", "team", "before", "upto"])
    table["rule"] = table.rule.astype("int16")
    return table


def allocate(table, job):
    direct = table[table.team.notna()]
    spread = shares(direct, table.day.cat.categories, job)
    shared = table[table.team.isna()].drop(columns="team").merge(spread, on=["rule", "day"])
    shared["nanos"] = numpy.trunc(shared.nanos * shared.upto).astype("int64") - numpy.trunc(shared.nanos * shared.before).astype("int64")
    columns = ["line", "day", "ServiceName", "team", "nanos"]
    parts = [part[columns].astype({"team": str, "day": str}) for part in (direct, shared)]
    allocations = pandas.concat(parts, ignore_index=True).rename(columns={"ServiceName": "service"})
    allocations["cost_center"] = allocations.team.map({entry["team"]: entry["cost_center"] for entry in job["teams"]})
    return allocations


def main():
    bill, out, answer = sys.argv[1:4]
    job = reference_job.load()
    table, found = dimensions(read(bill), job)
    allocations = allocate(decide(table, found, job), job)
    if os.path.exists(out):
        os.remove(out)
    database = sqlite3.connect(out)
    database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
    allocations.to_sql("allocation", database, index=False, chunksize=200_000)
    database.commit()
    sums = "SELECT team, service, substr(day, 1, 7) AS month, sum(nanos) FROM allocation GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    reference_job.write_answer(answer, database.execute(sums).fetchall())


main()
