"""Converts CSV to JSON."""
