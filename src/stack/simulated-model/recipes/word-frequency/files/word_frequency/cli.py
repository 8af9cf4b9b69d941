"""The command line: python3 -m word_frequency.cli [--top N] [--min-length N] [file]"""

import argparse
import sys

from word_frequency.counter import count_words, most_frequent


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 1")
    return number


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="word_frequency", description="Counts the words of a text.")
    parser.add_argument("file", nargs="?", help="a text file; standard input without it")
    parser.add_argument("--top", type=positive, default=10, help="how many words to show (default: 10)")
    parser.add_argument("--min-length", type=positive, default=1, help="leave out shorter words")
    return parser.parse_args(arguments)


def main(arguments=None, stdin=sys.stdin, stdout=sys.stdout):
    """Prints one line per word and gives the exit code."""
    options = parse_arguments(arguments)
    if options.file is None:
        text = stdin.read()
    else:
        with open(options.file, encoding="utf-8") as file:
            text = file.read()
    pairs = most_frequent(count_words(text, options.min_length), options.top)
    width = len(str(pairs[0][1])) if pairs else 0
    for word, count in pairs:
        stdout.write(f"{count:>{width}}  {word}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
