"""Runs one test file with pytest, of whose configuration in the project nothing is taken."""

import os

import cases
import pytest

# What a conftest.py of the project may hook into beside its fixtures: nothing that decides on collection or outcome.
ALLOWED_HOOKS = ("pytest_addoption", "pytest_generate_tests", "pytest_make_parametrize_id", "pytest_assertrepr_compare")


def run_pytest(root, path, source_files):
    outcome = cases.Outcome()
    arguments = ["-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:terminalreporter", "-c", os.devnull]
    arguments += ["--rootdir", root, "--import-mode", "prepend", os.path.join(root, path)]
    executed = cases.traced(root, source_files, lambda: pytest.main(arguments, plugins=[Recorder(root, outcome)]))
    return {**outcome.lists, "executed": executed}


class Recorder:
    def __init__(self, root, outcome):
        self.root = root
        self.outcome = outcome
        self.ended = {}

    def pytest_plugin_registered(self, plugin, manager):
        file = getattr(plugin, "__file__", None)
        if not file or not os.path.realpath(file).startswith(self.root + os.sep):
            return
        for caller in manager.get_hookcallers(plugin) or []:
            if caller.name not in ALLOWED_HOOKS:
                caller._remove_plugin(plugin)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report):
        if report.failed:
            self.outcome.fault("broken", report.nodeid, CollectionFailed(reason_of(report)))
        elif report.skipped:
            self.outcome.lists["skipped"].append(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report):
        lists = self.outcome.lists
        expected = hasattr(report, "wasxfail")
        if report.failed:
            self.ended[report.nodeid] = "failed"
            if report.when == "call":
                lists["ran"].append(report.nodeid)
            self.outcome.fault("failed", report.nodeid, AssertionError(reason_of(report)))
        elif report.skipped or expected:
            self.ended[report.nodeid] = "skipped"
            lists["skipped"].append(report.nodeid)
        elif report.when == "call":
            lists["ran"].append(report.nodeid)
        elif report.when == "teardown" and report.nodeid not in self.ended:
            lists["passed"].append(report.nodeid)


class CollectionFailed(Exception):
    pass


def reason_of(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longrepr)
