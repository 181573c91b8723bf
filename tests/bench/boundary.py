#!/usr/bin/env python3
"""Measures what crossing the sandbox's boundary costs: a guest that does nothing but make charges, collected and not kept.

The peer is the same charges read from a CSV file by DuckDB, each as text, in the same run: what it costs to have the rows at all.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORK, BINARY = os.environ["BENCH_WORK"], os.environ["BENCH_APPORTION"]
REPEAT = int(os.environ["REPEAT"])
ROWS, PAGE_ROWS = 1_000_000, 2_000
FOLDER = os.path.join(WORK, "boundary")
PROJECT = os.path.join(FOLDER, "bench-source")
SETTINGS = """ledger = "none.db"
rules = "rules"
[sources.{form}]
plugin = "bench-source/bench-source.wasm"
config = {{ form = "{form}", rows = {rows}, page_rows = {page_rows} }}
[sources.bill]
plugin = "focus-file"
paths = ["bill.csv"]
grants = ["table-decode"]
"""
BILL = "BilledCost,EffectiveCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceName\n1,1,USD,2026-03-01T00:00:00Z,Usage,Compute\n"
ARROW = "".join(f'{name} = {{ version = "60", default-features = false }}\n' for name in ("arrow-array", "arrow-buffer", "arrow-ipc", "arrow-schema"))


def command(*words):
    return subprocess.run([BINARY, *words], cwd=FOLDER, check=True, stdout=subprocess.PIPE).stdout


def make_guest():
    """The way a vendor does it; it is built once for each version of its source and of the binary."""
    with open(os.path.join(HERE, "guest", "lib.rs")) as file:
        source = file.read()
    mark = f"{os.path.getmtime(BINARY)}\n{source}"
    made = os.path.join(FOLDER, "made")
    if os.path.exists(made) and open(made).read() == mark:
        return
    print("building the guest that makes charges: some minutes the first time", file=sys.stderr)
    shutil.rmtree(PROJECT, ignore_errors=True)
    os.makedirs(os.path.join(FOLDER, "rules"), exist_ok=True)
    command("plugin", "new", "bench-source", "--kind", "collector", "--lang", "rust")
    with open(os.path.join(PROJECT, "src", "lib.rs"), "w") as file:
        file.write(source)
    manifest = os.path.join(PROJECT, "Cargo.toml")
    with open(manifest) as file:
        text = file.read().replace("[profile.release]", ARROW + "\n[profile.release]", 1)
    with open(manifest, "w") as file:
        file.write(text)
    os.remove(os.path.join(PROJECT, "Cargo.lock"))
    environment = {**os.environ, "CARGO_TARGET_DIR": os.path.join(FOLDER, "target")}
    subprocess.run([BINARY, "plugin", "build", "bench-source"], cwd=FOLDER, check=True, env=environment, stdout=sys.stderr)
    with open(made, "w") as file:
        file.write(mark)


def measured(form, rows=ROWS):
    with open(os.path.join(FOLDER, "apportion.toml"), "w") as file:
        file.write(SETTINGS.format(form=form, rows=rows, page_rows=PAGE_ROWS))
    figures = json.loads(command("source", "measure", form, "--format", "json"))
    assert figures["cost"]["rows"] == rows, figures
    return figures


def start_ms():
    """From a cached component of our own to its first page, which is the mapping of a small bill."""
    figures = json.loads(command("source", "measure", "bill", "--format", "json"))
    assert figures["tables"] == 1, figures
    return (figures["loaded_us"] + figures["first_page_us"]) / 1000


def duckdb_reads():
    """Seconds of DuckDB for as many charges from a file, on as many threads as a guest has."""
    python = os.environ.get("BENCH_PYTHON")
    if not python:
        return None
    script = f"""
import duckdb, os, sys, time
path = sys.argv[1]
database = duckdb.connect()
database.execute("SET threads = 1")
if not os.path.exists(path):
    database.execute("COPY (SELECT '2026-03-' || lpad((i % 31 + 1)::text, 2, '0') || 'T00:00:00Z' d, (i % 90)::text || '.' || (i % 999983)::text b, (i % 90)::text || '.' || (i % 999983)::text e, 'USD' c, 'Amazon Elastic Compute Cloud' s, 'Usage' k, 'AWS' p, '123456789012' a, 'eu-central-1' r, 'Compute' g, 'arn:aws:ec2:eu-central-1:123456789012:instance/i-' || (i % 20000)::text i, 'team=' || (i % 8)::text t FROM range({ROWS}) x(i)) TO '" + path + "' (HEADER)")
start = time.monotonic()
database.execute("CREATE TABLE charges AS SELECT * FROM read_csv('" + path + "', all_varchar = true)")
print(time.monotonic() - start)
"""
    words = [python, "-c", script, os.path.join(FOLDER, f"charges-{ROWS}.csv")]
    return float(subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    make_guest()
    with open(os.path.join(FOLDER, "bill.csv"), "w") as file:
        file.write(BILL)
    measured("arrow", PAGE_ROWS)
    start_ms()
    figures, ratios, starts = {"arrow": [], "typed": []}, [], []
    for _ in range(REPEAT):
        for form, rates in figures.items():
            found = measured(form)
            rates.append(found["rows_per_second"])
            # What ran before has emptied the machine's caches, which is not what a start costs.
            starts.extend([start_ms() for _ in range(6)][1:])
            peer = duckdb_reads() if form == "arrow" else None
            if peer:
                ratios.append(found["rows_per_second"] * peer / ROWS)
    shown = {f"guest-{form}-charges-per-s": statistics.median_low(rates) for form, rates in figures.items()}
    shown["guest-arrow-vs-duckdb-csv"] = round(statistics.median(ratios), 2) if ratios else "unmeasured"
    shown["collector-start-ms"] = round(statistics.median(starts), 2)
    print("A guest makes charges on one thread; collector-start-ms is from focus-file in the cache to its first page.")
    print("boundary: " + " ".join(f"{name}={value}" for name, value in shown.items()), flush=True)


main()
