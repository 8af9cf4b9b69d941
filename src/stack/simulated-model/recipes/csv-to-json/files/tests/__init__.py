"""Tests of csv_to_json."""
