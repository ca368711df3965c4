# SPDX-License-Identifier: Apache-2.0
"""Makes the web application of composed rooms: interface, pages, hooks, headers, translations."""

import logging
from collections.abc import Callable

from apiflask import APIFlask
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix

from archive.submission import MAX_MATERIALS
from portal.answering import proof_answers
from portal.citizens.opening import citizen_service
from portal.clients.tokens import TokenService
from portal.publications import Publications
from portal.readiness import Readiness
from portal.rooms import Rooms
from portal.settings import Settings
from portal.together import information_checks
from portal.version import VERSION
from portal.web import (
    api_cases,
    api_catalog,
    api_client_keys,
    api_codes,
    api_cooperation,
    api_copies,
    api_disputes,
    api_dossiers,
    api_facades,
    api_filings,
    api_grants,
    api_ladder,
    api_ledger,
    api_licences,
    api_one,
    api_proof_batches,
    api_proofs,
    api_published,
    api_recalls,
    api_rules,
    api_search,
    api_subscriptions,
    api_verifications,
    hooks,
    meta,
    oauth,
    openapi,
    pages_account,
    pages_archivist,
    pages_bulk,
    pages_catalog,
    pages_checks,
    pages_codes,
    pages_commitments,
    pages_copies,
    pages_disputes,
    pages_dossiers,
    pages_editions,
    pages_effect,
    pages_grants,
    pages_home,
    pages_issue,
    pages_ladder,
    pages_leaves,
    pages_licences,
    pages_manage,
    pages_objections,
    pages_one,
    pages_recalled,
    pages_receipts,
    pages_rights,
    pages_rule_editor,
    pages_search,
    pages_selection,
    pages_sign_in,
    pages_simulations,
    pages_stock,
    pages_subscriptions,
    pages_supervision,
    pages_window,
    render,
    uploads,
)
from portal.web.access import rule_of
from portal.web.counters import Counters, RateLimit
from portal.web.payload import StrictJson
from storage.database import repeated

_BLUEPRINTS = (
    meta.blueprint,
    oauth.blueprint,
    api_cases.blueprint,
    api_filings.blueprint,
    api_dossiers.blueprint,
    api_proofs.blueprint,
    api_proof_batches.blueprint,
    api_one.blueprint,
    api_licences.blueprint,
    api_copies.blueprint,
    api_codes.blueprint,
    api_cooperation.blueprint,
    api_client_keys.blueprint,
    api_verifications.blueprint,
    api_published.blueprint,
    api_recalls.blueprint,
    api_grants.blueprint,
    api_rules.blueprint,
    api_facades.blueprint,
    api_disputes.blueprint,
    api_search.blueprint,
    api_subscriptions.blueprint,
    api_ladder.blueprint,
    api_ledger.blueprint,
    api_catalog.blueprint,
    pages_home.blueprint,
    pages_checks.blueprint,
    pages_sign_in.blueprint,
    pages_simulations.blueprint,
    pages_search.blueprint,
    pages_bulk.blueprint,
    pages_issue.blueprint,
    pages_manage.blueprint,
    pages_stock.blueprint,
    pages_licences.blueprint,
    pages_receipts.blueprint,
    pages_archivist.blueprint,
    pages_selection.blueprint,
    pages_dossiers.blueprint,
    pages_ladder.blueprint,
    pages_leaves.blueprint,
    pages_window.blueprint,
    pages_recalled.blueprint,
    pages_copies.blueprint,
    pages_codes.blueprint,
    pages_supervision.blueprint,
    pages_effect.blueprint,
    pages_disputes.blueprint,
    pages_objections.blueprint,
    pages_account.blueprint,
    pages_rights.blueprint,
    pages_grants.blueprint,
    pages_editions.blueprint,
    pages_rule_editor.blueprint,
    pages_subscriptions.blueprint,
    pages_catalog.blueprint,
    pages_one.blueprint,
    pages_commitments.blueprint,
)


class _App(APIFlask):
    """Runs a view again when it met another one that changed the same rows; nothing was written then."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Give the view's answer; what it reads of the request can be read again."""
        return repeated(super().dispatch_request)


def create_app(rooms: Rooms, settings: Settings, leaving: Callable[[], bool] = lambda: False) -> APIFlask:
    """Make the application.

    Args:
        rooms: The composed rooms.
        settings: The settings they were composed of.
        leaving: Tells whether the process is about to end; ``/readyz`` says so.

    Raises:
        LookupError: a view declares no access rule; such an application must not start.
    """
    app = _App("portal", title="Cunzheng", version=VERSION, spec_path=None, docs_path=None, json_errors=False)
    app.request_class = uploads.StagingRequest
    app.config.update(
        MAX_FORM_PARTS=MAX_MATERIALS + 1,  # one part is the metadata
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.json = StrictJson(app)
    # A redirect to the address with fewer slashes would name the host that the caller named.
    app.url_map.merge_slashes = False
    settings.staging.mkdir(parents=True, exist_ok=True)
    app.extensions.update(
        {
            "cunzheng.rooms": rooms,
            "cunzheng.settings": settings,
            "cunzheng.citizens": citizen_service(rooms, settings),
            "cunzheng.counters": Counters(),
            "cunzheng.proofs": proof_answers(rooms.database, rooms.proofs),
            "cunzheng.information": information_checks(rooms.database, rooms.information),
            "cunzheng.publications": Publications(rooms, settings),
            "cunzheng.readiness": Readiness(rooms, leaving),
            "cunzheng.limit": RateLimit(rooms.clock, settings.public_rate),
            "cunzheng.dispute_limit": RateLimit(rooms.clock, pages_disputes.PER_MINUTE),
            "cunzheng.sign_in_limit": RateLimit(rooms.clock, settings.sign_in_rate),
            "cunzheng.token_limit": RateLimit(rooms.clock, settings.sign_in_rate),
            "cunzheng.tokens": TokenService(rooms.answers, settings.public_url),
        }
    )
    if settings.proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign] # the library's own way
    app.extensions.update(uploads.extension(settings.staging, rooms.ids))
    openapi.describe(app, settings)
    hooks.install(app, rooms, settings)
    render.install(app, settings)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
    _check_rules(app)
    # The library logs every exception with its text, which may hold input; ours logs type and place.
    app.logger.setLevel(logging.CRITICAL)
    return app


def _check_rules(app: APIFlask) -> None:
    for endpoint, view in app.view_functions.items():
        if endpoint != "static":
            rule_of(view)
