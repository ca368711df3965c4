# SPDX-License-Identifier: Apache-2.0
"""Plain texts take a short way to their tokens and marks, which must lead to the same ones."""

from hypothesis import assume, given
from hypothesis import strategies as st

from indexer import document
from indexer.document import is_plain, tokenise
from indexer.query import Phrase, highlight, parse

PLAIN = "".join(chr(code) for code in range(0x10000) if is_plain(chr(code)))


def the_long_way(text: str) -> list[document.Token]:
    return document._tokenise_any(text)


@given(st.text(st.sampled_from(PLAIN + "AZaz09" * 500)))
def test_the_short_way_and_the_long_way_give_the_same_tokens(text: str) -> None:
    assert tokenise(text) == the_long_way(text)


def test_each_plain_character_alone_and_inside_a_word_means_the_same_on_both_ways() -> None:
    for char in PLAIN:
        for text in (char, f"a{char}b"):
            assert tokenise(text) == the_long_way(text), hex(ord(char))


@given(st.text("食品经AB 1，·", max_size=30), st.text("食品经ab1 ，*", min_size=1, max_size=6))
def test_marks_stand_where_the_tokens_stand(text: str, asked: str) -> None:
    assume(tokenise(asked))
    phrases = parse(asked)
    spans = [span for phrase in phrases for span in phrase.spans(tokenise(text))]
    marked = {at for left, right in highlight(text, phrases).spans for at in range(left, right)}
    assert marked == {at for left, right in spans for at in range(left, right)}


def test_marks_that_overlap_join() -> None:
    assert highlight("演演演", [Phrase(("演", "演"))]).spans == ((0, 3),)
