"""The requirements as they were given; the simulated model has no recipe for them."""

REQUIREMENTS = 'REQUIREMENTS_TEXT'


def outline(max_chars, text=REQUIREMENTS):
    """Give a text on one line, at most max_chars long; what is left out is shown by an ellipsis."""
    if not isinstance(max_chars, int) or max_chars < 1:
        raise ValueError("%r is not a whole number of at least 1" % (max_chars,))
    line = " ".join(text.split())
    if len(line) <= max_chars:
        return line
    return line[: max_chars - 1] + "…"
