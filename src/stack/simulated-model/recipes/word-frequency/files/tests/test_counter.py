import unittest

from word_frequency.counter import count_words, most_frequent, words_of


class WordsTest(unittest.TestCase):
    def test_splits_at_punctuation_and_white_space(self):
        self.assertEqual(words_of("one, two;three\nfour_five"), ["one", "two", "three", "four", "five"])

    def test_keeps_apostrophes_and_hyphens_inside_words(self):
        self.assertEqual(words_of("don't 'quote' well-known -- dash"), ["don't", "quote", "well-known", "dash"])

    def test_knows_letters_beyond_ascii(self):
        self.assertEqual(words_of("naïve café 2024"), ["naïve", "café", "2024"])


class CountTest(unittest.TestCase):
    def test_counts_without_regard_to_case(self):
        self.assertEqual(count_words("The cat and the dog and THE bird")["the"], 3)

    def test_leaves_out_short_words(self):
        self.assertEqual(dict(count_words("a bb ccc bb", min_length=2)), {"bb": 2, "ccc": 1})

    def test_counts_nothing_in_an_empty_text(self):
        self.assertEqual(dict(count_words(" \n")), {})

    def test_puts_equal_counts_in_alphabetical_order(self):
        self.assertEqual(most_frequent(count_words("b a c a b d"), 3), [("a", 2), ("b", 2), ("c", 1)])


if __name__ == "__main__":
    unittest.main()
