#!/usr/bin/env bash
# Runs the tests on a machine that is made busy, several times over: `tests/busy.sh [RUNS] [ARGUMENT of dotnet test ...]`.
# Beside them spin two loops per core. A test that fails here waits for a time and not for a condition.
set -uo pipefail
cd "$(dirname "$0")/.."

runs=${1:-3}
[[ $runs =~ ^[1-9][0-9]*$ ]] || { echo "RUNS is '$runs'; it takes a number from 1."; exit 64; }
[ $# = 0 ] || shift

loops=() tests=
end_all() {
  trap '' HUP INT TERM
  # What was started, by its ids: the tests with all that they have started, and the loops.
  [ -z "$tests" ] || kill -- "-$tests" 2>/dev/null
  [ "${#loops[@]}" = 0 ] || kill "${loops[@]}" 2>/dev/null
  wait 2>/dev/null
}
trap end_all EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

dotnet build || exit

# Each job is a process group of its own, and signals are what they were: in the background a shell has its jobs ignore Ctrl+C otherwise.
set -m
for (( i = 2 * $(getconf _NPROCESSORS_ONLN); i > 0; i-- )); do
  # Each looks now and then whether this script is still there: not even its kill leaves a loop behind.
  while kill -0 $$ 2>/dev/null; do for (( j = 0; j < 100000; j++ )); do :; done; done &
  loops+=($!)
done

failed=0
results=out/TestResults/busy
mkdir -p "$results"
for (( run = 1; run <= runs; run++ )); do
  started=$SECONDS
  (dotnet test --no-build "$@" 2>&1 | tee "$results/run$run.log") &
  tests=$!
  if wait "$tests"; then outcome=passed; else outcome=FAILED; failed=$(( failed + 1 )); fi
  tests=
  echo "Run $run of $runs beside ${#loops[@]} busy loops: $outcome after $(( SECONDS - started )) s."
done

echo "$(( runs - failed )) of $runs runs passed."
[ "$failed" = 0 ]
