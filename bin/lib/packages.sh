# shellcheck shell=bash
# What the scripts say, and the system packages that they want: `missing_packages` of each script prints their names.

# Debian keeps what root starts out of everybody else's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '\n== %s\n' "$*"; }
die() { printf '%s: %s\n' "bin/${0##*/}" "$*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

install_packages() {
    local packages sudo=()
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]})) || return 0
    if [[ $(id -u) != 0 ]]; then sudo=(sudo -n); fi
    if ! has apt-get || ! "${sudo[@]}" true 2>/dev/null; then
        die "first run: sudo apt-get update && sudo apt-get install -y ${packages[*]}"
    fi
    say "installing ${packages[*]}"
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends "${packages[@]}"
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]} == 0)) || die "missing or too old even now: ${packages[*]}"
}
