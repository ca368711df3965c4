# SPDX-License-Identifier: Apache-2.0
"""Composes sharing from the settings: where messages go, who signs them, which step sends them."""

from collections.abc import Mapping, Sequence

from licenses.answers import AnswerKeys
from licenses.sharing.delivery import DeliverStep
from licenses.sharing.keys import MessageKeys
from portal.settings import Settings
from portal.sharing.addresses import Reach
from portal.sharing.clients import KnownClients
from portal.sharing.fetching import HttpFetcher
from portal.sharing.posting import HttpSender
from storage.clock import Clock
from storage.secrets import Secrets


def open_sender(settings: Settings, clock: Clock) -> HttpSender:
    """Give what sends messages."""
    return HttpSender(_reach(settings), clock)


def open_fetcher(settings: Settings) -> HttpFetcher:
    """Give what fetches the directories of other installations."""
    return HttpFetcher(_reach(settings))


def _reach(settings: Settings) -> Reach:
    return Reach(production=settings.production, networks=settings.receiver_networks)


def event_source(settings: Settings) -> str:
    """Give the name of this installation in events."""
    return f"{settings.public_url}/api/v1/licence-events"


def deliver_step(settings: Settings, secrets: Secrets, clock: Clock) -> DeliverStep:
    """Give the step that delivers."""
    sign = MessageKeys(settings.keys).sign
    source = event_source(settings)
    return DeliverStep(open_sender(settings, clock), KnownClients(), secrets, clock, sign, source)


def published_jwks(answers: AnswerKeys, messages: MessageKeys) -> Mapping[str, Sequence[Mapping[str, str]]]:
    """Give the public key set: of signed answers, and of messages to subscribers."""
    return {"keys": [*answers.jwks()["keys"], *messages.jwks()]}
