#!/usr/bin/env bash
# Runs a command on a virtual screen, where Qt draws and takes events as on a desktop. Installs Xvfb where that is possible
# without asking; where there is none it says so, runs nothing and exits 0.
#   tools/on_screen.sh COMMAND [ARGUMENT ...]
set -euo pipefail

if ! command -v Xvfb >/dev/null && command -v apt-get >/dev/null; then
    as_root=()
    [[ $(id -u) == 0 ]] || as_root=(sudo -n)
    if [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; then
        echo "Installing Xvfb"
        { "${as_root[@]}" apt-get -qq update && "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install --yes --no-install-recommends xvfb; } </dev/null >/dev/null || true
    fi
fi
if ! command -v Xvfb >/dev/null; then
    echo "Left out, because there is no Xvfb here: $*. On Debian or Ubuntu run: apt-get install xvfb"
    exit 0
fi

folder=$(mktemp -d)
Xvfb -displayfd 3 -screen 0 1920x1080x24 -nolisten tcp 3>"$folder/display" 2>"$folder/log" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in {1..100}; do
    [[ -s $folder/display ]] && break
    kill -0 $server 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done
DISPLAY=:$(<"$folder/display") QT_QPA_PLATFORM=xcb "$@"
