#!/usr/bin/env bash
# Trains the bundled Roman numerals, exports the model, writes numerals with it, and opens the window where there is a display.
#   tools/demo.sh BIN       BIN is the folder of the installed `seqdec-gui`
# Everything it writes goes to demo/, which git ignores; an earlier demo there is replaced.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:?usage: tools/demo.sh BIN}/seqdec-gui
python=$1/python

say() { printf '\n== %s\n' "$1"; }

rm -rf demo
mkdir -p demo/data
cp resources/examples/roman.seqdec demo/
cp resources/examples/data/roman* demo/data/

say "Training demo/roman.seqdec: Arabic numbers in, Roman numerals out"
"$program" train demo/roman.seqdec --run demo/runs/roman

say "Exporting the trained model for plain Keras"
"$program" export demo/runs/roman --format h5 -o demo/roman.h5

say "Writing a few numerals with it"
printf '%s\n' 7 49 444 1987 2024 3888 >demo/numbers.txt
"$program" generate demo/runs/roman --input demo/numbers.txt -o demo/samples.csv
paste <(echo number; cat demo/numbers.txt) <(cut -d, -f3 demo/samples.csv) | expand -t 10

say "Done: the design, its run, the model and the samples lie in demo/"
if [[ -z ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
    echo "There is no display here; on one, this opens the window: $program demo/roman.seqdec"
elif "$python" -c 'import sys; from importlib.util import find_spec; sys.exit(find_spec("seqdec_gui.gui.app") is None)'; then
    exec "$program" demo/roman.seqdec
fi
