import io
import os
import tempfile
import unittest

from csv_to_json.cli import main


def run(arguments, text=""):
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(arguments, io.StringIO(text), stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


class CommandLineTest(unittest.TestCase):
    def test_converts_standard_input(self):
        self.assertEqual(run([], "name,age\nZoë,5\n"), (0, '[\n  {"name": "Zoë", "age": 5}\n]\n', ""))

    def test_converts_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "data.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write("a\tb\n1\t2\n")
            code, stdout, _ = run([path, "--delimiter", "\t", "--text"])
        self.assertEqual((code, stdout), (0, '[\n  {"a": "1", "b": "2"}\n]\n'))

    def test_gives_an_empty_list_for_a_header_alone(self):
        self.assertEqual(run([], "a,b\n"), (0, "[]\n", ""))

    def test_tells_what_is_wrong_and_exits_with_1(self):
        self.assertEqual(run([], "a\n1,2\n"), (1, "", "csv_to_json: line 2: 2 cells, but the header has 1\n"))


if __name__ == "__main__":
    unittest.main()
