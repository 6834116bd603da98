"""Generators of random numbers: a forked process must not draw the numbers of another one."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Iterable
from typing import Any

__all__ = ["is_unseeded", "reseed", "unseeded_generators"]


def unseeded_generators() -> list[Any]:
    """Return the random number generators of this process that were not given a seed.

    The standard library's own is left out: Python reseeds it in a forked process.
    """
    generators = [candidate for candidate in gc.get_objects() if is_unseeded(candidate)]
    torch_generator = getattr(sys.modules.get("torch"), "default_generator", None)
    if torch_generator is not None and torch_generator.initial_seed() >= 2**32:  # the system gives 53 bits
        generators.append(torch_generator)
    return generators


def is_unseeded(candidate: Any) -> bool:
    # not `isinstance`, which looks at an attribute: some objects warn then, or fail
    kind = type(candidate)
    numpy_random = sys.modules.get("numpy.random")  # numpy imports it lazily
    if kind is random.Random:  # it does not record whether it was given a seed
        return candidate is not random._inst
    if numpy_random is None:
        return False
    if issubclass(kind, numpy_random.RandomState):
        return candidate._bit_generator.seed_seq is not None
    if issubclass(kind, numpy_random.BitGenerator):
        entropy = getattr(candidate.seed_seq, "entropy", None)
        return isinstance(entropy, int) and entropy >= 2**64  # the system gives 128 bits
    return False


def reseed(generators: Iterable[Any]) -> None:
    """Give generators a new random state, so that no two kernels draw the same numbers."""
    for generator in generators:
        if hasattr(generator, "seed"):
            generator.seed()
        else:
            generator.state = type(generator)().state
