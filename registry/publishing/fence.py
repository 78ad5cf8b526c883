"""The parent's side of the fenced process: starts it without an environment, listens, and does not believe its death.

A refusal comes as a word. A death (signal, limit, time) is counted on the submission by the caller: it may be the
machine's fault once or twice, not three times.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from byline.errors import Refused, Unavailable
from registry.publishing.task import Task, Totals, totals_from_json

Progress = Callable[[str, int, int], None]
PROGRAM = [sys.executable, "-I", "-m", "registry.publishing.walls", "registry.publishing.child"]
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "ARROW_DEFAULT_MEMORY_POOL": "system"}
LONGEST_WORD = 1 << 20


def read_extract(task: Task, *, heard: Progress) -> Totals:
    """Run the task fenced.

    Refused as the process says it; Unavailable("extract-reader-died") when it died over it.
    """
    with task.path("stderr").open("wb") as errors:
        process = subprocess.Popen(
            PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=ENVIRONMENT,
            cwd=task.folder,
            close_fds=True,
            text=True,
        )
        timer = threading.Timer(task.seconds, process.kill)
        timer.start()
        try:
            said = _listen(process, task, heard)
            code = process.wait()
        finally:
            timer.cancel()
            process.kill()
            process.communicate()
    if "refused" in said:
        found = said["refused"]
        raise Refused(found["code"], found["message"], at=found.get("at"), details=found.get("details"))
    if "totals" not in said or code != 0:
        raise Unavailable(
            "extract-reader-died", f"the process that read the extract ended with {code}: {_last_words(task)}"
        )
    try:
        return totals_from_json(said["totals"])
    except (TypeError, KeyError) as error:
        raise Unavailable(
            "extract-reader-died", "the process that read the extract said nothing sensible"
        ) from error


def _listen(process: subprocess.Popen[str], task: Task, heard: Progress) -> dict[str, Any]:
    """Hand the task over, pass progress on, keep the last other word."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError("both are pipes")
    said: dict[str, Any] = {}
    try:
        process.stdin.write(task.to_json() + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return said
    # A process that was taken over may say anything: what it says is short, and one of three words.
    while line := process.stdout.readline(LONGEST_WORD):
        try:
            word = json.loads(line)
            step = (str(word["step"]), int(word["done"]), int(word["total"])) if "step" in word else None
            said |= {} if step else dict(word)
        except (ValueError, TypeError, KeyError, RecursionError):
            process.kill()  # else it would wait for somebody to hear the rest, until its time is up
            return {}
        if step:
            heard(*step)
    return said


def _last_words(task: Task) -> str:
    lines = task.path("stderr").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else "no last words"
