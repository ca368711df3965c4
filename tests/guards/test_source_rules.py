# SPDX-License-Identifier: Apache-2.0
"""The house rules hold in every file of the product, and each rule recognises a bad example."""

import ast
import re

import pytest
from source_rules import (
    ROOMS,
    Rule,
    Source,
    findings,
    functions_over,
    no_personal_data_in_logs,
    no_relationship,
    no_transaction,
    no_wall_clock,
    product_sources,
)
from tooling import ROOT

MODULE_LINES = 400
FUNCTION_LINES = 60


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return product_sources()


def test_time_comes_from_the_clock(sources: list[Source]) -> None:
    assert findings(no_wall_clock, sources, "storage/clock.py") == []


def test_only_the_portal_opens_and_commits(sources: list[Source]) -> None:
    # Storage has the means and the runners that portal starts; the index is a file of its own.
    assert findings(no_transaction, sources, "portal/", "storage/", "indexer/embedded.py") == []


def test_no_personal_data_reaches_a_log_or_an_error(sources: list[Source]) -> None:
    assert findings(no_personal_data_in_logs, sources) == []


def test_rooms_refer_to_each_other_by_identifier(sources: list[Source]) -> None:
    assert findings(no_relationship, sources) == []


def test_no_function_is_too_long(sources: list[Source]) -> None:
    assert findings(functions_over(FUNCTION_LINES), sources) == []


def test_no_module_is_too_long() -> None:
    files = [path for folder in (*ROOMS, "tests") for path in (ROOT / folder).rglob("*.py")]
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {path: lines for path, lines in counts.items() if lines > MODULE_LINES} == {}


def test_every_exception_from_the_type_checker_gives_its_reason(sources: list[Source]) -> None:
    reasoned = re.compile(r"# type: ignore\[[a-z-]+(, ?[a-z-]+)*\]\s+# ?\S")
    bare = [
        f"{source.name}:{number}"
        for source in sources
        for number, line in enumerate(source.text.splitlines(), 1)
        if "# type: ignore" in line and not reasoned.search(line)
    ]
    assert bare == []


def test_every_folder_with_code_is_a_package_with_an_empty_door() -> None:
    # Without __init__.py the import checker would overlook the folder.
    # Programs are started by path, not imported.
    folders = {path.parent for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    packages = {folder for folder in folders if folder.name not in {"programs", "versions"}}
    assert sorted(str(folder) for folder in packages if not (folder / "__init__.py").exists()) == []
    doors = [path for room in ROOMS for path in (ROOT / room).rglob("__init__.py")]
    assert [str(path) for path in doors if path.read_text(encoding="utf-8").strip()] == []


BAD = {
    no_wall_clock: [
        "x = datetime.now()",
        "x = dt.datetime.now(dt.UTC)",
        "x = datetime.datetime.utcnow()",
        "x = dt.date.today()",
        "x = time.time()",
        "field(default_factory=time.time)",
        "from time import time",
    ],
    no_transaction: [
        "session.commit()",
        "uow.session.commit()",
        "with engine.begin() as connection: pass",
        "with database.writing() as uow: pass",
    ],
    no_personal_data_in_logs: [
        "logger.info('x %s', holder_name)",
        "log.warning('x', id_number=value)",
        "_log.error(f'{case.holder_code} is wrong')",
        "self.logger.debug('x', extra={'who': filing.resident_id})",
        "print(holder.name_plain)",
        "raise InvalidInputError(uscc=text)",
    ],
    no_relationship: ["x = relationship('Case')", "x: Mapped[Case] = orm.relationship()"],
    functions_over(2): ["def f():\n    a\n    b"],
}
GOOD = {
    no_wall_clock: ["x = clock.now()", "time.monotonic()", "import time", "uow.clock.now().date()"],
    no_transaction: ["uow.record(act)", "x = commit", "text.begins()", "session.flush()"],
    no_personal_data_in_logs: [
        "logger.info('filed', case=case.id)",
        "math.log(holder_code)",
        "raise InvalidInputError(field='holder.code')",
        "holders.find(holder_name)",
    ],
    no_relationship: ["x = mapped_column(ForeignKey('case_case.id'))"],
    functions_over(3): ["def f():\n    a\n    b"],
}


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in BAD.items() for text in texts])
def test_a_rule_finds_a_bad_example(rule: Rule, text: str) -> None:
    assert list(rule(ast.parse(text)))


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in GOOD.items() for text in texts])
def test_a_rule_leaves_good_code_alone(rule: Rule, text: str) -> None:
    assert list(rule(ast.parse(text))) == []
