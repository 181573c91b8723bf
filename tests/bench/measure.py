#!/usr/bin/env python3
"""Measures Apportion beside DuckDB and pandas on the reference job, and checks that their answers agree.

Contenders run in turn with Apportion before each, and ratios are taken within such a pair: on a busy machine only those mean
something. Time is the CPU time, user and system, of the whole process; wall time is shown as well.
The environment says what to measure: see run.sh, which prepares it.
"""
import csv
import decimal
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "rules.json")
FORMATS = ("csv", "parquet")
MANY_RULES = 1000

SETTINGS = """ledger = "bench.db"
rules = "rules"
dimensions = ["service_name", "sub_account_name", "charge_category", "region_id", "resource_id"]
[sources.bill]
plugin = "focus-file"
paths = [{bill}]
grants = ["table-decode"]
"""


@dataclass
class Cost:
    cpu: float = 0.0
    wall: float = 0.0
    mib: float = 0.0

    def __add__(self, other):
        """One process after the other."""
        return Cost(self.cpu + other.cpu, self.wall + other.wall, max(self.mib, other.mib))


def measured(command, output=None, **options):
    """Runs a process to its end; a failure ends the measurement."""
    start = time.monotonic()
    with open(output or os.devnull, "w") as out:
        process = subprocess.Popen(command, stdout=out, **options)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"bench: {' '.join(command)} ended with {process.returncode}")
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024)


def write_rules(rules, folder):
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, os.path.join(HERE, "rhai_rules.py"), rules, folder], check=True)


class Apportion:
    """A work folder with settings, rules and a ledger."""

    def __init__(self, binary, folder, bill, rules):
        self.binary, self.folder = binary, folder
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "apportion.toml"), "w") as file:
            file.write(SETTINGS.format(bill=json.dumps(bill)))
        self.set_rules(rules)
        self.command("rule", "check")

    def set_rules(self, rules):
        write_rules(rules, os.path.join(self.folder, "rules"))

    def command(self, *words, output=None):
        return measured([self.binary, *words], output, cwd=self.folder)

    def ask(self):
        words = ["costs", "--group-by", "team,service_name", "--granularity", "monthly", "--format", "csv"]
        return self.command(*words, output=os.path.join(self.folder, "answer.csv"))

    def fresh(self):
        """From the bill to the answer, with a new ledger."""
        for name in self.ledger_files():
            os.remove(name)
        return self.command("run", "--quiet") + self.ask()

    def rerun(self):
        """From stored charges and changed rules to the answer."""
        return self.command("run", "--stored", "--quiet") + self.ask()

    def plan(self, rules):
        """What other rules would change in the money of stored charges."""
        folder = os.path.join(self.folder, "rules-planned")
        write_rules(rules, folder)
        return self.command("plan", "--rules", folder, "--format", "json", output=os.path.join(self.folder, "plan.json"))

    def planned_change(self):
        """By team, what the plan says would change, in nanos."""
        with open(os.path.join(self.folder, "plan.json")) as file:
            teams = json.load(file)["teams"]
        return {team["name"]: nanos(team["change"]["amount"]) for team in teams}

    def ledger_files(self):
        names = [os.path.join(self.folder, "bench.db" + suffix) for suffix in ("", "-wal", "-shm")]
        return [name for name in names if os.path.exists(name)]

    def ledger_bytes(self):
        return sum(os.path.getsize(name) for name in self.ledger_files() if not name.endswith("-shm"))

    def answer(self):
        with open(os.path.join(self.folder, "answer.csv"), newline="") as file:
            rows = csv.DictReader(file)
            found = {(row["team"], row["service_name"], row["period"]): nanos(row["amount"]) for row in rows}
        return {group: amount for group, amount in found.items() if amount}


def nanos(text):
    return int(decimal.Decimal(text).scaleb(9))


def stored_answer(path):
    with open(path) as file:
        return {(team, service, month): amount for team, service, month, amount in json.load(file) if amount}


def by_team(answer):
    sums = {}
    for (team, _, _), amount in answer.items():
        sums[team] = sums.get(team, 0) + amount
    return sums


def furthest(left, right):
    """The largest difference in any group, in nanos."""
    return max((abs(left.get(group, 0) - right.get(group, 0)) for group in left.keys() | right.keys()), default=0)


class Contender:
    def __init__(self, name, python, script, options, work):
        self.name, self.python, self.script, self.options, self.work = name, python, script, options, work

    def fresh(self, bill, rules=RULES):
        words = [self.python, os.path.join(HERE, self.script), bill, self.path("out"), self.path("json"), *self.options]
        return measured(words, env={**os.environ, "RULES": rules})

    def answer(self):
        return stored_answer(self.path("json"))

    def path(self, ending):
        return os.path.join(self.work, f"{self.name}.{ending}")


class Bench:
    def __init__(self):
        get = os.environ
        self.work, self.python = get["BENCH_WORK"], get.get("BENCH_PYTHON", "")
        self.binary, self.rows, self.repeat = get["BENCH_APPORTION"], int(get["ROWS"]), int(get["REPEAT"])
        self.bills = {form: os.path.join(self.work, "data", f"bill.{form}") for form in FORMATS}
        self.contenders = self.known_contenders() if self.python else []
        self.ratios, self.wall_ratios, self.costs, self.problems, self.agreements = {}, {}, {}, [], []

    def known_contenders(self):
        threads = ["--threads", str(os.cpu_count())]
        return [
            Contender("duckdb", self.python, "job_duckdb.py", threads, self.work),
            Contender("duckdb-expert", self.python, "job_duckdb.py", ["--expert", "--compact", *threads], self.work),
            Contender("pandas", self.python, "job_pandas.py", [], self.work),
        ]

    def apportion(self, name, form, rules=RULES):
        return Apportion(self.binary, os.path.join(self.work, name), self.bills[form], rules)

    def agree(self, what, left, right, limit=0):
        difference = furthest(left, right)
        self.agreements.append({"answer": what, "groups": len(left), "furthest_nanos": difference, "allowed_nanos": limit})
        if difference > limit or not left:
            self.problems.append(f"{what}: {len(left)} groups, furthest apart {difference} nanos, allowed {limit}")

    def note(self, name, form, cost):
        self.costs.setdefault((name, form), []).append(cost)

    def measure_format(self, form):
        ours = self.apportion(f"apportion-{form}", form)
        # Compiles the plugin and warms the file cache, for all alike.
        ours.fresh()
        if self.rows <= 50_000 and form == "csv":
            self.check_reference(ours)
        for _ in range(self.repeat):
            for contender in self.contenders:
                left, right = ours.fresh(), contender.fresh(self.bills[form])
                self.note("apportion", form, left)
                self.note(contender.name, form, right)
                self.ratios.setdefault((contender.name, form), []).append(right.cpu / left.cpu)
                self.wall_ratios.setdefault((contender.name, form), []).append(right.wall / left.wall)
            if not self.contenders:
                self.note("apportion", form, ours.fresh())
        for contender in self.contenders:
            # Floats in pandas are off by less than a nano a charge.
            limit = self.rows if contender.name == "pandas" else 0
            self.agree(f"{contender.name}, {form}", ours.answer(), contender.answer(), limit)
        return ours

    def check_reference(self, ours):
        path = os.path.join(self.work, "reference.json")
        subprocess.run([sys.executable, os.path.join(HERE, "check_reference.py"), self.bills["csv"], path], check=True)
        self.agree("exact reference, csv", ours.answer(), stored_answer(path))

    def measure_rerun(self, ours):
        """Other weights for one rule, and back again."""
        changed = os.path.join(self.work, "rules_changed.json")
        with open(RULES) as file:
            job = json.load(file)
        rule = next(rule for rule in job["rules"] if rule["shared"] and rule["then"]["kind"] == "fixed")
        rule["then"]["weights"][0][1] += 50
        with open(changed, "w") as file:
            json.dump(job, file)
        before = by_team(ours.answer())
        for _ in range(self.repeat):
            self.note("apportion plan", "stored", ours.plan(changed))
        for turn in range(self.repeat):
            ours.set_rules(RULES if turn % 2 else changed)
            self.note("apportion re-run", "stored", ours.rerun())
            if turn == 0:
                after = by_team(ours.answer())
                moved = {team: after.get(team, 0) - before.get(team, 0) for team in before.keys() | after.keys()}
                self.agree("the plan and what was posted then", ours.planned_change(), moved)
        if self.repeat % 2 == 0:
            ours.set_rules(changed)
            ours.rerun()
        if self.contenders:
            judge = self.contenders[0]
            judge.fresh(self.bills["parquet"], changed)
            self.agree("duckdb, changed rules on stored charges", ours.answer(), judge.answer())

    def measure_many_rules(self, ours):
        path = os.path.join(self.work, "rules_many.json")
        subprocess.run([sys.executable, os.path.join(HERE, "make_rules.py"), str(MANY_RULES - 50), path], check=True)
        many, ratios = self.apportion("apportion-many", "csv", path), []
        many.fresh()
        for _ in range(self.repeat):
            few, cost = ours.fresh(), many.fresh()
            self.note("apportion 1,000 rules", "csv", cost)
            ratios.append(cost.cpu / few.cpu)
        self.agree("1,000 rules", ours.answer(), many.answer())
        subprocess.run([sys.executable, os.path.join(HERE, "make_rules.py"), str(2 * MANY_RULES - 50), path], check=True)
        for _ in range(self.repeat):
            # Every resource is decided anew, by rules that the ledger does not know.
            many.set_rules(path)
            self.note("apportion 2,000 rules", "stored", many.rerun())
            many.set_rules(RULES)
            many.rerun()
        return statistics.median(ratios)

    def run(self):
        ours = self.measure_format("csv")
        bytes_per_charge = ours.ledger_bytes() / self.rows
        self.measure_format("parquet")
        rules1000 = self.measure_many_rules(ours)
        self.measure_rerun(ours)
        return self.figures(bytes_per_charge, rules1000)

    def figures(self, bytes_per_charge, rules1000):
        fresh = [cost for (name, _), costs in self.costs.items() if name == "apportion" for cost in costs]
        return {
            "vs-duckdb": self.worse_ratio("duckdb"),
            "vs-duckdb-expert": self.worse_ratio("duckdb-expert"),
            "vs-pandas": self.worse_ratio("pandas"),
            "rerun-s": round(self.median("apportion re-run", "stored").cpu, 3),
            "plan-s": round(self.median("apportion plan", "stored").cpu, 3),
            "rules2000-s": round(self.median("apportion 2,000 rules", "stored").cpu, 3),
            "peak-mib": round(max(cost.mib for cost in fresh)),
            "bytes-per-charge": round(bytes_per_charge, 1),
            "rules1000": round(rules1000, 2),
        }

    def worse_ratio(self, name):
        """Of CSV and Parquet; nothing where the contender could not run."""
        medians = [statistics.median(self.ratios[name, form]) for form in FORMATS if (name, form) in self.ratios]
        return round(min(medians), 2) if medians else None

    def median(self, name, form):
        costs = self.costs[name, form]
        return Cost(*(statistics.median(getattr(cost, part) for cost in costs) for part in ("cpu", "wall", "mib")))

    def table(self):
        yield f"{'':26}{'CPU s':>9}{'wall s':>9}{'peak MiB':>10}{'CPU ratio':>11}{'wall ratio':>12}"
        for name, form in self.costs:
            cost, line = self.median(name, form), f"{name + ', ' + form:26}"
            line += f"{cost.cpu:9.2f}{cost.wall:9.2f}{cost.mib:10.0f}"
            if (name, form) in self.ratios:
                line += f"{statistics.median(self.ratios[name, form]):11.2f}{statistics.median(self.wall_ratios[name, form]):12.2f}"
            yield line

    def report(self, figures):
        print("\n".join(self.table()))
        for agreement in self.agreements:
            words = "agree to the nano" if not agreement["furthest_nanos"] else f"differ by at most {agreement['furthest_nanos']} nanos in a group"
            print(f"answers: {agreement['answer']}: {agreement['groups']} groups {words}")
        for problem in self.problems:
            print(f"WRONG: {problem}")
        if not self.contenders:
            print("DuckDB and pandas could not be installed: their ratios are not measured.")
        print("Ratios are CPU time, the worse of CSV and Parquet; rerun-s, plan-s and rules2000-s are CPU seconds.")
        shown = " ".join(f"{name}={'unmeasured' if value is None else value}" for name, value in figures.items())
        print(f"bench: {shown}", flush=True)

    def as_json(self, figures):
        medians = {f"{name}, {form}": vars(self.median(name, form)) for name, form in self.costs}
        setting = {name.lower(): os.environ.get(name) for name in ("ROWS", "SEED", "HOURLY", "RESOURCES", "REPEAT")}
        ratios = {f"{name}, {form}": {"cpu": values, "wall": self.wall_ratios[name, form]} for (name, form), values in self.ratios.items()}
        return {**figures, "setting": setting, "medians": medians, "ratios": ratios, "answers": self.agreements, "problems": self.problems}


def main():
    bench = Bench()
    figures = bench.run()
    if os.environ.get("BENCH_OUT"):
        with open(os.environ["BENCH_OUT"], "w") as file:
            json.dump(bench.as_json(figures), file, indent=1)
    bench.report(figures)
    sys.exit(1 if bench.problems else 0)


main()
