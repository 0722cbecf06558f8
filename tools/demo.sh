#!/usr/bin/env bash
# Trains the bundled Roman numerals, exports the model, writes numerals for numbers it never saw, opens the window.
#   tools/demo.sh BIN       BIN is the folder of the installed `seqdec-gui`
# Everything it writes goes to demo/, which git ignores.
set -euo pipefail
cd "$(dirname "$0")/.."
seqdec_gui=${1:?usage: tools/demo.sh BIN}/seqdec-gui
python=$1/python
design=resources/examples/roman.seqdec
run=demo/roman-run

say() { printf '\n== %s\n' "$1"; }

mkdir -p demo
rm -rf "$run" demo/roman.h5 demo/numbers.txt demo/samples.csv

say "Training $design: Arabic numbers in, Roman numerals out"
"$seqdec_gui" train "$design" --run "$run"

say "Exporting the trained model, and comparing the file with it"
"$seqdec_gui" export "$run" --format h5 -o demo/roman.h5

say "Writing a few numerals with it"
printf '%s\n' 7 49 444 1987 2024 3888 >demo/numbers.txt
"$seqdec_gui" generate "$run" --input demo/numbers.txt -o demo/samples.csv
paste -d ' ' <(printf 'number\n'; cat demo/numbers.txt) <(cut -d, -f3 demo/samples.csv) | column -t

say "Done. The run, the model and the samples lie in demo/"
if [[ -z ${DISPLAY:-}${WAYLAND_DISPLAY:-} ]]; then
    echo "There is no display here; on one, this opens the window: $seqdec_gui $design"
elif "$python" -c 'import sys; from importlib.util import find_spec; sys.exit(find_spec("seqdec_gui.gui.main_window") is None)'; then
    cp "$design" "${design%/*}"/roman*.csv demo/
    exec "$seqdec_gui" demo/roman.seqdec
fi
