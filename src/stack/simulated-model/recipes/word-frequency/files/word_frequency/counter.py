"""Splitting a text into words and counting them."""

import re
from collections import Counter

# Letters and digits, with apostrophes and hyphens only inside a word.
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def words_of(text):
    """Gives the words of a text in their order, without regard to case."""
    return [word.casefold() for word in WORD.findall(text)]


def count_words(text, min_length=1):
    """Counts the words of at least min_length characters."""
    return Counter(word for word in words_of(text) if len(word) >= min_length)


def most_frequent(counts, top):
    """Gives up to top pairs of word and count, the most frequent first, then in alphabetical order."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
