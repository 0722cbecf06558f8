#!/usr/bin/env bash
# Runs a command on a virtual screen, with a session bus of its own and the bus of assistive programs (AT-SPI) on it.
#   tools/on_accessibility_bus.sh PYTHON [ARGUMENT ...]
# The wheels of PyQt5 have a Qt without the bridge to that bus. So the bindings of PYTHON's wheel run over the Qt of the distribution,
# which has it: copies of them lie first on PYTHONPATH, without the Qt that comes with them, and the linker takes that of the system.
# Installs what is needed where that is possible without asking; where it is not there it says so, runs nothing and exits 0.
set -euo pipefail

packages=(at-spi2-core dbus gir1.2-atspi-2.0 python3-gi libqt5gui5 libqt5widgets5 libqt5dbus5 libqt5test5 libqt5svg5)
missing() {
    command -v dbus-run-session >/dev/null || echo dbus-run-session
    [[ -e /usr/share/dbus-1/services/org.a11y.Bus.service ]] || echo at-spi2-core
    /usr/bin/python3 -c 'import gi; gi.require_version("Atspi", "2.0"); from gi.repository import Atspi' 2>/dev/null || echo python3-gi
    local libraries
    libraries=$(ldconfig -p)
    for library in Gui Widgets DBus Test Svg; do
        [[ $libraries == *"libQt5$library.so.5 "* ]] || echo "libQt5$library"
    done
}

export PATH="$PATH:/usr/sbin:/sbin" # ldconfig
if [[ -n $(missing) ]] && command -v apt-get >/dev/null; then
    as_root=()
    [[ $(id -u) == 0 ]] || as_root=(sudo -n)
    if [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; then
        echo "Installing ${packages[*]}"
        { "${as_root[@]}" apt-get -qq update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install --yes --no-install-recommends "${packages[@]}"; } </dev/null >/dev/null || true
    fi
fi
if [[ -n $(missing) ]]; then
    echo "Left out, because these are missing: $(missing | xargs). On Debian or Ubuntu run: apt-get install ${packages[*]}"
    exit 0
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/bindings/PyQt5" "$folder/run"
chmod 700 "$folder/run"
wheel=$("$1" -c 'import PyQt5, pathlib; print(pathlib.Path(PyQt5.__file__).parent)')
cp -r "$wheel"/sip*.so "$wheel/uic" "$folder/bindings/PyQt5"
for module in Core Gui Widgets DBus Test Svg; do
    cp "$wheel/Qt$module".abi3.so "$folder/bindings/PyQt5"
done
touch "$folder/bindings/PyQt5/__init__.py"
if ! PYTHONPATH="$folder/bindings" "$1" -c 'from PyQt5 import QtDBus, QtTest, QtWidgets' 2>"$folder/why"; then
    echo "Left out, because the bindings do not run over the Qt of this system: $(tail -n 1 "$folder/why")"
    exit 0
fi
PYTHONPATH="$folder/bindings${PYTHONPATH:+:$PYTHONPATH}" XDG_RUNTIME_DIR="$folder/run" QT_LINUX_ACCESSIBILITY_ALWAYS_ON=1 \
    "$(dirname "$0")/on_screen.sh" dbus-run-session -- "$@"
