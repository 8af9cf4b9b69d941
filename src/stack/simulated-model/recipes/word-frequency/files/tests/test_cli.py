import contextlib
import io
import os
import tempfile
import unittest

from word_frequency.cli import main


def run(arguments, text=""):
    stdout = io.StringIO()
    code = main(arguments, stdin=io.StringIO(text), stdout=stdout)
    return code, stdout.getvalue()


class CommandLineTest(unittest.TestCase):
    def test_reads_standard_input(self):
        self.assertEqual(run(["--top", "2"], "the cat and the dog"), (0, "2  the\n1  and\n"))

    def test_reads_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "text.txt")
            with open(path, "w", encoding="utf-8") as file:
                file.write("tea tea coffee")
            self.assertEqual(run([path, "--min-length", "4"]), (0, "1  coffee\n"))

    def test_aligns_the_counts(self):
        self.assertEqual(run([], "a " * 10 + "b"), (0, "10  a\n 1  b\n"))

    def test_prints_nothing_for_an_empty_text(self):
        self.assertEqual(run([], ""), (0, ""))

    def test_refuses_a_number_below_one(self):
        with contextlib.redirect_stderr(io.StringIO()) as stderr, self.assertRaises(SystemExit):
            run(["--top", "0"])
        self.assertIn("0 is not at least 1", stderr.getvalue())


if __name__ == "__main__":
    unittest.main()
