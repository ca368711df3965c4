# SPDX-License-Identifier: Apache-2.0
"""The tree is RFC 9162's: known roots, every proof of every small tree, and nothing malformed accepted."""

import hashlib

import pytest

from storage.ledger.errors import LedgerFormatError
from storage.ledger.proofs import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_path,
    leaf_hash,
    leaf_nodes,
    node_hash,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

SIZES = range(71)
LEAVES = [leaf_hash(b"entry %d" % number) for number in SIZES]
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def definition(leaves: list[bytes]) -> bytes:
    """Give the root exactly as §2.1.1 words it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = definition(leaves[:split]), definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


TREE_ROOTS = [definition(LEAVES[:size]) for size in SIZES]


def test_the_certificate_transparency_vectors_hold() -> None:
    leaves = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
    assert [tree_root(leaves[:size]).hex() for size in range(1, 9)] == ROOTS
    assert tree_root([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_the_frontier_has_the_defined_root_at_every_size_and_survives_storage() -> None:
    frontier = Frontier()
    for size in SIZES:
        assert frontier.root() == TREE_ROOTS[size]
        frontier = Frontier.from_bytes(size, frontier.to_bytes())
        frontier.append(LEAVES[size])


def test_every_inclusion_path_of_every_small_tree_verifies_for_its_leaf_alone() -> None:
    nodes = leaf_nodes(LEAVES)
    for size in SIZES:
        for index in range(size):
            path = inclusion_path(nodes, index, size)
            assert verify_inclusion(LEAVES[index], index, size, path, TREE_ROOTS[size])
            assert not verify_inclusion(LEAVES[index], index, size, path, TREE_ROOTS[size - 1])
            assert not verify_inclusion(LEAVES[index], index, size, [*path, LEAVES[0]], TREE_ROOTS[size])
            if size > 1:
                other = (index + 1) % size
                assert not verify_inclusion(LEAVES[other], index, size, path, TREE_ROOTS[size])
                assert not verify_inclusion(LEAVES[index], other, size, path, TREE_ROOTS[size])
                assert not verify_inclusion(LEAVES[index], index, size, path[:-1], TREE_ROOTS[size])


def test_every_consistency_proof_of_every_small_tree_verifies_for_its_roots_alone() -> None:
    nodes = leaf_nodes(LEAVES)
    for size in SIZES:
        for old in range(1, size + 1):
            proof = consistency_proof(nodes, old, size)
            assert verify_consistency(old, size, proof, TREE_ROOTS[old], TREE_ROOTS[size])
            assert not verify_consistency(old, size, [*proof, LEAVES[0]], TREE_ROOTS[old], TREE_ROOTS[size])
            assert not verify_consistency(old, size, proof, TREE_ROOTS[old - 1], TREE_ROOTS[size])
            if old < size:
                assert not verify_consistency(old, size, proof, TREE_ROOTS[old], TREE_ROOTS[old])
                assert not verify_consistency(old, size, proof[1:], TREE_ROOTS[old], TREE_ROOTS[size])


def test_a_changed_hash_in_a_proof_is_refused() -> None:
    nodes = leaf_nodes(LEAVES)
    for size in (2, 7, 8, 70):
        path = inclusion_path(nodes, 1, size)
        proof = consistency_proof(nodes, size // 2, size)
        for at in range(len(path)):
            changed = [*path[:at], node_hash(path[at], path[at]), *path[at + 1 :]]
            assert not verify_inclusion(LEAVES[1], 1, size, changed, TREE_ROOTS[size])
        for at in range(len(proof)):
            changed = [*proof[:at], node_hash(proof[at], proof[at]), *proof[at + 1 :]]
            assert not verify_consistency(size // 2, size, changed, TREE_ROOTS[size // 2], TREE_ROOTS[size])


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hashes_that_are_not_32_bytes_are_refused(length: int) -> None:
    short, root = bytes(length), TREE_ROOTS[2]
    for leaf, path, head in ((short, [LEAVES[1]], root), (LEAVES[0], [short], root), (LEAVES[0], [], short)):
        with pytest.raises(LedgerFormatError):
            verify_inclusion(leaf, 0, 2, path, head)
    for old, proof, new in ((short, [LEAVES[1]], root), (LEAVES[0], [short], root), (LEAVES[0], [], short)):
        with pytest.raises(LedgerFormatError):
            verify_consistency(1, 2, proof, old, new)


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_consistency_from_size_zero_and_backwards_is_refused(old: int, size: int) -> None:
    with pytest.raises(LedgerFormatError):
        verify_consistency(old, size, [], EMPTY_ROOT, TREE_ROOTS[5])
    with pytest.raises(LedgerFormatError):
        consistency_proof(leaf_nodes(LEAVES), old, size)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(LedgerFormatError):
        verify_inclusion(LEAVES[0], index, size, [], TREE_ROOTS[5])


def test_a_frontier_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(LedgerFormatError):
        Frontier.from_bytes(3, LEAVES[0])
    with pytest.raises(LedgerFormatError):
        Frontier.from_bytes(1, LEAVES[0][:31])
