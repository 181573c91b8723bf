#!/usr/bin/env python3
"""The reference job in DuckDB. usage: job_duckdb.py BILL(.csv|.parquet) OUT.duckdb ANSWER.json [--expert] [--compact] [--threads N]

Plain: read, decide each charge, store every allocation, ask. `--expert`: rules and tags once for each distinct set of
values, joined back. `--compact`: charges, shares and daily sums are stored, allocations are a query over them.
"""
import os
import sys

import duckdb

import reference_job
from reference_job import COLUMNS, tag_key

# An amount has ten decimals, one more than a nano, so it is a whole number of tenths of a nano. A half goes to the even
# nano: adding 4 and the nano's last bit (negated for negative amounts) before `//`, which cuts off, is exact and needs
# neither a float nor a comparison.
TENTHS = "CAST(CAST(EffectiveCost AS DECIMAL(28,10)) * 10000000000 AS BIGINT)"
NANOS = "(tenths + sign(tenths) * (4 + ((tenths // 10) & 1))) // 10"


def text(value):
    return "'" + value.replace("'", "''") + "'"


def values(rows):
    shown = lambda cell: text(cell) if isinstance(cell, str) else str(cell)
    return "(VALUES " + ",".join("(" + ",".join(map(shown, row)) + ")" for row in rows) + ")"


def column(dimension):
    """Tag columns are told apart by case, which SQL does not do."""
    key = tag_key(dimension)
    if not key:
        return COLUMNS[dimension]
    return "tag_" + key.replace("-", "_").lower() + ("_capital" if key[:1].isupper() else "")


def condition(test):
    if test["op"] == "eq":
        return f"{column(test['dim'])} = {text(test['value'])}"
    if test["op"] == "prefix":
        return f"starts_with({column(test['dim'])}, {text(test['value'])})"
    return f"{column(test['dim'])} IN ({','.join(map(text, test['value']))})"


class Job:
    def __init__(self, bill, threads, out):
        self.job = reference_job.load()
        rules = self.job["rules"]
        is_parquet = bill.endswith(".parquet")
        csv = f"read_csv({text(bill)}, header=true, delim=',', quote='\"', escape='\"', all_varchar=true)"
        self.source = f"read_parquet({text(bill)})" if is_parquet else csv
        self.day = "CAST(ChargePeriodStart AS DATE)" if is_parquet else "CAST(substr(ChargePeriodStart, 1, 10) AS DATE)"
        self.tags = [(column(dimension), tag_key(dimension)) for dimension in reference_job.tag_dimensions(self.job)]
        whens = " ".join(f"WHEN {' AND '.join(map(condition, rule['when']))} THEN {rule['id']}" for rule in rules)
        self.rule = f"CASE {whens} ELSE 0 END"
        keyed = [rule for rule in rules if rule["then"]["kind"] in ("tag", "lookup")]
        keys = " ".join(f"WHEN {rule['id']} THEN {column(rule['then']['dim'])}" for rule in keyed)
        self.key = f"CASE rule {keys} ELSE '' END"
        self.connection = duckdb.connect(out)
        self.connection.execute(f"SET threads={threads}; SET preserve_insertion_order=false; SET temp_directory={text(out + '.tmp')}")

    def run(self, *statements):
        for statement in statements:
            self.connection.execute(statement)

    def tag_columns(self, tags):
        return ", ".join(f"json_extract_string({tags}, '$.\"{key}\"') AS {name}" for name, key in self.tags)

    def load_rules(self):
        direct = [(0, "", reference_job.UNALLOCATED)]
        shared = []
        for rule in self.job["rules"]:
            target = rule["then"]
            if target["kind"] == "tag":
                teams = [team["team"] for team in self.job["teams"] if team["team"] != reference_job.UNALLOCATED]
                direct += [(rule["id"], team, team) for team in teams]
            elif target["kind"] == "lookup":
                direct += [(rule["id"], value, team) for value, team in target["map"].items()]
            elif not rule["shared"]:
                direct.append((rule["id"], "", target["weights"][0][0]))
            else:
                weights, by_cost = reference_job.shared_weights(rule)
                shared += [(rule["id"], place, team, weight, by_cost) for place, (team, weight) in enumerate(weights)]
        centers = [(team["team"], team["cost_center"]) for team in self.job["teams"]]
        self.run(
            f"CREATE TEMP TABLE direct_rule AS SELECT * FROM {values(direct)} v(rule, key, team)",
            f"CREATE TEMP TABLE shared_rule AS SELECT * FROM {values(shared)} v(rule, place, team, weight, by_cost)",
            f"CREATE TEMP TABLE teams AS SELECT * FROM {values(centers)} v(team, cost_center)",
        )

    def decide_each_charge(self):
        self.run(
            f"""CREATE TEMP TABLE charge AS
            SELECT line, day, ServiceName AS service, {NANOS} AS nanos, rule, {self.key} AS key FROM (
              SELECT *, {self.rule} AS rule FROM (
                SELECT row_number() OVER () AS line, {self.day} AS day, ServiceName, SubAccountName, ChargeCategory, RegionId,
                  {TENTHS} AS tenths, {self.tag_columns("Tags")} FROM {self.source}))"""
        )

    def decide_each_tuple(self, is_kept):
        names = "ServiceName, SubAccountName, ChargeCategory, RegionId, Tags"
        tags = self.tag_columns("nullif(Tags, '')")
        filled = ", ".join(f"coalesce({name}, '') AS {name}" for name in names.split(", "))
        self.run(
            f"""CREATE TEMP TABLE bill AS SELECT line, day, {names}, {NANOS} AS nanos FROM (
              SELECT row_number() OVER () AS line, {self.day} AS day, {filled}, {TENTHS} AS tenths FROM {self.source})""",
            f"CREATE TEMP TABLE tagging AS SELECT Tags, {tags} FROM (SELECT DISTINCT Tags FROM bill)",
            f"""CREATE TEMP TABLE decision AS SELECT {names}, rule, {self.key} AS key FROM (
              SELECT *, {self.rule} AS rule FROM (SELECT DISTINCT {names} FROM bill) JOIN tagging USING (Tags))""",
            f"""CREATE {"" if is_kept else "TEMP "}TABLE charge AS
            SELECT line, day, ServiceName AS service, nanos, rule, key FROM bill JOIN decision USING ({names})""",
        )

    def share(self):
        self.run(
            "CREATE TEMP TABLE direct AS SELECT line, day, service, team, nanos FROM charge JOIN direct_rule USING (rule, key)",
            f"""CREATE TEMP TABLE share AS WITH
            cost AS (SELECT day, team, CAST(sum(nanos) AS BIGINT) AS nanos FROM direct
              WHERE team <> '{reference_job.UNALLOCATED}' GROUP BY ALL),
            given AS (SELECT s.rule, d.day, s.place, s.team,
                CASE WHEN s.by_cost THEN greatest(coalesce(cost.nanos, 0), 0) ELSE s.weight END::HUGEINT AS weight
              FROM shared_rule s CROSS JOIN (SELECT DISTINCT day FROM charge) d
              LEFT JOIN cost ON cost.day = d.day AND cost.team = s.team),
            used AS (SELECT rule, day, place, team,
                CASE WHEN sum(weight) OVER (PARTITION BY rule, day) = 0 THEN 1::HUGEINT ELSE weight END AS weight FROM given)
            SELECT rule, day, team, upto::HUGEINT AS upto, (upto - weight)::HUGEINT AS before, total::HUGEINT AS total FROM (
              SELECT *, sum(weight) OVER (PARTITION BY rule, day ORDER BY place) AS upto,
                sum(weight) OVER (PARTITION BY rule, day) AS total FROM used)""",
        )

    ALLOCATIONS = """SELECT line, day, service, team, cost_center, nanos FROM (
      SELECT line, day, service, team, nanos FROM direct
      UNION ALL
      SELECT c.line, c.day, c.service, s.team,
        ((c.nanos::HUGEINT * s.upto) // s.total - (c.nanos::HUGEINT * s.before) // s.total)::BIGINT
      FROM charge c JOIN share s ON s.rule = c.rule AND s.day = c.day) JOIN teams USING (team)"""

    def store(self, is_compact):
        if is_compact:
            self.run(
                "CREATE TABLE allocation_share AS SELECT * FROM share",
                f"CREATE TABLE allocation AS SELECT day, service, team, sum(nanos) AS nanos FROM ({self.ALLOCATIONS}) GROUP BY ALL",
            )
        else:
            self.run(f"CREATE TABLE allocation AS {self.ALLOCATIONS}")
        self.run("CHECKPOINT")

    def answer(self):
        month = "strftime(date_trunc('month', day), '%Y-%m')"
        return self.connection.execute(f"SELECT team, service, {month} AS month, sum(nanos) FROM allocation GROUP BY ALL ORDER BY ALL").fetchall()


def main():
    bill, out, answer = sys.argv[1:4]
    options = sys.argv[4:]
    threads = options[options.index("--threads") + 1] if "--threads" in options else os.cpu_count()
    is_compact = "--compact" in options
    for path in (out, out + ".wal"):
        if os.path.exists(path):
            os.remove(path)
    job = Job(bill, threads, out)
    job.load_rules()
    if "--expert" in options:
        job.decide_each_tuple(is_compact)
    else:
        job.decide_each_charge()
    job.share()
    job.store(is_compact)
    reference_job.write_answer(answer, job.answer())


main()
