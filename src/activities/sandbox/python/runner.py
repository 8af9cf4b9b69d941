"""Runs a project's tests and measures line coverage, with the standard library alone; pytest where the plan says so.

usage: python3 -I runner.py plan.json

The plan names the project's root, its test and source files, the report and the key of its seal. Every test file runs in a
process of its own, which tells this one about itself and nothing else; this process never loads a file of the project.
Exit code: 0 passed, 1 failed, 97 unfit interpreter.
"""

import ctypes
import hashlib
import hmac
import json
import os
import select
import sys
import traceback

OWN_FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, OWN_FOLDER)
import cases  # noqa: E402
import sources  # noqa: E402

LISTS = ("ran", "passed", "skipped", "failed", "broken")
NO_PYTEST = (
    "the tests use pytest, which this python3 does not have: write them with unittest, or have an operator install "
    "python3-pytest or put it into the python folder of SANDBOX_DEPENDENCIES"
)


def main(plan_path):
    if sys.version_info < (3, 10):
        print("python3 is %s, at least 3.10 is needed" % sys.version.split()[0], file=sys.stderr)
        return 97
    plan, key = take_plan(plan_path)
    forbid_inspection()
    root = os.path.realpath(plan["root"])
    os.chdir(root)
    if plan["packages"]:
        sys.path.append(plan["packages"])
    hollow = plan["hollow"]
    hollowed = sources.take_out_functions(root, hollow["paths"], hollow["gives"]) if hollow else 0
    paths = {os.path.join(root, path): path for path in plan["sources"]}
    report = {name: [] for name in LISTS}
    executed = {path: set() for path in paths}
    run = runner_of(plan["runner"], report)
    give_names_back()
    for test_file in plan["tests"] if run else []:
        merge(report, executed, test_file, in_child(lambda: run(root, test_file, set(paths))))
    spans = {path: sources.spans_of(full, executed[full]) for full, path in paths.items()}
    write_report(plan["report"], key, {**report, "spans": spans, "hollowed": hollowed})
    return 1 if report["failed"] or report["broken"] else 0


def take_plan(plan_path):
    """Reads the plan and the key, and removes both before any file of the project can run."""
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    with open(plan["key"], "rb") as file:
        key = file.read()
    os.unlink(plan["key"])
    os.unlink(plan_path)
    return plan, key


def forbid_inspection(allowed=0):
    """PR_SET_DUMPABLE: whether processes of the same user may read the memory of this one, where the key is."""
    try:
        ctypes.CDLL(None).prctl(4, allowed, 0, 0, 0)
    except (OSError, AttributeError):
        pass


def runner_of(name, report):
    if name == "python":
        return cases.run_unittest
    try:
        import pytest_cases
    except ImportError:
        report["broken"].append({"name": "(the whole run)", "reason": NO_PYTEST})
        return None
    return pytest_cases.run_pytest


def give_names_back():
    """The project may have modules that are named like ours."""
    sys.path.remove(OWN_FOLDER)
    for name in ("cases", "sources", "pytest_cases"):
        sys.modules.pop(name, None)


def in_child(work):
    """What the work gives, from a process of its own; None when that ended before it could tell."""
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiver)
        code = 1
        try:
            forbid_inspection(allowed=1)
            outcome = json.dumps(work()).encode()
            sys.stdout.flush()
            sys.stderr.flush()
            send(sender, len(outcome).to_bytes(8, "big") + outcome)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(sender)
    try:
        return receive(receiver, child)
    finally:
        os.close(receiver)


def send(sender, content):
    while content:
        content = content[os.write(sender, content):]


def receive(receiver, child):
    # Whatever the tests have started may still hold the pipe open, so its end is not waited for.
    content, ended = b"", False
    while True:
        if select.select([receiver], [], [], 0 if ended else 0.05)[0]:
            part = os.read(receiver, 1 << 16)
            content += part
            if part and len(content) < 8 + int.from_bytes(content[:8].ljust(8, b"\0"), "big"):
                continue
            break
        if ended:
            break
        ended = os.waitpid(child, os.WNOHANG)[0] == child
    if not ended:
        os.waitpid(child, 0)
    if len(content) < 8 or len(content) != 8 + int.from_bytes(content[:8], "big"):
        return None
    return json.loads(content[8:])


def merge(report, executed, test_file, outcome):
    if outcome is None:
        reason = "the process of this file ended before it could report: does a test end it?"
        report["broken"].append({"name": test_file, "reason": reason})
        return
    for name in LISTS:
        report[name] += outcome[name]
    for path, lines in outcome["executed"].items():
        executed[path].update(lines)


def write_report(path, key, report):
    text = json.dumps(report) + "\n"
    seal = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + seal + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
