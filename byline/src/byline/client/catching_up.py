"""From the set of the head believed before to the set of the next: by deltas where they reach back so far, else by its base."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from byline.client.keysets import KeptSet, gone, open_kept, write_set
from byline.client.state import Recipe, State
from byline.errors import BylineError, Untrusted
from byline.formats import keyfeed
from byline.formats.feedhead import FeedFile, Head, KeyFile
from byline.formats.feedkeys import base_pieces, check_removals, checked, needed_since
from byline.formats.keyset import KeySet, SetDigest, applied, latest

MOST_DELTAS = 60
Fetch = Callable[[Sequence[KeyFile]], None]
"""Brings files into the state that are not there yet."""


@dataclass(frozen=True)
class Earlier:
    """The head believed before, and what its set is made of."""

    head: Head
    recipe: Recipe


def catch_up(state: State, head: Head, before: Head | None, fetch: Fetch) -> Recipe:
    """Make the set of a head lie in the state, and say what it is made of.

    What left since the head before must stand among the removals. Untrusted("wrong-key-set", "removed-unsaid",
    "wrong-file"), Refused("bad-key-feed"); then nothing is believed.
    """
    earlier = _earlier(state, before)
    if earlier is None:
        return _by_base(state, head, fetch)
    if earlier.head.set_sha256 == head.set_sha256:
        return earlier.recipe
    deltas = needed_since(head, earlier.head.seq)
    if deltas is not None and _size(deltas) <= max(_size(head.base), 1 << 20):
        return _by_deltas(state, head, earlier, fetch)
    recipe = _by_base(state, head, fetch)
    keys = open_set(state, earlier.head, earlier.recipe)
    left = gone(keys, open_set(state, head, recipe))
    _check_left(state, head, earlier, left, fetch)
    return recipe


def open_set(state: State, head: Head, recipe: Recipe | None) -> KeptSet:
    """The set of a believed head, every byte of it checked; made again where it is missing or torn.

    Untrusted("state-damaged") where it cannot be made again.
    """
    stem = state.set_of(head.set_sha256)
    found = _whole(state, head)
    if found is not None:
        return found
    try:
        return write_set(stem, checked(head, _made(state, head, recipe)))
    except (BylineError, OSError, ValueError) as error:
        raise Untrusted(
            "state-damaged",
            f"the keys of head {head.seq} cannot be made again; delete the state and run byline sync",
        ) from error


def _whole(state: State, head: Head) -> KeptSet | None:
    try:
        found, digest = open_kept(state.set_of(head.set_sha256)), SetDigest()
        for piece in found.pieces():
            digest.update(piece)
    except (OSError, ValueError, BylineError):
        return None
    return found if digest.hexdigest() == head.set_sha256 else None


def _earlier(state: State, before: Head | None) -> Earlier | None:
    if before is None:
        return None
    return Earlier(before, state.recipe(before.seq) or _recipe(before))


def _by_base(state: State, head: Head, fetch: Fetch) -> Recipe:
    recipe = _recipe(head)
    fetch([*head.base, *(one for one in head.deltas if one.to > head.base_seq)])
    write_set(state.set_of(head.set_sha256), checked(head, _made(state, head, recipe)))
    return recipe


def _by_deltas(state: State, head: Head, earlier: Earlier, fetch: Fetch) -> Recipe:
    deltas = needed_since(head, earlier.head.seq) or ()
    fetch(deltas)
    change = latest([keyfeed.read_delta(state.bytes_of(one.path, one.sha256)) for one in deltas])
    keys = _changed(state, head, earlier, change)
    bits = keys.bits_at(change.k) & ~change.c
    _check_left(state, head, earlier, KeySet(change.k[bits > 0], bits[bits > 0]), fetch)
    recipe = earlier.recipe
    if len(recipe.deltas) + len(deltas) > MOST_DELTAS:  # go on from the set itself
        state.flush_set(earlier.head.set_sha256)
        recipe = Recipe(set_sha256=earlier.head.set_sha256)
    paths = (*recipe.deltas, *(one.path for one in deltas))
    return Recipe(recipe.base, tuple(dict.fromkeys(paths)), recipe.set_sha256)


def _changed(state: State, head: Head, earlier: Earlier, change: KeySet) -> KeptSet:
    """Write the changed set, and give the earlier one: checked while it is read, made again where it is missing or torn."""
    stem = state.set_of(head.set_sha256)
    with suppress(BylineError, OSError, ValueError):
        keys = open_kept(state.set_of(earlier.head.set_sha256))
        write_set(stem, checked(head, applied(checked(earlier.head, keys.pieces()), change)))
        return keys
    keys = open_set(state, earlier.head, earlier.recipe)
    write_set(stem, checked(head, applied(keys.pieces(), change)))
    return keys


def _check_left(state: State, head: Head, earlier: Earlier, left: KeySet, fetch: Fetch) -> None:
    if len(left.k):
        fetch([one for one in head.removals if one.to > earlier.head.seq])
        check_removals(head, left, seq=earlier.head.seq, read=lambda file: _read(state, file))


def _made(state: State, head: Head, recipe: Recipe | None) -> Iterator[KeySet]:
    """The set out of what it is made of."""
    made_of = recipe or _recipe(head)
    change = latest([keyfeed.read_delta(state.named(path)) for path in made_of.deltas])
    return applied(_base(state, head, made_of), change)


def _base(state: State, head: Head, recipe: Recipe) -> Iterator[KeySet]:
    if recipe.set_sha256 is not None:
        yield from open_kept(state.set_of(recipe.set_sha256)).pieces()
    elif recipe.base == tuple(one.path for one in head.base):
        yield from base_pieces(head, lambda file: state.whole(file.path))
    else:
        for path in recipe.base:
            yield from keyfeed.pieces(state.whole(path))


def _recipe(head: Head) -> Recipe:
    return Recipe(
        tuple(one.path for one in head.base),
        tuple(one.path for one in head.deltas if one.to > head.base_seq),
    )


def _read(state: State, file: FeedFile) -> bytes:
    return state.bytes_of(file.path, file.sha256)


def _size(files: Sequence[KeyFile]) -> int:
    return sum(one.bytes for one in files)
