"""submit.sh and setup.sh, in a made-up project whose Spark, Java and Maven are small shell scripts."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
import tomllib
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JARS = [line.split()[1] for line in (ROOT / "scripts/jars/SHA256SUMS").read_text().splitlines()]

# Says what it was given, then does what the test asked for in FAKE_SPARK.
FAKE_SPARK = """#!/usr/bin/env bash
printf '%s\\n' "$@" >"$RECORD.args"
env >"$RECORD.env"
eval "${FAKE_SPARK:-exit 0}"
"""


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


class Project:
    """A copy of scripts/ and conf/ with three jobs, and an environment in which nothing real is found."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a project"
        self.record = folder / "record"
        self.jars = folder / "jars"
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        shutil.copytree(ROOT / "conf/spark", self.root / "conf/spark")
        for name in ("backfill", "nominals", "synthesise"):
            job = self.root / "jobs" / f"{name}.py"
            job.parent.mkdir(exist_ok=True)
            job.write_text(f'"""What {name} does.\n\nMore.\n"""\n')
        java = folder / "java17"
        executable(java / "bin/java", "#!/bin/sh\nexit 1\n")
        (java / "release").write_text('JAVA_VERSION="17.0.9"\n')
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "TMPDIR": str(self.tmp),
            "JAVA_HOME": str(java),
            "LINKAGE_APT": "no",
            "RECORD": str(self.record),
        }

    def set_up(self) -> Project:
        executable(self.root / ".venv/bin/python", "#!/bin/sh\nexit 1\n")
        executable(self.spark_submit, FAKE_SPARK)
        self.jars.mkdir()
        for name in JARS:
            (self.jars / name).touch()
        self.environment["LINKAGE_JARS_DIR"] = str(self.jars)
        return self

    @property
    def spark_submit(self) -> Path:
        return self.root / ".venv/lib/python3.11/site-packages/pyspark/bin/spark-submit"

    def start(self, *words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            # Who runs the tests in the background of a script has SIGINT ignored, which a child would inherit.
            args=["env", "--default-signal=INT", str(self.root / "scripts" / words[0]), *words[1:]],
            cwd=self.tmp.parent,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **environment: str) -> tuple[int, str, str]:
        process = self.start(*words, **environment)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def dry(self, *words: str, **environment: str) -> list[str]:
        """The words of the command that DRY_RUN prints."""
        code, out, err = self.run("submit.sh", *words, DRY_RUN="1", **environment)
        assert (code, err) == (0, "")
        return shlex.split(out.replace("\\\n", " "))

    def sent(self) -> list[str]:
        return Path(f"{self.record}.args").read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def after(words: list[str], option: str) -> list[str]:
    """The values of every occurrence of an option."""
    return [words[i + 1] for i, word in enumerate(words) if word == option]


def cluster(**more: str) -> dict[str, str]:
    return {"LINKAGE_ENV_ARCHIVE": "hdfs:///env.tar.gz", "LINKAGE_WHEEL": "/w/linkage_spark.whl", **more}


# --- submit.sh: what it says --------------------------------------------------------------------------------


def test_help_lists_every_job_with_the_first_line_of_its_docstring(project: Project) -> None:
    code, out, _ = project.run("submit.sh", "--help")
    assert code == 0
    assert "backfill         What backfill does." in out
    assert "synthesise       What synthesise does." in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "which job? Known are: backfill nominals synthesise"),
        (["nonsense"], "there is no job 'nonsense': known are backfill nominals synthesise"),
        (["backfill", "--env", "moon"], "--env takes one of: local cluster"),
        (["backfill", "--size"], "--size takes one of: daily backfill"),
        (["backfill", "--deploy", "cluster"], "--deploy goes with --env cluster only"),
        (["backfill", "--out", "x"], "unknown option '--out' (the job's own arguments come after --"),
        (["backfill", "synthesise"], "one job at a time"),
    ],
)
def test_a_wrong_word_is_answered_with_one_sentence(project: Project, words: list[str], sentence: str) -> None:
    code, out, err = project.set_up().run("submit.sh", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert sentence in err


@pytest.mark.parametrize("lost", ["venv", "jar", "pyspark"])
def test_a_missing_part_is_answered_with_make_setup(project: Project, lost: str) -> None:
    project.set_up()
    if lost == "venv":
        shutil.rmtree(project.root / ".venv")
    elif lost == "jar":
        (project.jars / JARS[3]).unlink()
    else:
        project.spark_submit.unlink()
    code, _, err = project.run("submit.sh", "backfill")
    assert code == 2
    assert "is not set up here" in err
    assert "'make setup'" in err
    assert err.count("\n") == 1


# --- submit.sh: the local command ---------------------------------------------------------------------------


def test_dry_run_starts_nothing_and_leaves_nothing(project: Project) -> None:
    project.set_up().dry("backfill")
    assert not Path(f"{project.record}.args").exists()
    assert list(project.tmp.iterdir()) == []


def test_a_local_command_takes_its_settings_jars_and_python_from_the_project(project: Project) -> None:
    words = project.set_up().dry("backfill", "--", "--out", "a b", "--note", "it's")
    assert words[-5:] == [str(project.root / "jobs/backfill.py"), "--out", "a b", "--note", "it's"]
    assert after(words, "--master") == ["local[*]"]
    assert after(words, "--driver-memory") == ["4g"]
    assert after(words, "--properties-file") == [str(project.root / "conf/spark/local.conf")]
    assert after(words, "--jars") == [",".join(str(project.jars / name) for name in JARS)]
    python = project.root / ".venv/bin/python"
    assert {f"PYSPARK_PYTHON={python}", f"PYSPARK_DRIVER_PYTHON={python}", "LINKAGE_ENV=local"} <= set(words)
    assert f"LINKAGE_CONF={project.root}/conf" in words
    [options] = after(words, "--driver-java-options")
    assert f'"-Dlog4j2.configurationFile={project.root}/conf/spark/log4j2.properties"' in options


def test_further_jars_come_after_the_projects_own(project: Project) -> None:
    [jars] = after(project.set_up().dry("nominals", LINKAGE_EXTRA_JARS="/x/one.jar,/x/two.jar"), "--jars")
    assert jars.split(",") == [*(str(project.jars / name) for name in JARS), "/x/one.jar", "/x/two.jar"]


def test_the_drivers_memory_can_be_chosen(project: Project) -> None:
    assert after(project.set_up().dry("backfill", LINKAGE_DRIVER_MEMORY="9g"), "--driver-memory") == ["9g"]


def test_another_spark_or_hadoop_of_the_machine_does_not_reach_a_local_job(project: Project) -> None:
    foreign = {"SPARK_HOME": "/opt/spark", "SPARK_CONF_DIR": "/opt/conf", "HADOOP_CONF_DIR": "/etc/hadoop"}
    project.set_up().run("submit.sh", "backfill", **foreign)
    seen = dict(line.split("=", 1) for line in Path(f"{project.record}.env").read_text().splitlines() if "=" in line)
    assert seen["SPARK_HOME"] == str(project.spark_submit.parent.parent)
    assert seen["SPARK_CONF_DIR"] == str(project.root / "conf/spark")
    assert "HADOOP_CONF_DIR" not in seen


@pytest.mark.parametrize("deploy", ["client", "cluster"])
def test_a_cluster_command_can_be_run_as_it_is_printed(project: Project, deploy: str) -> None:
    named = cluster(HADOOP_CONF_DIR="/etc/hadoop", PYSPARK_DRIVER_PYTHON="/foreign")
    words = ["backfill", "--env", "cluster", "--deploy", deploy]
    assert project.set_up().run("submit.sh", *words, **named) == (0, "", "")
    printed = project.dry(*words, **named)
    assert len(printed[printed.index(str(project.spark_submit)) + 1 :]) == len(project.sent())
    seen = Path(f"{project.record}.env").read_text()
    assert "PYSPARK_DRIVER_PYTHON=/foreign" not in seen
    assert "LINKAGE_ENV=cluster\n" in seen


# --- submit.sh: running -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 3, 77])
def test_the_exit_code_is_the_jobs(project: Project, code: int) -> None:
    assert project.set_up().run("submit.sh", "backfill", FAKE_SPARK=f"exit {code}") == (code, "", "")


def test_the_scratch_folder_is_there_during_the_run_and_gone_after_it(project: Project) -> None:
    check = 'test -d "$TMPDIR" && touch "$TMPDIR/spark-warehouse" && test -z "$(ls | grep -v "^[ajthr]")"'
    assert project.set_up().run("submit.sh", "backfill", FAKE_SPARK=check) == (0, "", "")
    confs = [word for word in project.sent() if word.startswith(("spark.local.dir=", "spark.sql.warehouse.dir="))]
    assert [f"{project.tmp}/linkage_spark." in word for word in confs] == [True, True]
    assert list(project.tmp.iterdir()) == []


@pytest.mark.parametrize(("sent", "name"), [(signal.SIGTERM, "TERM"), (signal.SIGINT, "INT")])
def test_a_signal_reaches_the_job_and_its_workers_and_its_exit_code_comes_back(
    project: Project, sent: signal.Signals, name: str
) -> None:
    script = f"trap 'echo told; exit 9' {name}; (exec sleep 61.7) & echo started; wait"
    process = project.set_up().start("submit.sh", "backfill", FAKE_SPARK=script)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(sent)
    # communicate() ends only when the worker, which holds the same pipe, has ended too
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (9, "told\n")
    assert list(project.tmp.iterdir()) == []


GOES_ON = "`status` says what readers see; the same command goes on"


@pytest.mark.parametrize(
    ("sent", "code", "word"), [(signal.SIGTERM, 143, "stopped"), (signal.SIGINT, 130, "interrupted")]
)
def test_a_job_ended_by_a_signal_has_one_last_line_and_nothing_of_what_spark_logs_of_its_end(
    project: Project, sent: signal.Signals, code: int, word: str
) -> None:
    script = (
        'trap \'test -e "$LINKAGE_INTERRUPTED" && echo "ERROR AdaptiveSparkPlanExec: a plan" >&2; '
        f"exit {code}' TERM INT; echo 'ERROR real' >&2; echo started; while :; do sleep 0.1; done"
    )
    process = project.set_up().start("submit.sh", "backfill", FAKE_SPARK=script)
    assert process.stdout is not None and process.stderr is not None
    assert process.stderr.readline() == "ERROR real\n", "what is said before the signal is passed on"
    assert process.stdout.readline() == "started\n"
    process.send_signal(sent)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (code, f"error: {word}; {GOES_ON}\n")


@pytest.mark.parametrize(
    ("job", "script", "line"),
    [
        ("backfill", "exit 130", f"error: interrupted; {GOES_ON}\n"),
        ("synthesise", "exit 143", "error: stopped; nothing was published; start the same command again\n"),
        ("nominals", "kill -KILL $$", "killed, most often by the system for want of memory (LINKAGE_DRIVER_MEMORY)"),
        ("backfill", "echo ERROR real >&2; exit 1", "ERROR real\n"),
    ],
)
def test_the_last_line_is_of_jobs_that_were_ended_from_outside_alone(
    project: Project, job: str, script: str, line: str
) -> None:
    _, _, err = project.set_up().run("submit.sh", job, FAKE_SPARK=script)
    assert line in err
    assert err.count("\n") == 1


def test_of_a_retention_that_was_ended_it_says_that_what_is_gone_is_gone(project: Project) -> None:
    (project.root / "jobs/retain.py").touch()
    _, _, err = project.set_up().run("submit.sh", "retain", FAKE_SPARK="exit 143")
    assert err == "error: stopped; what it removed stays removed; the same command goes on\n"


@pytest.mark.parametrize("code", [0, 4])
def test_a_job_that_ends_by_itself_after_a_signal_is_not_called_interrupted_and_its_own_errors_are_told(
    project: Project, code: int
) -> None:
    script = f"trap 'echo ERROR real >&2; exit {code}' TERM; echo started; while :; do sleep 0.1; done"
    process = project.set_up().start("submit.sh", "backfill", FAKE_SPARK=script)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=20)
    # The signal ends sleep 0.1 as well, which the job's shell may say.
    assert (process.returncode, err.removeprefix("Terminated\n")) == (code, "ERROR real\n")


@pytest.mark.parametrize(
    ("stderr", "end", "code"),
    [("2>&-", "exit 143", 143), ("2>/dev/full", "kill -KILL $$", 137), ("2> >(exit)", "exit 130", 130)],
    ids=["closed", "full", "reader gone"],
)
def test_the_exit_code_is_the_jobs_where_nothing_can_be_written_to_stderr(
    project: Project, stderr: str, end: str, code: int
) -> None:
    done = subprocess.run(
        args=["bash", "-c", f'"$0" backfill {stderr}', str(project.set_up().root / "scripts/submit.sh")],
        env=project.environment | {"FAKE_SPARK": f"echo one >&2; sleep 0.3; echo two >&2; {end}"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    assert done.returncode == code
    assert list(project.tmp.iterdir()) == []


def test_the_exit_code_is_the_jobs_where_its_scratch_folder_cannot_be_removed(project: Project) -> None:
    rm = executable(project.tmp.parent / "bin/rm", "#!/bin/sh\nexit 1\n")
    path = f"{rm.parent}:{project.environment['PATH']}"
    assert project.set_up().run("submit.sh", "backfill", FAKE_SPARK="exit 4", PATH=path) == (4, "", "")


def test_a_process_that_outlives_the_job_in_a_session_of_its_own_holds_nothing_up(project: Project) -> None:
    apart = "setsid sh -c 'touch \"$RECORD.apart\"; exec sleep 40' >/dev/null &"
    script = f'echo ERROR real >&2; {apart} until [ -e "$RECORD.apart" ]; do sleep 0.05; done; exit 4'
    process = project.set_up().start("submit.sh", "backfill", FAKE_SPARK=script)
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (4, "ERROR real\n")
    assert list(project.tmp.iterdir()) == []


def test_the_last_line_is_an_object_where_all_lines_are(project: Project) -> None:
    _, _, err = project.set_up().run("submit.sh", "backfill", FAKE_SPARK="exit 143", LINKAGE_LOG="json")
    told = json.loads(err)
    assert datetime.fromisoformat(told.pop("at")).utcoffset() == timedelta(0)
    assert told == {"event": "error", "class": "Terminated", "said": f"stopped; {GOES_ON}", "exit_code": 143}


def test_of_an_application_on_the_cluster_nobody_here_knows_whether_it_goes_on(project: Project) -> None:
    named = cluster(HADOOP_CONF_DIR="/etc/hadoop")
    words = ["backfill", "--env", "cluster", "--deploy", "cluster"]
    _, _, err = project.set_up().run("submit.sh", *words, FAKE_SPARK="exit 143", **named)
    assert err.startswith("error: stopped; its application may still be at work")


def test_javas_word_on_its_vector_module_is_left_out_and_every_other_line_passed_on(project: Project) -> None:
    script = "printf 'WARNING: Using incubator modules: jdk.incubator.vector\\nWARNING: other\\nlast' >&2"
    assert project.set_up().run("submit.sh", "backfill", FAKE_SPARK=script) == (0, "", "WARNING: other\nlast\n")


def test_a_second_signal_ends_a_job_that_does_not_listen(project: Project) -> None:
    script = "trap 'echo told' TERM; echo started; while :; do sleep 0.1; done"
    process = project.set_up().start("submit.sh", "backfill", FAKE_SPARK=script)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGTERM)
    # sleep 0.1 is ended by the first signal as well: the loop goes on and says so
    assert process.stdout.readline() == "told\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGKILL


# --- submit.sh: the cluster's command -----------------------------------------------------------------------


def test_a_cluster_command_ships_environment_settings_wheel_and_jars(project: Project) -> None:
    words = project.set_up().dry("backfill", "--env", "cluster", "--deploy", "cluster", "--", "--x", "1", **cluster())
    assert after(words, "--master") == ["yarn"]
    assert after(words, "--deploy-mode") == ["cluster"]
    assert after(words, "--properties-file") == [str(project.root / "conf/spark/backfill.conf")]
    assert after(words, "--py-files") == ["/w/linkage_spark.whl"]
    [archives] = after(words, "--archives")
    assert archives.startswith("hdfs:///env.tar.gz#env,")
    assert archives.endswith("/conf.tar.gz#conf")
    assert after(words, "--files") == [str(project.root / "conf/spark/log4j2.properties")]
    confs = set(after(words, "--conf"))
    assert {
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON=./env/bin/python",
        "spark.executorEnv.PYSPARK_PYTHON=./env/bin/python",
        "spark.yarn.appMasterEnv.LINKAGE_ENV=cluster",
        "spark.yarn.appMasterEnv.LINKAGE_CONF=./conf",
    } <= confs
    assert after(words, "--driver-java-options") == ["-Dlog4j2.configurationFile=log4j2.properties"]
    assert not {"--queue", "--principal", "--keytab", "--driver-memory"} & set(words)
    assert words[-2:] == ["--x", "1"]


def test_in_client_mode_the_driver_uses_this_machines_paths(project: Project) -> None:
    words = project.set_up().dry("backfill", "--env", "cluster", **cluster())
    assert after(words, "--deploy-mode") == ["client"]
    assert f"PYSPARK_DRIVER_PYTHON={project.root}/.venv/bin/python" in words
    assert f"LINKAGE_CONF={project.root}/conf" in words


@pytest.mark.parametrize(
    ("job", "words", "conf"),
    [
        ("synthesise", [], "daily.conf"),
        ("backfill", [], "backfill.conf"),
        ("nominals", [], "backfill.conf"),
        ("backfill", ["--size", "daily"], "daily.conf"),
        ("synthesise", ["--size", "backfill"], "backfill.conf"),
    ],
)
def test_the_size_chooses_the_clusters_settings(project: Project, job: str, words: list[str], conf: str) -> None:
    sent = project.set_up().dry(job, "--env", "cluster", *words, **cluster())
    assert after(sent, "--properties-file") == [str(project.root / "conf/spark" / conf)]


def test_queue_and_kerberos_come_from_the_environment(project: Project) -> None:
    named = cluster(LINKAGE_QUEUE="psd", LINKAGE_PRINCIPAL="svc@X", LINKAGE_KEYTAB="/k/svc.keytab")
    words = project.set_up().dry("backfill", "--env", "cluster", **named)
    assert [after(words, f"--{name}") for name in ("queue", "principal", "keytab")] == [
        ["psd"],
        ["svc@X"],
        ["/k/svc.keytab"],
    ]


def test_jars_may_lie_on_the_clusters_file_system(project: Project) -> None:
    named = cluster(LINKAGE_JARS_DIR="hdfs:///apps/jars")
    words = project.set_up().dry("backfill", "--env", "cluster", **named)
    assert after(words, "--jars") == [",".join(f"hdfs:///apps/jars/{name}" for name in JARS)]


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ("LINKAGE_ENV_ARCHIVE", "set LINKAGE_ENV_ARCHIVE or LINKAGE_NODE_PYTHON"),
        ("LINKAGE_WHEEL", "run 'make wheel'"),
        ("HADOOP_CONF_DIR", "HADOOP_CONF_DIR is not set"),
    ],
)
def test_what_the_cluster_needs_is_asked_for_in_one_sentence(project: Project, lost: str, sentence: str) -> None:
    named = cluster(HADOOP_CONF_DIR="/etc/hadoop")
    del named[lost]
    code, _, err = project.set_up().run("submit.sh", "backfill", "--env", "cluster", **named)
    assert (code, err.count("\n")) == (2, 1)
    assert sentence in err


def test_a_wheel_older_than_the_source_is_not_sent(project: Project) -> None:
    wheel = project.root / "build/dist/linkage_spark-0.1.0-py3-none-any.whl"
    source = project.root / "src/linkage_spark/__init__.py"
    for path in (wheel, source):
        path.parent.mkdir(parents=True)
        path.touch()
    os.utime(wheel, (1_000, 1_000))
    named = {"LINKAGE_ENV_ARCHIVE": "hdfs:///env.tar.gz"}
    project.set_up()
    _, _, err = project.run("submit.sh", "backfill", "--env", "cluster", DRY_RUN="1", **named)
    assert "older than the source" in err
    os.utime(source, (500, 500))
    assert after(project.dry("backfill", "--env", "cluster", **named), "--py-files") == [str(wheel)]


# --- setup.sh -----------------------------------------------------------------------------------------------


def fake_maven(project: Project, content: str) -> None:
    lines = "\n".join(f'printf %s "{content}" >"$out/{name}"' for name in JARS)
    script = (
        "#!/bin/bash\n"
        'for word; do case $word in -DoutputDirectory=*) out=${word#*=};; esac; done\nmkdir -p "$out"\n'
        f"{lines}\n"
    )
    folder = executable(project.root.parent / "bin/mvn", script).parent
    project.environment["PATH"] = f"{folder}:{project.environment['PATH']}"


def test_a_jar_with_a_wrong_sum_is_deleted_and_said(project: Project) -> None:
    fake_maven(project, "not a jar")
    code, _, err = project.run("setup.sh", "jars")
    assert (code, err.count("\n")) == (2, 1)
    assert "SHA-256" in err
    assert "deleted" in err
    assert list((project.root.parent / "home/.cache/linkage_spark/jars").iterdir()) == []


def test_right_jars_are_moved_into_the_cache_once(project: Project) -> None:
    good = hashlib.sha256(b"good").hexdigest()
    (project.root / "scripts/jars/SHA256SUMS").write_text("".join(f"{good}  {name}\n" for name in JARS))
    fake_maven(project, "good")
    code, out, _ = project.run("setup.sh", "jars")
    assert code == 0
    assert "fetching" in out
    bundle = (ROOT / "scripts/jars/BUNDLE").read_text().strip()
    cache = project.root.parent / "home/.cache/linkage_spark/jars" / bundle
    assert sorted(path.name for path in cache.iterdir()) == sorted(JARS)
    assert project.run("setup.sh", "jars") == (0, "", "")
    (cache / JARS[0]).write_text("changed")
    code, out, _ = project.run("setup.sh", "jars")
    assert code == 0
    assert "fetched again" in out
    assert (cache / JARS[0]).read_text() == "good"


def test_a_jars_folder_of_ones_own_is_checked_and_never_written(project: Project) -> None:
    project.set_up()
    code, _, err = project.run("setup.sh", "jars")
    assert code == 2
    assert "does not hold the seven jars" in err
    assert sorted(path.name for path in project.jars.iterdir()) == sorted(JARS)


@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        (["demo"], {"LINKAGE_PYTHON": "/no/such/python"}, "is not a Python 3.11 with the venv module"),
        (["everything"], {}, "unknown extra 'everything'"),
    ],
)
def test_setup_fails_with_one_sentence(
    project: Project, words: list[str], environment: dict[str, str], sentence: str
) -> None:
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, project.root)
    code, _, err = project.run("setup.sh", *words, **environment)
    assert (code, err.count("\n")) == (2, 1)
    assert sentence in err


# --- the files beside them ----------------------------------------------------------------------------------


def test_the_pom_the_sums_and_the_bundles_name_agree() -> None:
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ET.parse(ROOT / "scripts/jars/pom.xml").getroot()
    versions = {f"${{{p.tag.split('}')[1]}}}": p.text for p in pom.find("m:properties", space) or []}
    names = []
    for one in pom.iterfind("m:dependencies/m:dependency", space):
        assert one.findtext("m:exclusions/m:exclusion/m:groupId", namespaces=space) == "*"
        version = one.findtext("m:version", namespaces=space) or ""
        names.append(f"{one.findtext('m:artifactId', namespaces=space)}-{versions[version]}.jar")
    assert sorted(names) == sorted(JARS)
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    delta = versions["${delta.version}"]
    assert f"delta-spark=={delta}" in pinned
    spark = next(one.removeprefix("pyspark==") for one in pinned if one.startswith("pyspark=="))
    bundle = (ROOT / "scripts/jars/BUNDLE").read_text().strip()
    assert bundle == f"spark-{'.'.join(spark.split('.')[:2])}_delta-{delta}"


def test_constraints_are_exact_versions_and_nothing_else() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert all(len(line.split("==")) == 2 and "/" not in line and " " not in line for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-"): line.split("==")[1] for line in lines}
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        name, _, version = requirement.partition("==")
        name = name.split(">")[0].split("<")[0].lower().replace("_", "-")
        assert name in pinned
        assert not version or pinned[name] == version


OF_THE_MACHINE = {
    "spark.sql.catalogImplementation",
    "spark.sql.shuffle.partitions",
    "spark.databricks.delta.snapshotPartitions",
}
"""What may differ, and no result depends on."""


def spark_conf(name: str) -> dict[str, str]:
    lines = (ROOT / "conf/spark" / name).read_text().splitlines()
    pairs = [line.split() for line in lines if line and not line.startswith("#")]
    assert all(len(pair) == 2 for pair in pairs)
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


def test_what_a_result_depends_on_is_the_same_on_every_machine() -> None:
    local, daily, backfill = (spark_conf(f"{name}.conf") for name in ("local", "daily", "backfill"))
    shared = [key for key in local if key in daily or key in backfill]
    for key in shared:
        if key not in OF_THE_MACHINE:
            assert local[key] == daily[key] == backfill[key], key
    assert {
        "spark.sql.extensions",
        "spark.sql.catalog.spark_catalog",
        "spark.sql.ansi.enabled",
        "spark.sql.session.timeZone",
        "spark.sql.parquet.outputTimestampType",
        "spark.databricks.delta.properties.defaults.enableDeletionVectors",
        "spark.eventLog.enabled",
    } <= set(shared)


@pytest.mark.parametrize("name", ["local.conf", "daily.conf", "backfill.conf"])
def test_every_spark_setting_has_its_reason_above_it(name: str) -> None:
    lines = (ROOT / "conf/spark" / name).read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if line.startswith("spark."):
            assert before.startswith("# "), line
