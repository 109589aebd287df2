"""Whose terms are told: of what is shown, and never of what whoever asks may not see."""

import pytest

from app.service.attribution import Attribution, attribution_of
from retriever.encoder import HashingEncoder
from retriever.filters import Filter
from retriever.manifest import Counts, EncoderIdentity, Manifest, PassageRecord, SourceRecord

ATTIC, VAULT = (
    SourceRecord(
        name=name, kind="folder", licence=licence, snapshot=None, attribution=None, documents=1, malformed=0
    )
    for name, licence in (("attic", "CC0-1.0"), ("vault", "Secret"))
)
MANIFEST = Manifest(
    format_version=1,
    created_at="2026-11-30T00:00:00+00:00",
    loccit_version="0",
    encoder=EncoderIdentity.of(HashingEncoder()),
    passages=PassageRecord(words=4, continuation_words=100),
    counts=Counts(documents=2, passages=2),
    sources=(ATTIC, VAULT),
    files={},
)
LIMITED = Filter.by("team", "a")


@pytest.mark.parametrize(
    ("shown", "allowed", "told"),
    [
        ({"vault"}, None, ["vault"]),
        ({None}, None, ["attic", "vault"]),
        ({None, "attic"}, None, ["attic", "vault"]),
        ({"attic"}, LIMITED, ["attic"]),
        ({None}, LIMITED, []),
        ({None, "attic"}, LIMITED, ["attic"]),
        (set(), None, []),
    ],
)
def test_a_source_that_is_not_known_may_be_any_unless_whoever_asks_is_limited(shown, allowed, told):
    attribution = attribution_of(shown, MANIFEST, allowed=allowed)
    assert [terms.source for terms in attribution] == told


def test_the_terms_are_those_of_the_manifest():
    assert attribution_of({"attic"}, MANIFEST, allowed=None) == [
        Attribution(source="attic", licence="CC0-1.0", attribution=None, snapshot=None)
    ]
    assert attribution_of({"attic"}, None, allowed=None) == []
