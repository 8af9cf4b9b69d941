import unittest

from lru_cache.cache import LruCache


def cache_with(capacity, *keys):
    cache = LruCache(capacity)
    for key in keys:
        cache.put(key, key.upper())
    return cache


class LruCacheTest(unittest.TestCase):
    def test_gives_back_what_was_stored(self):
        self.assertEqual(cache_with(2, "a").get("a"), "A")

    def test_gives_the_default_for_an_unknown_key(self):
        cache = LruCache(2)
        self.assertIsNone(cache.get("a"))
        self.assertEqual(cache.get("a", 7), 7)

    def test_holds_as_many_entries_as_its_capacity(self):
        self.assertEqual(cache_with(3, "a", "b", "c").keys(), ["a", "b", "c"])
        self.assertEqual(cache_with(1, "a", "b").keys(), ["b"])

    def test_forgets_the_oldest_entry_first(self):
        cache = cache_with(2, "a", "b", "c")
        self.assertNotIn("a", cache)
        self.assertEqual(len(cache), 2)

    def test_reading_an_entry_keeps_it(self):
        cache = cache_with(2, "a", "b")
        cache.get("a")
        cache.put("c", "C")
        self.assertEqual(cache.keys(), ["a", "c"])

    def test_writing_an_entry_keeps_it_and_replaces_its_value(self):
        cache = cache_with(2, "a", "b")
        cache.put("a", "new")
        cache.put("c", "C")
        self.assertEqual(cache.keys(), ["a", "c"])
        self.assertEqual(cache.get("a"), "new")

    def test_asking_whether_a_key_is_there_does_not_count_as_use(self):
        cache = cache_with(2, "a", "b")
        self.assertIn("a", cache)
        cache.put("c", "C")
        self.assertNotIn("a", cache)

    def test_counts_hits_misses_and_evictions(self):
        cache = cache_with(2, "a", "b", "c")
        cache.get("c")
        cache.get("a")
        self.assertEqual((cache.hits, cache.misses, cache.evictions), (1, 1, 1))

    def test_tells_what_it_forgets(self):
        forgotten = []
        cache = LruCache(1, on_evict=lambda key, value: forgotten.append((key, value)))
        cache.put("a", 1)
        cache.put("b", 2)
        self.assertEqual(forgotten, [("a", 1)])

    def test_removes_a_key(self):
        cache = cache_with(2, "a")
        self.assertTrue(cache.remove("a"))
        self.assertFalse(cache.remove("a"))

    def test_refuses_a_capacity_that_holds_nothing(self):
        for capacity in (0, -1, 1.5, "2"):
            with self.assertRaises(ValueError):
                LruCache(capacity)


if __name__ == "__main__":
    unittest.main()
