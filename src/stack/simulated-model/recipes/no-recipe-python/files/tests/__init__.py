"""Tests of requirements_note."""
