"""Tests of word_frequency."""
