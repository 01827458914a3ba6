#!/usr/bin/env bash
# Installs the Debian packages named that are not there yet. Goes on without them where it cannot: what needs them says so.
set -u

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0
missing=()
for package in "$@"; do
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Not installed, and neither root nor sudo to install them: ${missing[*]}" >&2
    exit 0
  fi
  as_root=(sudo)
fi
echo "Installing ${missing[*]}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
if ! { "${install[@]}" update && "${install[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null; }; then
  echo "apt-get could not install ${missing[*]}" >&2
fi
