#!/usr/bin/env bash
# Runs the benchmarks: run.sh [OPTIONS of bench.py], run by `./dev bench`. ROTA names the program.
#
# Works in a private directory below ${TMPDIR:-/var/tmp} (about 8 GB at full size), removed at the
# end; with --scratch DIR in that, which stays with its corpora for the next time.
set -euo pipefail

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
: "${ROTA:?set it to the path of the program}"

for option in "$@"; do
  if [[ $option == --scratch* || $option == -h || $option == --help ]]; then
    exec python3 -B "$here/bench.py" "$@"
  fi
done
scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/rota-bench.XXXXXXXX")
trap 'rm -rf "$scratch"' EXIT
python3 -B "$here/bench.py" --scratch "$scratch" "$@"
