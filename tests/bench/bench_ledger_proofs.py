# SPDX-License-Identifier: Apache-2.0
"""How fast entries are chained, hashed into a tree and proved, against the raw rate of SHA-256."""

from collections.abc import Iterator

from measuring import Measurement, rate, sha256_rate

from storage.ledger.entries import entry_bytes, entry_prefix, parse_entry
from storage.ledger.proofs import inclusion_path, leaf_hash, leaf_nodes, tree_root, verify_inclusion

SIZE = 4096
ORIGIN = "log.cunzheng.invalid/bench"
CORE = (
    b'{"actor":{"id":"0123456789abcdefghjkmnpqrs","kind":"system"},"detail_sha256":"%064x",'
    b'"kind":"dossier.filed","nonce":"%032x"}'
)


def _entries() -> list[bytes]:
    made: list[bytes] = []
    prev, prefix = bytes(32), entry_prefix(ORIGIN)
    for seq in range(SIZE):
        made.append(entry_bytes("2026-11-22T06:05:00.000000Z", CORE % (seq, seq), prefix, prev, seq))
        prev = leaf_hash(made[-1])
    return made


def measure() -> Iterator[Measurement]:
    """Yield rates per entry."""
    entries = _entries()
    length = sum(map(len, entries)) // SIZE
    raw = sha256_rate(length)
    reference = f"raw SHA-256 of {length} bytes"
    yield Measurement("entries chained per second", rate(_entries) * SIZE, "1/s", reference, raw)

    leaves = [leaf_hash(entry) for entry in entries]
    roots = rate(lambda: tree_root([leaf_hash(entry) for entry in entries])) * SIZE
    yield Measurement("entries hashed into a root per second", roots, "1/s", reference, raw)

    checked = rate(lambda: [parse_entry(entry) for entry in entries]) * SIZE
    yield Measurement("entries parsed and checked per second", checked, "1/s", reference, raw)

    root, nodes = tree_root(leaves), leaf_nodes(leaves)
    paths = [(index, inclusion_path(nodes, index, SIZE)) for index in range(0, SIZE, 64)]

    def prove() -> None:
        for index, path in paths:
            assert verify_inclusion(leaves[index], index, SIZE, path, root)

    yield Measurement("receipts' paths verified per second", rate(prove) * len(paths), "1/s", reference, raw)
