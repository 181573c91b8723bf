#!/usr/bin/env bash
# The reference job: Apportion beside DuckDB and pandas, on a generated bill. `make bench` builds the binary and calls this.
#
#   ROWS=1000000    charges of the bill          SEED=42         of the generator
#   RESOURCES=      ROWS / 60 unless given       HOURLY=         1 for a bill by the hour
#   REPEAT=3        pairs measured               BENCH_OUT=      a file for the figures as JSON
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/apportion
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
export ROWS=${ROWS:-1000000} SEED=${SEED:-42} HOURLY=${HOURLY:-} RESOURCES=${RESOURCES:-} REPEAT=${REPEAT:-3}
# The checkout stays clean.
export PYTHONDONTWRITEBYTECODE=1
export BENCH_WORK=$cache/bench BENCH_APPORTION=$CARGO_TARGET_DIR/release/apportion
if [[ -n ${BENCH_OUT:-} && $BENCH_OUT != /* ]]; then
    export BENCH_OUT=$PWD/$BENCH_OUT
fi

say() { echo "$*" >&2; }

if ! command -v python3 >/dev/null; then
    say "make bench needs python3: it drives the measurement"
    exit 1
fi
if [[ ! -x $BENCH_APPORTION ]]; then
    say "$BENCH_APPORTION is missing: run \`make build\`"
    exit 1
fi

# The contenders live in the cache; without them Apportion is measured alone.
mkdir -p "$BENCH_WORK/data"
contenders_work() { "$BENCH_WORK/venv/bin/python" -c 'import duckdb, pandas, pyarrow' 2>/dev/null; }
if ! contenders_work; then
    say "installing DuckDB and pandas into $BENCH_WORK/venv: about a minute"
    python3 -m venv "$BENCH_WORK/venv" >&2 && "$BENCH_WORK/venv/bin/pip" install --quiet duckdb pandas pyarrow >&2 || true
fi
BENCH_PYTHON=
if contenders_work; then
    BENCH_PYTHON=$BENCH_WORK/venv/bin/python
else
    say "DuckDB and pandas cannot be installed here: Apportion is measured without them"
fi
export BENCH_PYTHON

say "building the generator: about a minute the first time"
(cd "$here" && cargo build --quiet --release --locked --package bench)

arguments=(--rows "$ROWS" --seed "$SEED")
[[ -n $RESOURCES ]] && arguments+=(--resources "$RESOURCES")
[[ -n $HOURLY && $HOURLY != 0 ]] && arguments+=(--hourly)
generator=$CARGO_TARGET_DIR/release/bench-gen
# The same arguments and the same generator give the same bill, so it is kept.
made="${arguments[*]} $(cksum <"$generator")"
if [[ $(cat "$BENCH_WORK/data/made" 2>/dev/null || true) != "$made" ]]; then
    say "generating $ROWS charges as CSV and Parquet"
    rm -f "$BENCH_WORK/data/made"
    "$generator" "${arguments[@]}" --csv "$BENCH_WORK/data/bill.csv" --parquet "$BENCH_WORK/data/bill.parquet"
    echo "$made" >"$BENCH_WORK/data/made"
fi

say "measuring what the sandbox's boundary costs"
python3 "$here/boundary.py"

say "measuring: $REPEAT pairs for each contender and format"
exec python3 "$here/measure.py"
