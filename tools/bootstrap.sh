#!/usr/bin/env bash
# Makes the virtual environment, installs seqdec-gui into it and sees to the system libraries that Qt needs.
#   tools/bootstrap.sh VENV [EXTRAS]
# PYTHON=... chooses the interpreter; without it the first Python 3.11 to 3.13 on the path is taken.
# UNPINNED=1 installs the newest versions that setup.cfg permits instead of those in constraints.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:?usage: tools/bootstrap.sh VENV [EXTRAS]}
extras=${2:-gui,jax,keras2,onnx,tflite,reinvent,xlsx,mat,text,rdkit,subwords,bleu,sweep,tensorboard,mlflow,dev}
if [[ ${UNPINNED:-} == 1 ]]; then pins=(--upgrade --upgrade-strategy eager); else pins=(--constraint constraints.txt); fi

fail() {
    printf 'seqdec-gui: %s\n' "$1" >&2
    exit 1
}

supported() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
    if [[ -n ${PYTHON:-} ]]; then
        supported "$PYTHON" || fail "expected PYTHON to name a Python 3.11, 3.12 or 3.13, but got '$PYTHON'."
        printf '%s\n' "$PYTHON"
        return
    fi
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null && supported "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "expected Python 3.11, 3.12 or 3.13 and found $(python3 --version 2>/dev/null || echo none); install one, or name it: make setup PYTHON=/path/to/python3."
}

make_venv() {
    local python=$1
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear "$venv"
    elif "$python" -m pip --version >/dev/null 2>&1; then
        # Debian keeps ensurepip in python3-venv; the pip that is there can install one for the new environment.
        "$python" -m venv --clear --without-pip "$venv"
        "$python" -m pip --python "$venv/bin/python" install --quiet pip
    else
        fail "this Python can make no virtual environment; run: apt-get install python3-venv"
    fi
}

if ! { [[ -x $venv/bin/python ]] && supported "$venv/bin/python" && "$venv/bin/python" -m pip --version >/dev/null 2>&1; }; then
    python=$(find_python)
    echo "Making $venv with $("$python" --version)"
    make_venv "$python"
fi

echo "Installing seqdec-gui[$extras] into $venv (TensorFlow is large; this takes a minute or more the first time)"
install=("$venv/bin/python" -m pip install -qq "${pins[@]}")
# The build uses this environment's setuptools, so that a new release of it cannot break a fresh machine either.
"${install[@]}" setuptools wheel
"${install[@]}" --no-build-isolation --editable ".[$extras]"

case ",$extras," in
    *,gui,*) tools/system_libraries.sh "$venv/bin/python" ;;
esac
