"""The contract of every store. A new kind of store joins the fixture ``store``, nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from modelwarrant.errors import StoreError
from modelwarrant.storage import ObjectStore, probe, refuse_unfit

BAD_KEYS = [
    "",
    "/etc/passwd",
    "a//b",
    "a/",
    "..",
    "a/../b",
    "a/./b",
    ".tmp/x",
    "a/.hidden",
    "a b",
    "a\nb",
    "a\\b",
    "a:b",
    "é",
    "a/" + "x" * 201,
    "a/" * 600 + "b",
]


class TestStoreContract:
    """What the ledger relies on, for any store."""

    def test_an_absent_key_is_none(self, store: ObjectStore) -> None:
        """Reading what nobody wrote gives None, not an error."""
        assert store.get("m/a/log/000000000001.json") is None

    @pytest.mark.parametrize("data", [b"", b"\x00\xff" * 3, b"x" * 300_000])
    def test_created_bytes_come_back(self, store: ObjectStore, data: bytes) -> None:
        """Any bytes, empty and large ones too, are read as they were created."""
        assert store.create("m/a/one", data)
        assert data == store.get("m/a/one")

    def test_create_refuses_a_taken_key(self, store: ObjectStore) -> None:
        """The second create is refused and changes nothing."""
        store.create("k/one", b"first")

        assert not store.create("k/one", b"second")
        assert store.get("k/one") == b"first"

    def test_create_refuses_a_key_that_was_put(self, store: ObjectStore) -> None:
        """It does not matter how the object came to be there."""
        store.put("k/one", b"first")

        assert not store.create("k/one", b"second")
        assert store.get("k/one") == b"first"

    def test_put_overwrites(self, store: ObjectStore) -> None:
        """The last writer wins."""
        store.put("k/one", b"first")
        store.put("k/one", b"second")

        assert store.get("k/one") == b"second"

    def test_a_race_has_one_winner(self, store: ObjectStore) -> None:
        """Of 16 writers exactly one learns that it won, and its bytes lie there."""
        with ThreadPoolExecutor(16) as racers:
            won = list(racers.map(lambda n: store.create("race/key", str(n).encode()), range(16)))

        assert won.count(True) == 1
        assert store.get("race/key") == str(won.index(True)).encode()

    def test_list_is_sorted_and_whole(self, store: ObjectStore) -> None:
        """Keys come in ascending order, below any depth, each once."""
        keys = ["p/b", "p/a/2", "p/a/10", "p-q", "p/a-b", "q/x"]
        for key in keys:
            store.create(key, b"")

        assert sorted(keys) == list(store.list(""))
        assert sorted(key for key in keys if key.startswith("p/a")) == list(store.list("p/a"))
        assert list(store.list("p/")) == ["p/a-b", "p/a/10", "p/a/2", "p/b"]

    def test_list_of_nothing_is_empty(self, store: ObjectStore) -> None:
        """A prefix under which nobody wrote lists nothing."""
        assert list(store.list("nobody/here/")) == []

    def test_list_takes_any_beginning(self, store: ObjectStore) -> None:
        """A prefix may end within a segment."""
        store.create("requests/ab12.json", b"")
        store.create("requests/cd34.json", b"")

        assert list(store.list("requests/ab")) == ["requests/ab12.json"]

    def test_a_deleted_key_is_absent_and_free(self, store: ObjectStore) -> None:
        """After a delete the key reads as None and can be created again."""
        store.create("k/one", b"old")
        store.delete("k/one")

        assert store.get("k/one") is None
        assert store.create("k/one", b"new")

    def test_deleting_what_is_not_there_is_no_error(self, store: ObjectStore) -> None:
        """A collector that repeats itself stops nothing."""
        store.delete("k/nothing")

        assert store.get("k/nothing") is None

    def test_a_folder_is_no_object(self, store: ObjectStore) -> None:
        """A key that is only the beginning of other keys reads as None."""
        store.create("k/folder/object", b"x")

        assert store.get("k/folder") is None

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_an_odd_key_is_refused_by_every_call(self, store: ObjectStore, key: str) -> None:
        """No key escapes the store or hides in it."""
        calls = (
            lambda: store.get(key),
            lambda: store.create(key, b"x"),
            lambda: store.put(key, b"x"),
            lambda: store.delete(key),
        )
        for call in calls:
            with pytest.raises(StoreError, match="is not a key"):
                call()

    @pytest.mark.parametrize("prefix", ["/", "../", "a//", "a/../", ".tm", "a b"])
    def test_an_odd_prefix_is_refused(self, store: ObjectStore, prefix: str) -> None:
        """Nothing outside the store can be listed."""
        with pytest.raises(StoreError, match="is not a key"):
            store.list(prefix)

    def test_the_probe_accepts_it_and_leaves_nothing(self, store: ObjectStore) -> None:
        """The start-up probe finds every promise kept and removes its own keys."""
        findings = probe(store)

        assert [finding for finding in findings if not finding.is_kept] == []
        assert list(store.list("probe/")) == []
        refuse_unfit(store, findings)
