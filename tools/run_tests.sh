#!/usr/bin/env bash
# Runs one tier of the tests; tests that failed beside others run once more, alone.
#   tools/run_tests.sh PYTHON TIER [ARGUMENTS OF PYTEST]
# Many tests wait for windows, child processes and timers, which a busy machine delays. At most FEW failures are repeated, one after
# the other, with every name printed; what fails alone as well has failed. docs/decisions/0085-failed-tests-run-again-alone.md
set -uo pipefail
cd "$(dirname "$0")/.."
python=${1:?usage: tools/run_tests.sh PYTHON TIER [ARGUMENTS OF PYTEST]}
tier=${2:?usage: tools/run_tests.sh PYTHON TIER [ARGUMENTS OF PYTEST]}
shift 2
few=5
cache=.pytest_cache/$tier
rm -rf "$cache"

"$python" -m pytest -o cache_dir="$cache" "$@"
status=$?
failed=$cache/v/cache/lastfailed
# 1: tests ran and some failed. Anything else (a broken collection, an interrupt) is final.
if [[ $status -ne 1 || ! -f $failed ]]; then exit $status; fi
names=$("$python" -c 'import json, sys; print("\n".join(json.load(open(sys.argv[1], encoding="utf-8"))))' "$failed") || exit $status
count=$(wc -l <<<"$names")
if [[ $count -gt $few ]]; then exit $status; fi

printf '\n%s of the tests of %s failed beside others and run again, alone:\n%s\n\n' "$count" "$tier" "$names"
# -n 0 comes last and so wins over the number of workers among the arguments.
"$python" -m pytest -o cache_dir="$cache" "$@" --last-failed --last-failed-no-failures none -n 0
status=$?
if [[ $status -eq 0 ]]; then printf '\nPassed only alone, which is worth a look:\n%s\n' "$names"; fi
exit $status
