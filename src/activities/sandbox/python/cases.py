"""Runs one test file with unittest. Plain functions named test_* without parameters count as tests too."""

import importlib
import importlib.util
import inspect
import os
import sys
import threading
import traceback
import unittest


def run_unittest(root, path, source_files):
    outcome = Outcome()
    result = Result(outcome)

    def run():
        try:
            suite = suite_of(load(root, path))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            outcome.fault("broken", path, error)
            return
        suite.run(result)

    executed = traced(root, source_files, run)
    return {**outcome.lists, "executed": executed}


class Outcome:
    """What the tests of one file came to."""

    def __init__(self):
        self.lists = {"ran": [], "passed": [], "skipped": [], "failed": [], "broken": []}

    def fault(self, kind, name, error):
        reason = "".join(traceback.format_exception_only(type(error), error)).strip()
        self.lists[kind].append({"name": name, "reason": reason[:2000]})
        print("FAIL %s" % name, file=sys.stderr)
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)


def traced(root, source_files, run):
    """Calls run with the project on the path, and gives the lines of its sources that were executed."""
    executed = {path: set() for path in source_files}
    sys.path[:0] = [root] + [path for path in [os.path.join(root, "src")] if os.path.isdir(path)]
    # Tracing slows every call, so it is for sources that are asked about alone.
    trace = tracer(executed) if executed else None
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return {path: sorted(lines) for path, lines in executed.items() if lines}


def tracer(executed):
    names = {}

    def follow(frame, event, _argument):
        if event == "line":
            names[frame.f_code.co_filename].add(frame.f_lineno)
        return follow

    def enter(frame, _event, _argument):
        name = frame.f_code.co_filename
        if name not in names:
            names[name] = executed.get(os.path.realpath(name))
        return None if names[name] is None else follow

    return enter


def load(root, path):
    """Imports a test file under its package's name where it is in a package, else under a name of its own."""
    full = os.path.join(root, path)
    folder, parts = os.path.dirname(full), [os.path.splitext(os.path.basename(full))[0]]
    while folder != root and os.path.isfile(os.path.join(folder, "__init__.py")):
        parts.insert(0, os.path.basename(folder))
        folder = os.path.dirname(folder)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if len(parts) > 1:
        return importlib.import_module(".".join(parts))
    name = path[:-3].replace("/", ".")
    spec = importlib.util.spec_from_file_location(name, full)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def suite_of(module):
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    for name, value in list(vars(module).items()):
        if not name.startswith("test") or not inspect.isfunction(value) or value.__module__ != module.__name__:
            continue
        if not inspect.signature(value).parameters:
            suite.addTest(Function(value, "%s.%s" % (module.__name__, name)))
    return suite


class Function(unittest.FunctionTestCase):
    def __init__(self, function, name):
        super().__init__(function)
        self.name = name

    def id(self):
        return self.name


class Result(unittest.TestResult):
    def __init__(self, outcome):
        super().__init__()
        self.outcome = outcome

    def startTest(self, test):
        super().startTest(test)
        self.outcome.lists["ran"].append(test.id())

    def addSuccess(self, test):
        self.outcome.lists["passed"].append(test.id())

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.leave_out(test)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.leave_out(test)

    def leave_out(self, test):
        # A skipped class or module is reported without having been started.
        if isinstance(test, unittest.TestCase):
            self.outcome.lists["ran"].pop()
        self.outcome.lists["skipped"].append(test.id())

    def addError(self, test, err):
        # What goes wrong outside of a test, such as in setUpClass, is no test that ran.
        self.outcome.fault("failed" if isinstance(test, unittest.TestCase) else "broken", test.id(), err[1])

    def addFailure(self, test, err):
        self.addError(test, err)

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.outcome.fault("failed", subtest.id(), err[1])

    def addUnexpectedSuccess(self, test):
        self.outcome.fault("failed", test.id(), AssertionError("expected to fail, but it passed"))
