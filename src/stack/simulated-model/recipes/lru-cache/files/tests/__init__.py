"""Tests of lru_cache."""
