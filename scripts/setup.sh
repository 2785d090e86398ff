#!/usr/bin/env bash
# Sets the project up: a Python 3.11 environment in .venv, Java 17, and the seven Delta jars in the cache.
#
#   scripts/setup.sh [demo|dev|bench ...]   extras of pyproject.toml to install (default: demo)
#   scripts/setup.sh jars                   the jars alone
#
# It may be run again at any time: what is there and right is kept, and that takes less than a second.
#
#   LINKAGE_PYTHON     the Python 3.11 to use
#   LINKAGE_CACHE      where the jars are kept (default: ~/.cache/linkage_spark)
#   LINKAGE_JARS_DIR   a folder that already holds the jars: nothing is fetched
#   LINKAGE_APT=no     never install a missing Python, Java or Maven with apt-get (which is done for root only)
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

log=$root/build/setup.log

step() { printf 'setup [%3d s] %s\n' "$SECONDS" "$*"; }

# --- what goes wrong, in one sentence ---------------------------------------------------------------------------

# explain WHAT: fails with the likely reason why WHAT went wrong, read from the end of the log.
explain() {
  local tail
  tail=$(tail -n 200 "$log" 2>/dev/null || true)
  case $tail in
    *'No space left on device'* | *'Disk quota exceeded'*)
      fail "$1 failed because the disk is full (see build/setup.log)." ;;
    *'Temporary failure in name resolution'* | *'Name or service not known'* | *NewConnectionError* | \
      *'Network is unreachable'* | *'Connection refused'* | *ConnectTimeoutError* | *ReadTimeout* | \
      *'Read timed out'* | *'Connection timed out'* | *'Connection reset'* | *'Could not connect'* | \
      *UnknownHostException* | *'Unknown host'* | *ConnectException* | *'Could not transfer artifact'* | \
      *'Could not resolve'* | *'onnection broken'* | *ProxyError* | *'No matching distribution found'*)
      fail "$1 failed because the network or the package registry did not answer: try again (see build/setup.log)." ;;
    *'Permission denied'* | *'Read-only file system'*)
      fail "$1 failed because a folder cannot be written (see build/setup.log)." ;;
  esac
  fail "$1 failed: $(printf '%s\n' "$tail" | grep -E 'ERROR|rror:|FAILED' | tail -n 1 | cut -c1-200) (see build/setup.log)."
}

# --- Debian packages, where that is allowed ---------------------------------------------------------------------

apt_allowed() {
  [ "${LINKAGE_APT:-yes}" != no ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

apt_install() {
  step "installing $* with apt-get"
  {
    apt-get update -q || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
  } >>"$log" 2>&1 </dev/null
}

# --- Python 3.11 ------------------------------------------------------------------------------------------------

is_python311() {
  [ "$("$1" -c 'import ensurepip, sys, venv; print(*sys.version_info[:2])' 2>/dev/null)" = '3 11' ]
}

find_python() {
  local candidate
  for candidate in python3.11 python3 /usr/bin/python3.11 /usr/local/bin/python3.11; do
    if command -v "$candidate" >/dev/null && is_python311 "$candidate"; then
      "$candidate" -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))'
      return 0
    fi
  done
  return 1
}

need_python() {
  if [ -n "${LINKAGE_PYTHON:-}" ]; then
    is_python311 "$LINKAGE_PYTHON" || fail "LINKAGE_PYTHON=$LINKAGE_PYTHON is not a Python 3.11 with the venv module."
    python=$LINKAGE_PYTHON
    return
  fi
  python=$(find_python) && return
  if apt_allowed; then
    apt_install python3.11 python3.11-venv || true
    python=$(find_python) && return
  fi
  fail "Python 3.11 with its venv module is needed and was not found: install it, or name it in LINKAGE_PYTHON."
}

# --- Java 17 and Maven ------------------------------------------------------------------------------------------

need_java() {
  java_home=$(find_java17) && return
  if apt_allowed; then
    apt_install openjdk-17-jre-headless || true
    java_home=$(find_java17) && return
  fi
  fail "Java 17 is needed and was not found: install it (for example openjdk-17-jre-headless), or name it in JAVA_HOME."
}

have_maven() {
  command -v mvn >/dev/null && return
  apt_allowed || return 1
  apt_install maven || true
  command -v mvn >/dev/null
}

# --- the Python environment -------------------------------------------------------------------------------------

# A hash of everything that decides what an environment holds; the folder too, because an environment cannot move.
wanted_stamp() {
  { cat "$root/pyproject.toml" "$root/constraints.txt"; printf '%s\n' "$root" "${LINKAGE_PYTHON:-}"; } | cksum
}

# True if .venv already holds the extra $1 as it is asked for today (dev includes demo).
has_extra() {
  local name stamp
  stamp=$(wanted_stamp)
  [ -x "$venv/bin/python" ] || return 1
  for name in "$1" $([ "$1" = demo ] && echo dev); do
    [ "$(cat "$venv/.installed-$name" 2>/dev/null)" = "$stamp" ] && return
  done
  return 1
}

need_packages() {
  local extras=() extra list
  for extra in "$@"; do has_extra "$extra" || extras+=("$extra"); done
  [ ${#extras[@]} -gt 0 ] || return 0
  need_python
  if ! { [ -x "$venv/bin/python" ] && is_python311 "$venv/bin/python" \
    && grep -qxF "$root" "$venv/.made-for" 2>/dev/null; }; then
    step "making .venv with $python"
    rm -rf "$venv"
    "$python" -m venv "$venv" >>"$log" 2>&1 || explain "Making the Python environment"
    printf '%s\n' "$root" >"$venv/.made-for"
  fi
  list=$(IFS=,; printf '%s' "${extras[*]}")
  step "installing Python packages [$list] (the first time takes one to three minutes: pyspark is 450 MB)"
  rm -f "$venv"/.installed-*
  (cd "$root" && PIP_USER=0 "$venv/bin/python" -m pip install --disable-pip-version-check --no-input \
    -c constraints.txt -e ".[$list]") >>"$log" 2>&1 || explain "Installing Python packages"
  for extra in "${extras[@]}"; do wanted_stamp >"$venv/.installed-$extra"; done
}

# --- the jars ---------------------------------------------------------------------------------------------------

sha256() { # sha256 -c FILE, in the current folder, quiet
  if command -v sha256sum >/dev/null; then sha256sum --quiet "$@"; else shasum -a 256 --quiet "$@"; fi
}

jars_right() { [ -d "$1" ] && (cd "$1" && sha256 -c "$sums") >/dev/null 2>&1; }

# fetch_by_maven FOLDER
fetch_by_maven() {
  JAVA_HOME=$java_home mvn -q -B -Dstyle.color=never -f "$root/scripts/jars/pom.xml" \
    dependency:copy-dependencies -DoutputDirectory="$1" >>"$log" 2>&1 </dev/null
}

# The pom's jars as group:artifact:version, joined by commas.
jar_coordinates() {
  "${python:-$venv/bin/python}" - "$root/scripts/jars/pom.xml" <<'PY'
import sys
import xml.etree.ElementTree as ET

ns = {"m": "http://maven.apache.org/POM/4.0.0"}
pom = ET.parse(sys.argv[1]).getroot()
values = {"${%s}" % p.tag.rsplit("}", 1)[1]: p.text for p in pom.find("m:properties", ns)}
rows = ([d.find("m:" + k, ns).text for k in ("groupId", "artifactId", "version")]
        for d in pom.iterfind("m:dependencies/m:dependency", ns))
print(",".join(":".join(values.get(v, v) for v in row) for row in rows))
PY
}

# fetch_by_spark FOLDER: Spark's own Ivy fetches the jars once, into a project-local Ivy folder.
fetch_by_spark() {
  local home ivy=$1/ivy job=$1/nothing.py jar name
  home=$(echo "$venv"/lib/python3.11/site-packages/pyspark)
  [ -x "$home/bin/spark-submit" ] || { echo 'ERROR: pyspark is not installed' >>"$log"; return 1; }
  { mkdir -p "$ivy" && echo 'pass' >"$job"; } 2>>"$log" || return 1
  (cd "$1" && env -u SPARK_CONF_DIR SPARK_HOME="$home" JAVA_HOME="$java_home" PYSPARK_PYTHON="$venv/bin/python" \
    SPARK_LOCAL_IP=127.0.0.1 "$home/bin/spark-submit" --master 'local[1]' --conf "spark.jars.ivy=$ivy" \
    --conf "spark.jars.ivySettings=$root/scripts/jars/ivysettings.xml" \
    --packages "$(jar_coordinates)" "$job") >>"$log" 2>&1 </dev/null || return 1
  # Ivy's names carry the group: io.delta_delta-storage-4.4.0.jar
  for name in $(jar_names); do
    for jar in "$ivy"/jars/*_"$name"; do mv "$jar" "$1/$name" || return 1; done
  done
  rm -rf "$ivy" "$job"
}

need_jars() {
  local dir fetched
  dir=$(jars_dir)
  jars_right "$dir" && return 0
  if [ -n "${LINKAGE_JARS_DIR:-}" ]; then
    fail "LINKAGE_JARS_DIR=$dir does not hold the seven jars of scripts/jars/SHA256SUMS with their right sums."
  fi
  [ -n "${java_home:-}" ] || need_java
  if [ -e "$dir" ]; then
    step "the jars in the cache are incomplete or changed: they are deleted and fetched again"
    rm -rf "$dir"
  fi
  mkdir -p "${dir%/*}" 2>>"$log" || fail "The jars' cache ${dir%/*} cannot be written: name another folder in LINKAGE_CACHE."
  fetched=$(mktemp -d "${dir%/*}/.fetching.XXXXXX") || fail "The jars' cache ${dir%/*} cannot be written (disk full?)."
  # shellcheck disable=SC2064
  trap "rm -rf '$fetched'" EXIT
  if have_maven; then
    step "fetching the Delta jars with Maven (13 MB)"
    fetch_by_maven "$fetched" || {
      step "Maven could not fetch them: trying Spark's own Ivy"
      need_packages demo
      fetch_by_spark "$fetched" || explain "Fetching the Delta jars"
    }
  else
    step "no Maven here: fetching the Delta jars with Spark's own Ivy (13 MB)"
    need_packages demo
    fetch_by_spark "$fetched" || explain "Fetching the Delta jars"
  fi
  if ! jars_right "$fetched"; then
    rm -rf "$fetched"
    fail "A fetched jar does not have the SHA-256 sum of scripts/jars/SHA256SUMS: what was fetched has been deleted."
  fi
  chmod 755 "$fetched"
  # Another set-up may have been quicker; what it put there has the same sums.
  [ -e "$dir" ] || mv "$fetched" "$dir" || true
  jars_right "$dir" || fail "The jars could not be moved to $dir (disk full?)."
  step "the Delta jars are in $dir"
}

# --- all of it --------------------------------------------------------------------------------------------------

main() {
  local extras=("$@") extra fresh=
  [ ${#extras[@]} -gt 0 ] || extras=(demo)
  case ${extras[0]} in
    -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; return ;;
  esac
  mkdir -p "$root/build" 2>/dev/null || fail "The folder $root cannot be written."
  : >"$log"
  if [ "${extras[*]}" = jars ]; then need_jars; return; fi
  for extra in "${extras[@]}"; do
    case $extra in demo | dev | bench) ;; *) fail "unknown extra '$extra': known are demo, dev, bench (or jars, alone)." ;; esac
    has_extra "$extra" || fresh=yes
  done
  need_java
  [ -z "$fresh" ] || step "Java 17 in $java_home"
  need_packages "${extras[@]}"
  need_jars
  [ -z "$fresh" ] || step "ready"
}

main "$@"
