"""A cache with a bounded number of entries."""
