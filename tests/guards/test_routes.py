# SPDX-License-Identifier: Apache-2.0
"""Every route states who may call it and which act it records."""

import ast
from collections.abc import Iterator

from source_rules import Finding, findings, product_sources

METHODS = {"get", "post", "put", "patch", "delete", "route"}
RULES = {"allow", "public"}


def _decorator(node: ast.expr) -> str:
    call = node.func if isinstance(node, ast.Call) else node
    return call.attr if isinstance(call, ast.Attribute) else call.id if isinstance(call, ast.Name) else ""


def routes_without_rule(tree: ast.Module) -> Iterator[Finding]:
    """Find views that a route decorator serves and no rule decorator guards."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        routed = [
            decorator
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Attribute)
            and decorator.func.attr in METHODS
        ]
        if routed and not RULES & {_decorator(decorator) for decorator in node.decorator_list}:
            yield node.lineno, f"{node.name} is served without a rule"


def test_every_route_has_an_authorisation_rule() -> None:
    web = [source for source in product_sources() if source.name.startswith("portal/")]
    assert findings(routes_without_rule, web) == []


def test_the_guard_recognises_a_bare_route() -> None:
    bare = "@api.get('/x')\ndef x(): ...\n@pages.route('/y')\n@other\ndef y(): ..."
    assert len(list(routes_without_rule(ast.parse(bare)))) == 2
    ruled = (
        "@api.get('/x')\n@allow(Role.CLERK, unrecorded='a count')\ndef x(): ...\n@cached.get\ndef y(): ..."
    )
    assert list(routes_without_rule(ast.parse(ruled))) == []
