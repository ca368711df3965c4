# SPDX-License-Identifier: Apache-2.0
"""No-proof questions of several requests, answered in units of work that they share (ADR 0050, 0063).

A signed call uses its nonce up in the unit that answers it, and of two equal calls one is answered, whether
they share a unit or not. A single question that was refused has used none; a call of many uses it up whatever
came of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from licenses.admitting import Question
from licenses.deciding import AnsweredProof
from licenses.decisions import ProofService
from licenses.requests import SignedRequest
from portal.clients.errors import RequestReplayedError
from portal.clients.once import REQUEST, digest_of, take_all, taken_already
from portal.clients.signatures import KEPT
from portal.together import Together
from storage.database import Database, UnitOfWork
from storage.errors import CunzhengError

Answers = list[AnsweredProof | CunzhengError]


@dataclass(frozen=True, slots=True)
class Asking:
    """What one request asks.

    Attributes:
        questions: Who asks what, each to be answered or refused by itself.
        call: The signed call whose nonce is used up; ``None`` where nothing was signed, or the nonce was
            taken before.
        answered_or_not: Whether it is used up even where everything is refused.
    """

    questions: Sequence[Question]
    call: SignedRequest | None = None
    answered_or_not: bool = False

    def nonce(self) -> bytes | None:
        """Give the digest of what the call may use once."""
        call = self.call
        return None if call is None else digest_of(REQUEST, call.client_id, call.nonce)


def proof_answers(database: Database, service: ProofService) -> Together[Asking, Answers]:
    """Give what answers the questions of those who ask at the same time."""

    def work(uow: UnitOfWork, asked: Sequence[Asking]) -> list[Answers]:
        return _answered(uow, service, asked)

    return Together(database, work, lambda asking: len(asking.questions))


def answer_of(
    together: Together[Asking, Answers], question: Question, call: SignedRequest | None
) -> AnsweredProof:
    """Answer one question, together with those that wait.

    Raises:
        CunzhengError: It is refused, as :meth:`ProofService.ask` says, or its nonce was used before.
    """
    (answer,) = together.ask(Asking([question], call))
    if isinstance(answer, CunzhengError):
        raise answer
    return answer


def _answered(uow: UnitOfWork, service: ProofService, asked: Sequence[Asking]) -> list[Answers]:
    nonces = [one.nonce() for one in asked]
    taken = taken_already(uow, [one for one in nonces if one is not None])
    used: list[bytes] = []
    answers: dict[int, Answers] = {}
    waiting = list(range(len(asked)))
    while waiting:
        # Equal calls one after the other: what refuses the first of them lets the second be asked.
        turn: list[int] = []
        later: list[int] = []
        seen: set[bytes] = set()
        for place in waiting:
            nonce = nonces[place]
            if nonce is not None and nonce in taken:
                answers[place] = [RequestReplayedError() for _ in asked[place].questions]
            elif nonce is not None and nonce in seen:
                later.append(place)
            else:
                turn.append(place)
                seen.update({nonce} if nonce is not None else ())
        found = iter(service.ask_each(uow, [one for place in turn for one in asked[place].questions]))
        for place in turn:
            answers[place] = [next(found) for _ in asked[place].questions]
            nonce = nonces[place]
            if nonce is not None and (
                asked[place].answered_or_not or any(isinstance(one, AnsweredProof) for one in answers[place])
            ):
                taken.add(nonce)
                used.append(nonce)
        waiting = later
    take_all(uow, used, uow.clock.now() + KEPT)
    return [answers[place] for place in range(len(asked))]
