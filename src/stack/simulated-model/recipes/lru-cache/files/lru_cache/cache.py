"""A cache that forgets the least recently used entry."""

from collections import OrderedDict


class LruCache:
    """Keeps up to capacity entries; reading and writing an entry both count as use."""

    def __init__(self, capacity, on_evict=None):
        if not isinstance(capacity, int) or capacity < 1:
            raise ValueError(f"capacity must be a whole number of at least 1, not {capacity!r}")
        self.capacity = capacity
        self.hits = 0
        self.misses = 0
        self.evictions = 0
        self._on_evict = on_evict
        self._entries = OrderedDict()  # the oldest use first

    def get(self, key, default=None):
        """Gives the value of a key, or the default."""
        if key not in self._entries:
            self.misses += 1
            return default
        self.hits += 1
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key, value):
        """Stores a value; the oldest entry makes room for a new one."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        while len(self._entries) > self.capacity:
            oldest, forgotten = self._entries.popitem(last=False)
            self.evictions += 1
            if self._on_evict is not None:
                self._on_evict(oldest, forgotten)

    def remove(self, key):
        """Forgets a key; says whether it was there."""
        missing = object()
        return self._entries.pop(key, missing) is not missing

    def __contains__(self, key):
        return key in self._entries

    def __len__(self):
        return len(self._entries)

    def keys(self):
        """The keys, the least recently used first."""
        return list(self._entries)
