import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.blocks import block_of_json, packed, unpacked
from retriever.types import Block, BlockKind, Locator, LocatorKind, Span

WORDS = st.text("aé 😀\n", min_size=1, max_size=5).filter(str.strip)
LOCATORS = st.one_of(
    st.none(),
    st.builds(Locator.page, st.integers(1, 999)),
    st.builds(Locator, st.sampled_from([LocatorKind.ANCHOR, LocatorKind.SECTION]), WORDS),
)


def block_as_json(block):
    """``{"kind", "start", "end", "path", "locator"}``: the last is a string such as ``page 12``, or null."""
    return {
        "kind": block.kind,
        "start": block.span.start,
        "end": block.span.end,
        "path": list(block.path),
        "locator": None if block.locator is None else str(block.locator),
    }


@st.composite
def block_runs(draw: st.DrawFn) -> tuple[Block, ...]:
    blocks, end = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), max_size=6)):
        span = Span(end + gap, end + gap + length)
        path = tuple(draw(st.lists(WORDS, max_size=3)))
        blocks.append(Block(draw(st.sampled_from(BlockKind)), span, path, draw(LOCATORS)))
        end = span.end
    return tuple(blocks)


@given(block_runs())
def test_blocks_come_back_as_they_were(blocks):
    assert unpacked(packed(blocks)) == blocks
    assert tuple(block_of_json(json.loads(json.dumps(block_as_json(block)))) for block in blocks) == blocks


def test_a_thousand_rows_of_one_table_are_packed_small():
    rows = tuple(
        Block(BlockKind.ROW, Span(50 * n, 50 * n + 49), ("Handbook", "Rates"), Locator.line(n + 3))
        for n in range(1000)
    )
    assert len(packed(rows)) < 5000  # measured: 2,384


def test_path_and_locator_may_be_left_out():
    assert block_of_json({"kind": "row", "start": 2, "end": 4}) == Block(BlockKind.ROW, Span(2, 4))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "poem"}, "kind is 'poem'; give one of heading, paragraph, item, row, field, code"),
        ({"start": "0"}, "start and end are no whole numbers"),
        ({"end": True}, "start and end are no whole numbers"),
        ({"end": 0}, "0 <= start < end"),
        ({"path": "A"}, "path is 'A'; give a list"),
        ({"locator": 3}, "locator is 3; give a text"),
        ({"locator": "leaf 3"}, "The locator 'leaf 3' is none"),
        ({"level": 3}, "give an object with kind, start, end"),
    ],
)
def test_what_is_no_block_is_refused_with_what_is(change, problem):
    with pytest.raises(ValueError, match=problem):
        block_of_json({"kind": "row", "start": 0, "end": 4} | change)
