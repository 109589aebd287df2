"""The time allowed holds with the real models, whatever a document is made of."""

import time
from io import StringIO

import pytest
from rich.console import Console

from app.service.assembly import AnswerService, open_service
from app.service.settings import Settings
from benchmarks.hostile_texts import KINDS, hostile
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import load_encoder
from retriever.text.passages import PassageSettings
from tests.app.http.conftest import serving

pytestmark = pytest.mark.models

ASKED = {"question": "what is the key"}
ALLOWED_S = 3.0
LATE_S = 10.0
"""Work ends with the step under way, which takes its time on a slow processor. Without an end it took minutes."""
CHARACTERS = 200_000
"""As many as may be handed in."""


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> AnswerService:
    folder = tmp_path_factory.mktemp("time")
    (folder / "note.txt").write_text("The key of the shed hangs in the hall.", encoding="utf-8")
    build_index(
        [open_corpus(str(folder / "note.txt"))],
        folder / "index",
        encoder=load_encoder(),
        settings=PassageSettings(),
        strict=True,
        console=Console(file=StringIO()),
    )
    return open_service(Settings.of(index=folder / "index"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_document_takes_no_more_than_the_time_allowed_and_leaves_the_next_question_its_own(
    service, kind
):
    document = {"title": "Key", "text": hostile(kind, CHARACTERS)}
    async with serving(lambda _: service, timeout_s=ALLOWED_S) as client:
        clock = time.monotonic()
        response = await client.post("/answer", json={**ASKED, "documents": [document]})
        took = time.monotonic() - clock
        after = await client.post("/answer", json=ASKED)
    assert response.status_code in {200, 504}
    assert took < ALLOWED_S + LATE_S
    assert after.status_code in {200, 504}
    if after.status_code == 200:  # else others use the machine, and the answer itself took too long
        took_ms = after.json()["timings_ms"]
        # as slow as the machine may be: an answer takes as many steps as the one that was waited for
        assert took_ms["wait"] < 1000 * LATE_S + (took_ms["total"] - took_ms["wait"])
