# What setup.sh and submit.sh share: finding Java 17 and the folder of the Delta jars. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
sums=$root/scripts/jars/SHA256SUMS

# One sentence to the user, then out with 2: the way everything here fails.
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# The folder with the Delta jars: LINKAGE_JARS_DIR, else the cache (tests/conftest.py looks in the same two places).
jars_dir() {
  local cache=${LINKAGE_CACHE:-${XDG_CACHE_HOME:-${HOME:-$root/build}/.cache}/linkage_spark}
  printf '%s\n' "${LINKAGE_JARS_DIR:-$cache/jars/$(<"$root/scripts/jars/BUNDLE")}"
}

# The jars' file names, one a line, in the order of SHA256SUMS.
jar_names() {
  local sum name
  while read -r sum name; do printf '%s\n' "$name"; done <"$sums"
}

# True if $1 is the home of a Java 17.
is_java17() {
  [ -x "$1/bin/java" ] || return 1
  if [ -r "$1/release" ]; then
    grep -q '^JAVA_VERSION="17[."]' "$1/release"
  else
    "$1/bin/java" -version 2>&1 | grep -q 'version "17[."]'
  fi
}

# The home of a Java 17: JAVA_HOME, the java on PATH, then where packages put it. Nothing and 1 if there is none.
find_java17() {
  local home on_path
  on_path=$(command -v java || true)
  [ -z "$on_path" ] || on_path=$(readlink -f "$on_path" 2>/dev/null || printf '%s' "$on_path")
  for home in "${JAVA_HOME:-}" "${on_path%/bin/java}" /usr/lib/jvm/*17* \
    /Library/Java/JavaVirtualMachines/*17*/Contents/Home; do
    if [ -n "$home" ] && is_java17 "$home"; then
      printf '%s\n' "$home"
      return 0
    fi
  done
  return 1
}
