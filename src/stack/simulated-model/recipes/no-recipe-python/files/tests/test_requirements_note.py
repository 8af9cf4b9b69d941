import unittest

from requirements_note.note import REQUIREMENTS, outline


class RequirementsNoteTest(unittest.TestCase):
    def test_begins_with_the_recorded_requirements(self):
        self.assertEqual(outline(len(REQUIREMENTS) + 1), " ".join(REQUIREMENTS.split()))

    def test_keeps_a_text_that_fits_on_one_line(self):
        self.assertEqual(outline(11, " hello\n world "), "hello world")

    def test_shortens_a_longer_text_to_the_given_length(self):
        self.assertEqual(outline(10, "hello world"), "hello wor…")
        self.assertEqual(outline(1, "hello"), "…")

    def test_outlines_the_recorded_requirements(self):
        self.assertLessEqual(len(outline(20)), 20)

    def test_refuses_a_length_that_holds_nothing(self):
        with self.assertRaises(ValueError):
            outline(0)


if __name__ == "__main__":
    unittest.main()
