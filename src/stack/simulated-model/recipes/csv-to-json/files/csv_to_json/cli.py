"""The command line: python3 -m csv_to_json.cli [--delimiter C] [--text] [file]"""

import argparse
import json
import sys

from csv_to_json.converter import CsvError, convert


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="csv_to_json", description="Converts CSV to JSON.")
    parser.add_argument("file", nargs="?", help="a CSV file; standard input without it")
    parser.add_argument("--delimiter", default=",", help="what separates cells (default: a comma)")
    parser.add_argument("--text", action="store_true", help="keep every cell as text")
    return parser.parse_args(arguments)


def render(records):
    """One record per line, so that the output is easy to compare."""
    lines = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in records)
    return f"[\n{lines}\n]\n" if records else "[]\n"


def main(arguments=None, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr):
    """Prints the JSON and gives the exit code."""
    options = parse_arguments(arguments)
    if options.file is None:
        text = stdin.read()
    else:
        with open(options.file, encoding="utf-8", newline="") as file:
            text = file.read()
    try:
        stdout.write(render(convert(text, options.delimiter, options.text)))
    except CsvError as error:
        stderr.write(f"csv_to_json: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
