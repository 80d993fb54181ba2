"""A Merkle tree as in RFC 6962: leaves 0x00, nodes 0x01, SHA-256. Pure functions of hashes.

A growing tree is its *frontier*: the roots of its complete subtrees, largest first, as many as its size has one-bits.
Appending and taking the root need nothing else, so a log of any length costs a few hundred bytes to carry on.
"""

from collections.abc import Sequence
from hashlib import sha256

EMPTY = sha256(b"").digest()
"""The root of no leaves."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of one record. The prefix keeps a record from passing for a node."""
    return sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\1" + left + right).digest()


def grow(frontier: list[bytes], size: int, leaf: bytes) -> None:
    """Append a leaf to the frontier of a tree that has ``size`` leaves."""
    while size & 1:
        leaf = node_hash(frontier.pop(), leaf)
        size >>= 1
    frontier.append(leaf)


def root_of(frontier: Sequence[bytes]) -> bytes:
    """The root that a frontier stands for."""
    if not frontier:
        return EMPTY
    root = frontier[-1]
    for subtree in reversed(frontier[:-1]):
        root = node_hash(subtree, root)
    return root


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier: list[bytes] = []
    for size, leaf in enumerate(leaves):
        grow(frontier, size, leaf)
    return root_of(frontier)


def inclusion(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf ``index``, counted from 0, is in the tree. Raises IndexError where there is none."""
    if not 0 <= index < len(leaves):
        raise IndexError("no such leaf")
    if len(leaves) == 1:
        return []
    half = _split(len(leaves))
    if index < half:
        return [*inclusion(leaves[:half], index), root(leaves[half:])]
    return [*inclusion(leaves[half:], index - half), root(leaves[:half])]


def consistency(leaves: Sequence[bytes], earlier: int) -> list[bytes]:
    """The proof that the tree of the first ``earlier`` leaves is the beginning of this one. Raises IndexError."""
    if not 0 <= earlier <= len(leaves):
        raise IndexError("no such tree")
    return [] if earlier in (0, len(leaves)) else _beginning(leaves, earlier, True)


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], wanted: bytes) -> bool:
    """Whether ``proof`` shows a leaf to stand at ``index`` of the tree with root ``wanted`` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for one in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(one, found)
            at, last = _up(at, last)
        else:
            found = node_hash(found, one)
        at, last = at >> 1, last >> 1
    return last == 0 and found == wanted


def continues(earlier: int, was: bytes, size: int, is_now: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows the tree with root ``was`` to be the beginning of ``is_now`` (RFC 9162, 2.1.4.2)."""
    if earlier == size or earlier == 0:
        return not proof and was == (is_now if earlier == size else EMPTY)
    path = [was, *proof] if earlier & (earlier - 1) == 0 else list(proof)
    if not 0 < earlier < size or not path or not proof:
        return False
    at, last = earlier - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    then = now = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            then, now = node_hash(one, then), node_hash(one, now)
            at, last = _up(at, last)
        else:
            now = node_hash(now, one)
        at, last = at >> 1, last >> 1
    return last == 0 and then == was and now == is_now


def _up(at: int, last: int) -> tuple[int, int]:
    """Past the levels on which a rightmost subtree has no sibling."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _beginning(leaves: Sequence[bytes], earlier: int, whole: bool) -> list[bytes]:
    """RFC 6962, 2.1.2. ``whole``: the verifier knows the root of these first leaves already."""
    if earlier == len(leaves):
        return [] if whole else [root(leaves)]
    half = _split(len(leaves))
    if earlier <= half:
        return [*_beginning(leaves[:half], earlier, whole), root(leaves[half:])]
    return [*_beginning(leaves[half:], earlier - half, False), root(leaves[:half])]


def _split(size: int) -> int:
    """The largest power of two below ``size``: where RFC 6962 divides a tree."""
    return 1 << (size - 1).bit_length() - 1
