import unittest

from csv_to_json.converter import CsvError, convert, typed


class TypedTest(unittest.TestCase):
    def test_knows_numbers(self):
        self.assertEqual([typed(cell) for cell in ("0", "-12", "3.50")], [0, -12, 3.5])

    def test_knows_true_false_and_nothing(self):
        self.assertEqual([typed(cell) for cell in ("true", "false", "")], [True, False, None])

    def test_keeps_numbers_with_leading_zeros_as_text(self):
        self.assertEqual([typed(cell) for cell in ("007", "01234")], ["007", "01234"])

    def test_keeps_other_cells_as_text(self):
        self.assertEqual([typed(cell) for cell in ("1e5", "1.", "True", " 1")], ["1e5", "1.", "True", " 1"])


class ConvertTest(unittest.TestCase):
    def test_gives_one_record_per_line(self):
        self.assertEqual(convert("name,age\nAda,36\nBob,\n"), [{"name": "Ada", "age": 36}, {"name": "Bob", "age": None}])

    def test_understands_quotes_and_line_breaks_in_cells(self):
        self.assertEqual(convert('a,b\n"x, ""y""","1\n2"\n'), [{"a": 'x, "y"', "b": "1\n2"}])

    def test_takes_another_delimiter(self):
        self.assertEqual(convert("a;b\n1;2\n", delimiter=";"), [{"a": 1, "b": 2}])

    def test_keeps_text_when_asked(self):
        self.assertEqual(convert("a\n1\n", keep_text=True), [{"a": "1"}])

    def test_skips_blank_lines_and_a_byte_order_mark(self):
        self.assertEqual(convert("\ufeffa\n\n1\n\n"), [{"a": 1}])

    def test_names_the_line_of_a_wrong_row(self):
        with self.assertRaisesRegex(CsvError, "line 3: 1 cells, but the header has 2"):
            convert("a,b\n1,2\n3\n")

    def test_refuses_a_missing_or_ambiguous_header(self):
        for text in ("", "a,a\n1,2\n"):
            with self.assertRaisesRegex(CsvError, "line 1"):
                convert(text)

    def test_refuses_a_quote_that_is_not_closed(self):
        with self.assertRaisesRegex(CsvError, "line 2"):
            convert('a\n"x')


if __name__ == "__main__":
    unittest.main()
