"""Runs a project's unittest tests and measures line coverage, with the standard library alone.

usage: python3 -I python-runner.py plan.json

The plan names the project's root, its test files, its source files and the path of the report. The report has the number
of tests that ran, the failures and the lines of the source files. Exit code: 0 passed, 1 failed, 97 unfit interpreter.
Plain functions named test_* without parameters count as tests too.
"""

import ast
import importlib
import importlib.util
import inspect
import json
import os
import sys
import threading
import traceback
import unittest


def main(plan_path):
    if sys.version_info < (3, 10):
        print("python3 is %s, at least 3.10 is needed" % sys.version.split()[0], file=sys.stderr)
        return 97
    with open(plan_path, encoding="utf-8") as file:
        plan = json.load(file)
    root = os.path.realpath(plan["root"])
    sources = {os.path.join(root, path) for path in plan["sources"]}
    executed = {path: set() for path in sources}
    result = Result()
    os.chdir(root)
    sys.path[:0] = [root] + [path for path in [os.path.join(root, "src")] if os.path.isdir(path)]
    trace = tracer(executed)
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        run_files(root, plan["tests"], result)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    write_report(plan["report"], result, executed)
    return 1 if result.reports else 0


def run_files(root, paths, result):
    for path in paths:
        try:
            module = load(root, path)
            suite = suite_of(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            result.report(path, error)
            continue
        suite.run(result)


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
    def __init__(self):
        super().__init__()
        self.ran = 0
        self.reports = []

    def startTest(self, test):
        super().startTest(test)
        self.ran += 1

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        # A skipped class or module is reported without having been started.
        if isinstance(test, unittest.TestCase):
            self.ran -= 1

    def addError(self, test, err):
        self.report(test.id(), err[1])

    def addFailure(self, test, err):
        self.report(test.id(), err[1])

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.report(subtest.id(), err[1])

    def addUnexpectedSuccess(self, test):
        self.report(test.id(), AssertionError("expected to fail, but it passed"))

    def report(self, name, error):
        reason = "".join(traceback.format_exception_only(type(error), error)).strip()
        self.reports.append({"name": name, "reason": reason[:2000]})
        print("FAIL %s" % name, file=sys.stderr)
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)


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


def write_report(path, result, executed):
    total = covered = 0
    for source, lines in executed.items():
        for span in statements(source):
            total += 1
            covered += any(line in lines for line in span)
    report = {"tests": result.ran, "failures": result.reports, "lines": {"total": total, "covered": covered}}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(report, file)


def statements(path):
    """The lines of each statement that has code: a statement over several lines counts once, a docstring never."""
    try:
        with open(path, "rb") as file:
            text = file.read()
        tree = ast.parse(text)
        code = code_lines(compile(text, path, "exec"))
    except (SyntaxError, ValueError, OSError):
        return [()]
    spans = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not is_docstring(node):
            span = header(node)
            if any(line in code for line in span):
                spans.setdefault(span.start, span)
    return list(spans.values())


def code_lines(code):
    lines = {line for _start, _end, line in code.co_lines() if line}
    for constant in code.co_consts:
        if inspect.iscode(constant):
            lines |= code_lines(constant)
    return lines


def is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def header(node):
    """The lines of a statement without the body it may have."""
    first = first_line(node)
    body = getattr(node, "body", None)
    if isinstance(node, ast.Match):
        last = node.subject.end_lineno
    elif body:
        last = max(node.lineno, first_line(body[0]) - 1)
    else:
        last = node.end_lineno
    return range(first, last + 1)


def first_line(node):
    return min([node.lineno] + [each.lineno for each in getattr(node, "decorator_list", [])])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
