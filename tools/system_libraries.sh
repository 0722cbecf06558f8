#!/usr/bin/env bash
# Tries what Qt needs from the system, and installs it where that is possible without asking, or names the command.
#   tools/system_libraries.sh PYTHON
set -euo pipefail
python=${1:?usage: tools/system_libraries.sh PYTHON}
here=$(dirname "$0")
packages=(libgl1 libegl1 libglib2.0-0 libdbus-1-3 libfontconfig1 fonts-dejavu-core libx11-xcb1 libxkbcommon-x11-0
    libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-sync1
    libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1)

works() { "$python" "$here/check_qt.py"; }

if missing=$(works 2>&1); then
    exit 0
fi
command="apt-get install ${packages[*]}"
if [[ $(id -u) == 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
    command="sudo $command"
else
    as_root=(false)
    command="sudo $command"
fi
if command -v apt-get >/dev/null && [[ ${as_root[*]:-} != false ]]; then
    echo "Qt lacks system libraries (${missing##*$'\n'}); running: $command"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${packages[@]}" \
        </dev/null >/dev/null
    missing=$(works 2>&1) && exit 0
fi
echo "seqdec-gui: the window lacks system libraries (${missing##*$'\n'}); on Debian or Ubuntu run: $command" >&2
exit 1
