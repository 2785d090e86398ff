#!/usr/bin/env bash
# Runs one of the project's jobs: the one way to do it, on this machine and on the cluster.
#
#   scripts/submit.sh JOB [--env local|cluster] [--deploy client|cluster] [--size daily|backfill] [--] [ARGS of the job]
#
#   --env local      (default) on this machine; needs nothing but 'make setup'
#   --env cluster    on YARN
#   --deploy         where the driver runs with --env cluster: client (default) or cluster
#   --size           which conf/spark/*.conf the cluster gets: daily or backfill (default: backfill for the jobs backfill
#                    and nominals, daily for the others); --env local always takes conf/spark/local.conf
#
# The exit code is the job's own (with --deploy cluster every failure of the job is 1: the run's row tells more).
# SIGINT and SIGTERM are passed on to the job; a second one kills it. The last line then says what holds (exit code 130, 143, 137);
# a job that ends with another code all the same has its own errors told and keeps its code.
#
# Environment, anywhere:
#   DRY_RUN=1               print the command, quoted for a shell, and start nothing
#   LINKAGE_JARS_DIR        the Delta jars' folder (default: what 'make setup' filled)
#   LINKAGE_LOG=json        progress, errors and the last line as JSON objects, a line each
#   LINKAGE_EXTRA_JARS      further jars, joined by commas: GraphFrames' two, where they are wanted
#   LINKAGE_DRIVER_MEMORY   the driver's memory (default: 4g locally; on the cluster what conf/spark says)
# Locally:
#   LINKAGE_MASTER          default local[*]
#   LINKAGE_CONF            another folder of settings, sources, models and reference lists (default: conf)
#   LINKAGE_EVENT_LOG_DIR   write Spark's event log there (an existing folder), for tuning; off otherwise
# On the cluster:
#   HADOOP_CONF_DIR         the cluster's client settings (needed)
#   SPARK_HOME              the cluster's Spark (default: the pyspark in .venv)
#   LINKAGE_ENV_ARCHIVE     the packed Python environment, e.g. hdfs:///apps/linkage/env.tar.gz (made by venv-pack or
#                           conda-pack), or else LINKAGE_NODE_PYTHON: an interpreter on every node that has the packages
#   LINKAGE_WHEEL           the project's wheel (default: the newest of 'make wheel')
#   LINKAGE_QUEUE, LINKAGE_PRINCIPAL, LINKAGE_KEYTAB, LINKAGE_CLUSTER_JAVA_HOME   used where they are set
#
# The job finds its settings in LINKAGE_CONF and the name of the place it runs in (local or cluster) in LINKAGE_ENV.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

job_names() {
  local file
  for file in "$root"/jobs/[a-z]*.py; do
    [ ! -e "$file" ] || basename "$file" .py
  done
}

# Each job with the first line of its docstring.
list_jobs() {
  local name
  for name in $(job_names); do
    printf '  %-16s %s\n' "$name" "$(sed -n 's/^[rR]\{0,1\}"""\(.*\)$/\1/p' "$root/jobs/$name.py" | head -n 1 | sed 's/"""$//')"
  done
}

usage() {
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
  printf '\nJobs (scripts/submit.sh JOB -- --help tells more):\n'
  list_jobs
}

# --- the arguments ----------------------------------------------------------------------------------------------

job='' env=local deploy='' size='' args=()

# choice OPTION VALUE ALLOWED...: fails unless VALUE is one of ALLOWED.
choice() {
  local option=$1 value=$2 word
  shift 2
  for word in "$@"; do [ "$value" != "$word" ] || return 0; done
  fail "$option takes one of: $*${value:+ (and not '$value')}."
}

while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --env | --deploy | --size)
      printf -v "${1#--}" '%s' "${2:-}"
      case $1 in
        --env) choice --env "$env" local cluster ;;
        --deploy) choice --deploy "$deploy" client cluster ;;
        --size) choice --size "$size" daily backfill ;;
      esac
      shift 2 ;;
    --) shift; args=("$@"); break ;;
    -*) fail "unknown option '$1' (the job's own arguments come after --; scripts/submit.sh --help)." ;;
    *)
      [ -z "$job" ] || fail "one job at a time: '$job' or '$1'? (the job's own arguments come after --)."
      job=$1
      shift ;;
  esac
done

known=$(job_names | tr '\n' ' ')
[ -n "$job" ] || fail "which job? Known are: ${known:-none yet}(scripts/submit.sh --help)."
case " $known" in
  *" ${job%.py} "*) job=${job%.py} ;;
  *) fail "there is no job '$job': known are ${known:-none yet}(scripts/submit.sh --help)." ;;
esac
[ "$env" = cluster ] || [ -z "$deploy" ] || fail "--deploy goes with --env cluster only."
if [ -z "$size" ]; then
  size=daily
  case $job in backfill | nominals) size=backfill ;; esac
fi

# --- what both kinds of run need --------------------------------------------------------------------------------

dry=${DRY_RUN:-}
[ "$dry" != 0 ] || dry=
scratch=${TMPDIR:-/tmp}/linkage_spark.DRY_RUN
pyspark=$venv/lib/python3.11/site-packages/pyspark
jars=$(jars_dir)

# The jars' paths, joined by commas; fails if one of a local folder is missing.
joined_jars() {
  local name list=
  for name in $(jar_names); do
    case $jars in
      *://*) ;;
      *) [ -f "$jars/$name" ] || return 1 ;;
    esac
    list=$list,$jars/$name
  done
  printf '%s\n' "${list#,}"
}

not_set_up="the project is not set up here (%s): run 'make setup' first."
# shellcheck disable=SC2059
missing() { fail "$(printf "$not_set_up" "$1")"; }

jar_list=$(joined_jars)${LINKAGE_EXTRA_JARS:+,$LINKAGE_EXTRA_JARS} || missing "the Delta jars are not in $jars"
java_home=$(find_java17) || missing "no Java 17"

# Words for env(1), first -u NAME and then NAME=value; words for spark-submit.
variables=() command=()

local_command() {
  local options
  [ -x "$venv/bin/python" ] || missing "no .venv"
  [ -x "$pyspark/bin/spark-submit" ] || missing "no pyspark in .venv"
  # What another Spark or Hadoop on this machine has set must not reach this one.
  variables=(-u HADOOP_CONF_DIR -u YARN_CONF_DIR -u SPARK_LOCAL_DIRS -u PYSPARK_SUBMIT_ARGS -u SPARK_MASTER
    "LINKAGE_ENV=local" "LINKAGE_CONF=${LINKAGE_CONF:-$root/conf}"
    "JAVA_HOME=$java_home" "SPARK_HOME=$pyspark" "SPARK_CONF_DIR=$root/conf/spark" "SPARK_LOCAL_IP=127.0.0.1"
    "PYTHONPATH=$root/src" "PYSPARK_PYTHON=$venv/bin/python" "PYSPARK_DRIVER_PYTHON=$venv/bin/python"
    "PATH=$venv/bin:$PATH" "TMPDIR=$scratch")
  options="\"-Dlog4j2.configurationFile=$root/conf/spark/log4j2.properties\""
  options+=" \"-Djava.io.tmpdir=$scratch\" \"-Dderby.system.home=$scratch\""
  command=("$pyspark/bin/spark-submit"
    --master "${LINKAGE_MASTER:-local[*]}"
    --name "linkage-$job"
    --properties-file "$root/conf/spark/local.conf"
    --driver-memory "${LINKAGE_DRIVER_MEMORY:-4g}"
    --driver-java-options "$options"
    --conf "spark.local.dir=$scratch"
    --conf "spark.sql.warehouse.dir=$scratch/warehouse"
    --jars "$jar_list")
  # Spark does not count what Parquet reads in vectors, so a run whose bytes are of interest reads without them.
  [ -z "${LINKAGE_EVENT_LOG_DIR:-}" ] || command+=(
    --conf spark.hadoop.parquet.hadoop.vectored.io.enabled=false --conf spark.eventLog.enabled=true --conf spark.eventLog.compress=false --conf "spark.eventLog.dir=file://$LINKAGE_EVENT_LOG_DIR")
  command+=("$root/jobs/$job.py" ${args[@]+"${args[@]}"})
}

# The wheel to ship: LINKAGE_WHEEL, or the newest one, which must not be older than the source.
find_wheel() {
  local wheel=${LINKAGE_WHEEL:-}
  if [ -z "$wheel" ]; then
    # shellcheck disable=SC2012
    wheel=$(ls -t "$root"/build/dist/linkage_spark-*.whl 2>/dev/null | head -n 1)
    [ -n "$wheel" ] || fail "there is no wheel to send to the cluster: run 'make wheel', or name one in LINKAGE_WHEEL."
    [ -z "$(find "$root/src/linkage_spark" -name '*.py' -newer "$wheel" | head -n 1)" ] \
      || fail "the wheel is older than the source: run 'make wheel' (or name the one to use in LINKAGE_WHEEL)."
  fi
  printf '%s\n' "$wheel"
}

cluster_command() {
  local submit wheel python archives conf_dir log4j
  deploy=${deploy:-client}
  submit=${SPARK_HOME:-$pyspark}/bin/spark-submit
  [ -x "$submit" ] || missing "no Spark in SPARK_HOME or .venv"
  [ -n "$dry" ] || [ -n "${HADOOP_CONF_DIR:-${YARN_CONF_DIR:-}}" ] \
    || fail "HADOOP_CONF_DIR is not set: it names the folder with the cluster's client settings."
  wheel=$(find_wheel) || exit
  archives="$scratch/conf.tar.gz#conf"
  if [ -n "${LINKAGE_ENV_ARCHIVE:-}" ]; then
    python=./env/bin/python
    archives="$LINKAGE_ENV_ARCHIVE#env,$archives"
  else
    python=${LINKAGE_NODE_PYTHON:-}
    [ -n "$python" ] || fail "the cluster needs a Python environment: set LINKAGE_ENV_ARCHIVE or LINKAGE_NODE_PYTHON."
  fi
  # In client mode the driver is here, with this machine's paths; in cluster mode it is in a container.
  conf_dir=$root/conf
  log4j=$root/conf/spark/log4j2.properties
  variables=("LINKAGE_ENV=cluster" "PYSPARK_PYTHON=$python")
  if [ "$deploy" = cluster ]; then
    conf_dir=./conf
    log4j=log4j2.properties
    variables=(-u PYSPARK_DRIVER_PYTHON "${variables[@]}")
  else
    [ -x "$venv/bin/python" ] || [ -z "${LINKAGE_ENV_ARCHIVE:-}" ] || missing "no .venv, which --deploy client needs"
    variables+=("PYSPARK_DRIVER_PYTHON=$([ -x "$venv/bin/python" ] && echo "$venv/bin/python" || echo "$python")"
      "PATH=$venv/bin:$PATH")
  fi
  variables+=("LINKAGE_CONF=$conf_dir" "JAVA_HOME=$java_home")
  command=("$submit"
    --master yarn
    --deploy-mode "$deploy"
    --name "linkage-$job"
    --properties-file "$root/conf/spark/$size.conf"
    --load-spark-defaults
    --driver-java-options "-Dlog4j2.configurationFile=$log4j"
    --conf "spark.executor.extraJavaOptions=-Dlog4j2.configurationFile=log4j2.properties"
    --conf "spark.yarn.appMasterEnv.PYSPARK_PYTHON=$python"
    --conf "spark.executorEnv.PYSPARK_PYTHON=$python"
    --conf "spark.yarn.appMasterEnv.LINKAGE_ENV=cluster"
    --conf "spark.yarn.appMasterEnv.LINKAGE_LOG=${LINKAGE_LOG:-}"
    --conf "spark.executorEnv.LINKAGE_ENV=cluster"
    --conf "spark.yarn.appMasterEnv.LINKAGE_CONF=./conf"
    --jars "$jar_list"
    --py-files "$wheel"
    --archives "$archives"
    --files "$root/conf/spark/log4j2.properties")
  [ -z "${LINKAGE_CLUSTER_JAVA_HOME:-}" ] || command+=(
    --conf "spark.yarn.appMasterEnv.JAVA_HOME=$LINKAGE_CLUSTER_JAVA_HOME"
    --conf "spark.executorEnv.JAVA_HOME=$LINKAGE_CLUSTER_JAVA_HOME")
  [ -z "${LINKAGE_DRIVER_MEMORY:-}" ] || command+=(--driver-memory "$LINKAGE_DRIVER_MEMORY")
  [ -z "${LINKAGE_QUEUE:-}" ] || command+=(--queue "$LINKAGE_QUEUE")
  [ -z "${LINKAGE_PRINCIPAL:-}" ] || command+=(--principal "$LINKAGE_PRINCIPAL")
  [ -z "${LINKAGE_KEYTAB:-}" ] || command+=(--keytab "$LINKAGE_KEYTAB")
  command+=("$root/jobs/$job.py" ${args[@]+"${args[@]}"})
}

# --- running it -------------------------------------------------------------------------------------------------

# One word a line (an option and its value on one), quoted so that a shell can read it back.
print_command() {
  local word option=
  printf 'env'
  for word in "${variables[@]}" "${command[@]}"; do
    if [ -n "$option" ]; then printf ' %q' "$word"; else printf ' \\\n  %q' "$word"; fi
    case $option$word in
      -*=* | --load-spark-defaults) option= ;;
      -*) [ -z "$option" ] && option=$word || option= ;;
    esac
  done
  printf '\n'
}

build_command() { if [ "$env" = local ]; then local_command; else cluster_command; fi; }

if [ -n "$dry" ]; then
  build_command
  print_command
  exit 0
fi

# Everything that is not the job's result goes here, and nothing of it stays.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/linkage_spark.XXXXXX") || fail "no temporary folder can be made (disk full?)."
trap 'rm -rf "$scratch" || true' EXIT
build_command
[ "$env" = local ] || tar -czf "$scratch/conf.tar.gz" -C "$root/conf" .

# Java's own stderr, Spark's log. It passes all of it but one line that Java prints for a module that Spark asks for and no result
# depends on. What is said once a signal has come is held back: everything that Spark then cannot finish is an error to it, plans and all.
incubator='WARNING: Using incubator modules: jdk.incubator.vector'
pass_errors() {
  local line
  trap '' INT TERM PIPE
  while IFS= read -r line || [ -n "$line" ]; do
    [ "$line" != "$incubator" ] || continue
    if [ -e "$scratch/interrupted" ]; then printf '%s\n' "$line" >>"$scratch/held"; else printf '%s\n' "$line" >&2; fi || true
  done
}
mkfifo "$scratch/stderr" || fail "no pipe can be made in $scratch."
pass_errors <"$scratch/stderr" &
errors=$!

# The job gets a process group of its own, so that a signal reaches Java, the driver and its Python workers alike.
set -m
LINKAGE_INTERRUPTED=$scratch/interrupted env "${variables[@]}" "${command[@]}" </dev/null 2>"$scratch/stderr" &
child=$!
set +m

# The first signal is passed on as it is; a second one ends whatever is left of the job at once.
signals=0
pass_on() {
  signals=$((signals + 1))
  : 2>/dev/null >"$scratch/interrupted" || true
  if [ "$signals" = 1 ]; then kill "-$1" -- "-$child"; else kill -KILL -- "-$child"; fi 2>/dev/null || true
}
trap 'pass_on TERM' TERM
trap 'pass_on INT' INT

# A wait that a signal cut short has not yet seen the job's end: wait again. Of a killed job bash would print the whole command.
seen=-1
while [ "$seen" != "$signals" ]; do
  seen=$signals
  wait "$child" 2>/dev/null && code=0 || code=$?
done
# The job has its exit code: from here on nothing takes it away, neither a signal nor a stderr that nobody reads or that is full.
trap '' INT TERM PIPE
# Workers that outlived their driver.
kill -KILL -- "-$child" 2>/dev/null || true
# What the job said is passed on in a moment, but a process that left its group may keep its stderr open for hours: three seconds.
{
  polls=0
  while kill -0 "$errors"; do
    polls=$((polls + 1))
    [ "$polls" -lt 60 ] || kill -KILL "$errors" || true
    sleep 0.05
  done
  wait "$errors" || true
} 2>/dev/null

# The last line of a job that was ended from outside: Java goes down with its driver then, and neither may come to say it.
say_end() {
  local what=$1 class=$2 after
  case $job in
    backfill | daily | nominals | compact | publish) after="\`status\` says what readers see; the same command goes on" ;;
    retain) after='what it removed stays removed; the same command goes on' ;;
    *) after='nothing was published; start the same command again' ;;
  esac
  [ "$deploy" != cluster ] || after='its application may still be at work: see yarn application -list before you start it again'
  if [ "${LINKAGE_LOG:-}" = json ]; then
    printf '{"at": "%s", "event": "error", "class": "%s", "said": "%s; %s", "exit_code": %d}\n' \
      "$(date -u +%Y-%m-%dT%H:%M:%S+00:00)" "$class" "$what" "$after" "$code" >&2
  else
    printf 'error: %s; %s\n' "$what" "$after" >&2
  fi
}

# A job that ended by itself after a signal was not interrupted: what was held back is its own error.
tell_end() {
  case $code/$signals in
    130/*) say_end interrupted KeyboardInterrupt ;;
    143/*) say_end stopped Terminated ;;
    137/0) say_end 'killed, most often by the system for want of memory (LINKAGE_DRIVER_MEMORY)' Killed ;;
    137/*) say_end killed Killed ;;
    *) [ ! -e "$scratch/held" ] || cat "$scratch/held" >&2 ;;
  esac
}
tell_end || true
exit "$code"
