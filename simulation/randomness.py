"""Draws without state: a pure function of seed, purpose, tick and cell name.

A draw is ``mix(stream XOR name)`` where the stream is ``mix(key + tick * GOLDEN)`` and the key hashes seed and purpose.
Nothing is consumed, so a draw made or left out changes no other draw: two arms with one seed differ only where a
treatment changes what a cell does, and rows may be re-ordered without changing a bit.

The mixing function is the SplitMix64 finaliser with David Stafford's constants "Mix13" (Steele, Lea & Flood, OOPSLA 2014,
"Fast splittable pseudorandom number generators"). How it did under dieharder is written in ``tests/laws/mixing.md``.
"""

import hashlib
import math

import numpy as np

from .compiled import loop, rare, scalar

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_A = np.uint64(0xBF58476D1CE4E5B9)
MIX_B = np.uint64(0x94D049BB133111EB)
TO_UNIT = 2.0**-53
NAME_MASK = np.uint64((1 << 63) - 1)


@scalar
def mix(x):
    """Scatter 64 bits so that every output bit depends on every input bit; a bijection."""
    x = (x ^ (x >> np.uint64(30))) * MIX_A
    x = (x ^ (x >> np.uint64(27))) * MIX_B
    return x ^ (x >> np.uint64(31))


@scalar
def stream_at(key, tick):
    """The stream of one purpose at one tick; ``key`` from :func:`key_of`."""
    return mix(key + np.uint64(tick) * GOLDEN)


@scalar
def bits(stream, name):
    """Sixty-four random bits for one cell."""
    return mix(stream ^ np.uint64(name))


@scalar
def uniform(stream, name):
    """A number in [0, 1) for one cell, on the 53-bit grid of float64."""
    return (
        np.float64(np.int64(mix(stream ^ np.uint64(name)) >> np.uint64(11))) * TO_UNIT
    )  # signed: one instruction


@scalar
def normal(stream, name):
    """A standard normal number for one cell (Box & Muller 1958, cosine branch)."""
    first = 1.0 - uniform(stream, name)
    second = uniform(mix(stream + GOLDEN), name)
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@scalar
def name_from(stream, parent):
    """The 63-bit name of a cell that descends from ``parent`` (a cell's name, an entry site, an ordinal)."""
    return np.int64(mix(stream ^ np.uint64(parent)) & NAME_MASK)


def key_of(seed: int, purpose: str) -> np.uint64:
    """The 64-bit key of one purpose (a path such as ``"contact.hit"``) under one seed."""
    digest = hashlib.blake2b(f"{int(seed)}/{purpose}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))


class Randomness:
    """All draws of one run.

    ``seed`` is any integer. ``uniform("treatments.mine.who", tick, names)`` returns one number in [0, 1) per name, and the
    same numbers whenever it is asked again.
    """

    def __init__(self, seed: int):
        self.seed = int(seed)
        self._keys: dict[str, np.uint64] = {}

    def key(self, purpose: str) -> np.uint64:
        """The 64-bit key of one purpose under the seed of this run."""
        if purpose not in self._keys:
            self._keys[purpose] = key_of(self.seed, purpose)
        return self._keys[purpose]

    def stream(self, purpose: str, tick: int) -> np.uint64:
        """The stream of one purpose at one tick, from which each cell draws by its name."""
        return np.uint64(_stream(self.key(purpose), np.int64(tick)))

    def uniform(self, purpose: str, tick: int, names) -> np.ndarray:
        """One number in [0, 1) per name, in the order of ``names``."""
        return _uniforms(
            self.stream(purpose, tick), np.ascontiguousarray(names, dtype=np.int64).ravel()
        )

    def normal(self, purpose: str, tick: int, names) -> np.ndarray:
        """One standard normal number per name, in the order of ``names``."""
        return _normals(
            self.stream(purpose, tick), np.ascontiguousarray(names, dtype=np.int64).ravel()
        )

    def names(self, purpose: str, tick: int, ordinals) -> np.ndarray:
        """New 63-bit cell names, one per ordinal."""
        return _names(
            self.stream(purpose, tick), np.ascontiguousarray(ordinals, dtype=np.int64).ravel()
        )


@loop
def _uniforms(stream, names):
    result = np.empty(names.size)
    for i in range(names.size):
        result[i] = uniform(stream, names[i])
    return result


@rare
def _normals(stream, names):
    result = np.empty(names.size)
    for i in range(names.size):
        result[i] = normal(stream, names[i])
    return result


@loop
def _names(stream, parents):
    result = np.empty(parents.size, dtype=np.int64)
    for i in range(parents.size):
        result[i] = name_from(stream, parents[i])
    return result


@loop
def _stream(key, tick):
    return stream_at(key, tick)
