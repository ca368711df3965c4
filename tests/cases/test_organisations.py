# SPDX-License-Identifier: Apache-2.0
"""The tree of organisations: who stands where, and what that lets them reach."""

import pytest

from cases.items import ItemCatalogue
from cases.organisations import Organisation, OrganisationTree, covers, organisations, reach
from storage.identity import Identity, Role, system_identity


def staff(role: Role, organisation: str) -> Identity:
    return Identity("person", "a", organisation, frozenset({role}))


def one(code: str, parent: str | None = None, *, department: bool = False) -> Organisation:
    return Organisation(code, parent, code, code, department)


def test_every_department_has_its_place_and_its_name() -> None:
    tree = organisations()
    for department in ItemCatalogue.load().departments:
        found = tree.get(department.code)
        assert found is not None
        assert (found.zh, found.department, tree.is_root(found.code)) == (department.zh, True, False)


@pytest.mark.parametrize(
    ("role", "organisation", "reached"),
    [
        (Role.SUPERVISOR, "dsj", None),
        (Role.SUPERVISOR, "scjg", {"scjg", "scjg-ck"}),
        (Role.SUPERVISOR, "scjg-ck", {"scjg-ck"}),
        (Role.SUPERVISOR, "unknown", {"unknown"}),
        (Role.CLERK, "scjg-ck", {"scjg-ck", "scjg"}),
        (Role.CLERK, "scjg", {"scjg"}),
        (Role.ARCHIVIST, "dsj", {"dsj"}),
        (Role.AUDIT_ADMIN, "office", {"office"}),
    ],
)
def test_supervision_reaches_below_and_a_window_its_department(
    role: Role, organisation: str, reached: set[str] | None
) -> None:
    assert reach(staff(role, organisation)) == reached


def test_our_own_processes_reach_everything() -> None:
    assert covers(system_identity("worker"), "scjg")
    assert not covers(staff(Role.CLERK, "jtys-ck"), "scjg")


def test_a_deep_tree_is_reached_to_the_leaves() -> None:
    tree = OrganisationTree([one("a"), one("b", "a"), one("c", "b"), one("d", "c"), one("e", "a")])
    assert tree.below("b") == {"b", "c", "d"}
    assert [tree.depth(code) for code in "abcde"] == [0, 1, 2, 3, 1]


@pytest.mark.parametrize(
    "listed",
    [
        [one("a"), one("a")],
        [one("a", "missing")],
        [one("a", "b"), one("b", "a")],
        [one("a", "a")],
    ],
)
def test_data_that_contradict_themselves_are_refused(listed: list[Organisation]) -> None:
    with pytest.raises(ValueError, match="organisation"):
        OrganisationTree(listed)
