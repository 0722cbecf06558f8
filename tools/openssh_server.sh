#!/usr/bin/env bash
# Sees to an sshd for `make test-hosts`, which starts one of its own as this user; installs it where that is possible without asking.
set -euo pipefail
PATH=$PATH:/usr/sbin:/usr/local/sbin
if command -v sshd >/dev/null && command -v ssh >/dev/null; then
    exit 0
fi
if [[ $(id -u) == 0 ]]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    as_root=(false)
fi
if command -v apt-get >/dev/null && [[ ${as_root[*]:-} != false ]]; then
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update </dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends openssh-server \
        openssh-client </dev/null >/dev/null
    exit 0
fi
echo "tests of hosts need sshd; on Debian or Ubuntu run: apt-get install openssh-server openssh-client" >&2
exit 1
