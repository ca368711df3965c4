# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/subscriptions`` and ``/api/v1/licence-events``: be told of changes, or fetch them."""

from typing import Any, Final

from apiflask import APIBlueprint
from flask import Response, json, url_for

from licenses.sharing.envelope import told_event
from licenses.sharing.services import SubscriptionView, view_of
from licenses.sharing.terms import Wish
from portal.sharing.opening import event_source
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.event_examples import event_pages
from portal.web.examples import (
    SUBSCRIPTION,
    SUBSCRIPTION_ENDED,
    SUBSCRIPTION_LIST,
    SUBSCRIPTION_MADE,
    SUBSCRIPTION_NULLABLE,
    SUBSCRIPTION_PING,
    SUBSCRIPTION_SECRET,
)
from portal.web.schemas import SUBSCRIPTION_EXAMPLE, BareBody, FeedQuery, SubscriptionBody
from storage.clock import rfc3339

blueprint = APIBlueprint("subscriptions_api", __name__, url_prefix="/api/v1", tag="Changes")
_OWN: Final = "gives the asker's own subscriptions, nothing of anybody"
_PAUSE_SECONDS: Final = 5
"""How long whoever fetches waits after a page that is not full."""


@blueprint.post("/subscriptions")
@blueprint.input(SubscriptionBody, arg_name="body", example=SUBSCRIPTION_EXAMPLE)
@blueprint.doc(
    summary="Ask to be told of changes of licences, or of what becomes of own no-proof answers; a second "
    "person decides. The secret is told once",
    security="key",
    responses=by_status(
        {201: answers("It waits for its decision", SUBSCRIPTION_MADE, SUBSCRIPTION_NULLABLE)}
    ),
)
@allow(scopes=("subscribe",), records=("subscription.requested",))
def ask(body: SubscriptionBody) -> Response:
    """Ask for a subscription of the client's own organisation."""
    rooms = context.rooms()
    wish = Wish(
        name=body.name,
        about=body.about,
        types=tuple(body.types),
        items=tuple(body.items),
        holders=tuple((one.scheme, one.code) for one in body.holders),
        purpose=body.purpose,
        endpoint=body.endpoint,
        reason=body.reason,
    )
    with rooms.database.writing() as uow:
        asked = rooms.subscriptions.ask(uow, context.identity(), wish)
        made = {
            "subscription": _shown(view_of(uow, asked.subscription)),
            "secret": asked.secret,
            "promise": asked.promise.as_json(),
        }
    answer = _json(made, 201)
    answer.headers["Location"] = url_for("subscriptions_api.show", subscription_id=asked.subscription.id)
    return answer


@blueprint.get("/subscriptions")
@blueprint.doc(
    summary="The client's own subscriptions, newest first",
    security="key",
    responses=by_status({200: answers("All of them", SUBSCRIPTION_LIST, SUBSCRIPTION_NULLABLE)}),
)
@allow(scopes=("subscribe",), unrecorded=_OWN)
def own() -> Response:
    """List the client's own subscriptions."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        views = rooms.subscriptions.own(uow, context.identity())
    return _json({"subscriptions": [_shown(one) for one in views]})


@blueprint.get("/subscriptions/<subscription_id>")
@blueprint.doc(
    summary="One of the client's own subscriptions, and how its endpoint does",
    security="key",
    responses=by_status({200: answers("The subscription", SUBSCRIPTION, SUBSCRIPTION_NULLABLE)}),
)
@allow(scopes=("subscribe",), unrecorded=_OWN)
def show(subscription_id: str) -> Response:
    """Give one of the client's own subscriptions."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        view = rooms.subscriptions.own_one(uow, context.identity(), subscription_id)
    return _json(_shown(view))


@blueprint.post("/subscriptions/<subscription_id>/secret")
@blueprint.input(BareBody, arg_name="body", example={})
@blueprint.doc(
    summary="Rotate the secret; the one before signs as well for 24 hours. The new one is told once",
    security="key",
    responses=by_status({200: answers("The new secret", SUBSCRIPTION_SECRET)}),
)
@allow(scopes=("subscribe",), records=("subscription.rotated",))
def rotate(subscription_id: str, body: BareBody) -> Response:  # noqa: ARG001 - the order has no terms
    """Give the client's own subscription a new secret."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        secret, promise = rooms.subscriptions.rotate(uow, context.identity(), subscription_id)
    return _json({"secret": secret, "promise": promise.as_json()})


@blueprint.post("/subscriptions/<subscription_id>/end")
@blueprint.input(BareBody, arg_name="body", example={})
@blueprint.doc(
    summary="End a subscription, or take the wish for it back; nothing more is told",
    security="key",
    responses=by_status({200: answers("It has ended", SUBSCRIPTION_ENDED)}),
)
@allow(scopes=("subscribe",), records=("subscription.ended",))
def end(subscription_id: str, body: BareBody) -> Response:  # noqa: ARG001 - the order has no terms
    """End the client's own subscription."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        promise = rooms.subscriptions.end(uow, context.identity(), subscription_id)
    return _json({"promise": promise.as_json()})


@blueprint.post("/subscriptions/<subscription_id>/ping")
@blueprint.input(BareBody, arg_name="body", example={})
@blueprint.doc(
    summary="Have a `subscription.ping` sent to the endpoint; it is tried once, `problem` says how it went",
    security="key",
    responses=by_status({202: answers("It will be sent", SUBSCRIPTION_PING)}),
)
@allow(scopes=("subscribe",), unrecorded="sends an event that tells of nothing; its sending is recorded")
def ping(subscription_id: str, body: BareBody) -> Response:  # noqa: ARG001 - the order has no terms
    """Test the endpoint of the client's own subscription."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        event = rooms.sharing.ping(uow, context.identity(), subscription_id)
    return _json({"event": event}, 202)


@blueprint.get("/licence-events")
@blueprint.input(FeedQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="What the client's approved subscriptions are about, licences and own decisions alike, on from a "
    "cursor; the same cursor gives the same sequence. `Retry-After` says when to come back",
    security="key",
    responses=by_status({200: event_pages()}),
)
@allow(scopes=("subscribe",), records=("changes.read",))
def events(query: FeedQuery) -> Response:
    """Give a page of the feed."""
    rooms, source = context.rooms(), event_source(context.settings())
    with rooms.database.writing() as uow:
        page = rooms.sharing.fetch(
            uow, context.identity(), rooms.database.origin, query.after, query.limit, query.subscription
        )
    shown = [told_event(one, source) for one in page.changes]
    answer = _json({"events": shown, "next": page.next, "more": page.more})
    if not page.more:
        answer.headers["Retry-After"] = str(_PAUSE_SECONDS)
    return answer


def _json(value: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(value), status, mimetype="application/json")


def _shown(view: SubscriptionView) -> dict[str, Any]:
    row, place = view.row, view.place
    return {
        "id": row.id,
        "name": row.name,
        "about": row.about,
        "types": row.types,
        "items": row.items,
        "holders": row.holders,
        "purpose": row.purpose,
        "endpoint": row.endpoint,
        "public_key": context.rooms().keys.message_key,
        "state": view.standing,
        "asked_at": rfc3339(row.asked_at),
        "expires_at": rfc3339(row.expires_at),
        "decided_at": None if row.decided_at is None else rfc3339(row.decided_at),
        "decision": view.decision,
        "ended_at": None if row.ended_at is None else rfc3339(row.ended_at),
        "ended_because": row.ended_because,
        "told": 0 if place is None else place.told,
        "told_at": None if place is None or place.told_at is None else rfc3339(place.told_at),
        "problem": None if place is None else place.problem,
        "problem_at": None if place is None or place.problem_at is None else rfc3339(place.problem_at),
    }
