"""Examples of the wire for OpenAPI: consistent with one another, offsets and digests included."""

import json
from http import HTTPStatus
from typing import Any

from app.answering.answer_kind import AnswerKind
from app.answering.trace_json.shapes import Citation
from app.http.wire.responses import BatchItem, BatchResponse, Changed, Problem, Ready
from app.service.attribution import Attribution
from app.service.check import (
    AnswerPlace,
    CheckedClaimResponse,
    CheckedQuote,
    CheckResponse,
    Measured,
    RealSpan,
    RealText,
    Scorer,
    Searched,
)
from app.service.claim_support import SUPPORTED_FROM
from app.service.index_description import IndexResponse
from app.service.response import AnswerCalibration, AnswerResponse, DocumentResponse, Model, SeenElsewhere
from app.service.search import SearchResponse
from app.service.settings import ReaderKind
from quote_check.check import Form, Verdict
from retriever.manifest import Counts, EncoderIdentity, PassageRecord, SourceRecord, VectorsRecord
from retriever.types import RetrievalMode

Json = dict[str, Any]

REQUEST: Json = {"question": "who designed the eiffel tower"}

REQUEST_FOR_LONG: Json = {**REQUEST, "length": "long"}

REQUEST_WITH_FILTER: Json = {**REQUEST, "filter": {"source": "vital-articles", "language": ["en", "fr"]}}

REQUEST_WITH_DOCUMENTS: Json = {
    "question": "When does the library open on Saturdays?",
    "documents": [
        {
            "document_id": "opening-hours",
            "title": "Town library",
            "text": "From Monday to Friday the library opens at 9. On Saturdays it opens at 10.",
        }
    ],
    "min_confidence": 0.3,
    "include": ["alternatives"],
}

DOCUMENT_TO_STORE: Json = {
    "title": "House",
    "text": "The boiler is serviced every May. The roof was done in 2019.",
    "metadata": {"year": 2026},
    "source": "notes",
    "licence": "CC BY 4.0",
}

BATCH_REQUEST: Json = {"questions": [REQUEST, {"question": "when was it painted last", "top_k": 0}]}

_SOURCE = "vital-articles"
_FIRST = "The Eiffel Tower is a lattice tower on the Champ de Mars in Paris, France. "
_SECOND = "It is named after the engineer Gustave Eiffel, whose company designed and built the tower from 1887 to 1889."
_SHA256 = "aeba32c9b01854899b91999a067107a4e3743e57519404e3cc0b40d52cd735e5"
_URL = "https://en.wikipedia.org/wiki/Eiffel_Tower"

_ATTRIBUTION = Attribution(
    source=_SOURCE, licence="CC BY-SA 4.0", attribution="Wikipedia contributors", snapshot=None
)

_DOCUMENT = DocumentResponse(
    document_id="Eiffel_Tower",
    title="Eiffel Tower",
    text=_FIRST + _SECOND,
    url=_URL,
    source=_SOURCE,
    metadata={},
    sha256=_SHA256,
    attribution=[_ATTRIBUTION],
)

_MODEL = Model(
    encoder="all-MiniLM-L6-v2",
    reader=ReaderKind.STRONG,
    reader_sha256="20f1b5ec0ce70b027db7389b23a13b0725fbf47c6c4c44efb9f0cf3e4cf87baa",
    language_model="smollm2-135m",
    language_model_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    adapter_sha256="137de70e44dd7af650e1bc4b03a844a96cd9ae4325852ac0b17fba53d73d223e",
    support="LexicalSupport",
)

_GENERATION = "20261123T042016-9f86d081"

_CITATION: Citation = {
    "quote": _SECOND,
    "document_id": "Eiffel_Tower",
    "title": "Eiffel Tower",
    "url": _URL,
    "source": _SOURCE,
    "start": len(_FIRST),
    "end": len(_FIRST) + len(_SECOND),
    "support": 0.84,
    "further": False,
    "document_sha256": _SHA256,
    "locator": None,
    "before": _FIRST,
    "after": "",
}

_FURTHER: Citation = {
    **_CITATION,
    "quote": _FIRST.strip(),
    "start": 0,
    "end": len(_FIRST.strip()),
    "support": 0.62,
    "further": True,
    "before": "",
    "after": f" {_SECOND}",
}

_ANSWER = AnswerResponse(
    question="who designed the eiffel tower",
    answer="Gustave Eiffel",
    short_answer="Gustave Eiffel",
    abstained=False,
    abstain_reason=None,
    kind=AnswerKind.SHORT,
    confidence=0.89,
    calibration=AnswerCalibration(
        fitted_on="open_dev_with_gold over nq-every5th",
        applies=False,
        elsewhere=SeenElsewhere(min_confidence=0.85, given=60, right=48),
    ),
    citations=[_CITATION],
    conflict=None,
    nearest=[],
    model=_MODEL,
    generation=_GENERATION,
    attribution=[_ATTRIBUTION],
    timings_ms={
        "wait": 0.1,
        "retrieve": 14.2,
        "read": 61.8,
        "generate": 912.4,
        "cite": 0.9,
        "support": 24.6,
        "decide": 0.1,
        "total": 1014.1,
    },
)

_LONG_ANSWER = _ANSWER.model_copy(
    update={
        "answer": _FIRST + _SECOND,
        "citations": [_FURTHER, _CITATION],
        "timings_ms": {**_ANSWER.timings_ms, "compose": 18.6, "total": 1032.7},
    }
)

ANSWER: Json = _ANSWER.as_json()
LONG_ANSWER: Json = _LONG_ANSWER.as_json()
DOCUMENT: Json = _DOCUMENT.model_dump(mode="json")
EVENTS = (
    f"event: retrieved\ndata: {{...}}\n\n: still at work\n\nevent: response\ndata: {json.dumps(ANSWER)}\n\n"
)

CHANGED: Json = Changed(document_id="house/boiler.md", generation=_GENERATION).model_dump(mode="json")
READY: Json = Ready(status="ready", generation=_GENERATION, model=_MODEL).model_dump(mode="json")

_SEARCH = SearchResponse(
    query="who designed the eiffel tower",
    mode=RetrievalMode.HYBRID,
    hits=[
        {
            "row": 4211,
            "document_id": "Eiffel_Tower",
            "source": _SOURCE,
            "start": 0,
            "end": len(_FIRST + _SECOND),
            "title": "Eiffel Tower",
            "url": _URL,
            "text": _FIRST + _SECOND,
            "continuation": "",
            "score": 0.87,
            "rank": 1,
        }
    ],
    generation=_GENERATION,
    attribution=[_ATTRIBUTION],
)

_INDEX = IndexResponse(
    generation=_GENERATION,
    created_at="2026-11-23T04:20:16+00:00",
    loccit_version="0.1.0",
    format_version=1,
    counts=Counts(documents=10_033, passages=12_375),
    encoder=EncoderIdentity(
        name="all-MiniLM-L6-v2",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        precision="bfloat16",
        dimension=384,
    ),
    passages=PassageRecord(words=100, continuation_words=100),
    vectors=VectorsRecord(engine="flat"),
    sources=[
        SourceRecord(
            name=_SOURCE,
            kind="packaged",
            licence="CC BY-SA 4.0",
            snapshot=None,
            attribution="Wikipedia contributors",
            documents=10_033,
            malformed=0,
        )
    ],
    fields={"document_id": 10_033, "source": 10_033, "licence": 10_033},
)

SEARCH: Json = _SEARCH.as_json()
INDEX: Json = _INDEX.model_dump(mode="json")


_CHECKED = (
    'The tower is "named after the engineer Gustave Eiffel" [1]. It "was painted green in spring 1923" [1].'
)


def _place(quoted: str) -> AnswerPlace:
    start = _CHECKED.index(quoted)
    end = start + len(quoted)
    return AnswerPlace(start=start, end=end, line=1, column=start + 1, end_line=1, end_column=end + 1)


def _real(text: str) -> RealText:
    start = (_FIRST + _SECOND).index(text)
    return RealText(
        document_id="Eiffel_Tower",
        title="Eiffel Tower",
        url=_URL,
        source=_SOURCE,
        locator=None,
        spans=[RealSpan(start=start, end=start + len(text), text=text)],
    )


def _checked_quote(number: int, quoted: str, verdict: Verdict, reason: str, found: str) -> CheckedQuote:
    return CheckedQuote(
        number=number,
        quote=quoted,
        form=Form.QUOTATION_MARKS,
        place=_place(quoted),
        marks=["[1]"],
        document_ids=["Eiffel_Tower"],
        verdict=verdict,
        reason=reason,
        folds=[],
        likeness=1.0 if quoted == found else 0.4,
        found=_real(found),
        offsets_match=None,
        unknown_document_ids=[],
    )


def _checked_claim(number: int, sentence: str, support: float) -> CheckedClaimResponse:
    return CheckedClaimResponse(
        number=number,
        claim=sentence.replace(" [1]", ""),
        place=_place(sentence),
        marks=["[1]"],
        document_ids=["Eiffel_Tower"],
        quotes=[number],
        support=support,
        supported=support >= SUPPORTED_FROM,
        evidence=_real(_SECOND),
    )


_CHECK = CheckResponse(
    quotes=[
        _checked_quote(
            1,
            "named after the engineer Gustave Eiffel",
            Verdict.VERBATIM,
            "stands word for word in the cited document",
            "named after the engineer Gustave Eiffel",
        ),
        _checked_quote(
            2,
            "was painted green in spring 1923",
            Verdict.FABRICATED,
            "nothing is as near as 90%",
            "It is named after the engineer Gustave",
        ),
    ],
    claims=[
        _checked_claim(1, 'The tower is "named after the engineer Gustave Eiffel" [1].', 0.97),
        _checked_claim(2, 'It "was painted green in spring 1923" [1].', 0.02),
    ],
    unresolved_marks=[],
    verdicts={
        Verdict.VERBATIM: 1,
        Verdict.NEARLY: 0,
        Verdict.FROM_ANOTHER_DOCUMENT: 0,
        Verdict.FABRICATED: 1,
        Verdict.TOO_SHORT: 0,
    },
    searched=Searched(documents=10_033, index=True, complete=False),
    scorer=Scorer(
        name="support",
        sha256="2178ce320a30257c652b6632a48d4f7fbcddad1da9240f4bc4d7dee1608fe75c",
        measured=Measured(accuracy=0.939, auroc=0.9854, claims=4456),
        by_kind={},
    ),
    generation=_GENERATION,
    attribution=[_ATTRIBUTION],
    timings_ms={"wait": 0.1, "read": 1.2, "check": 6.4, "support": 31.0, "total": 38.7},
)
CHECK_REQUEST: Json = {"answer": _CHECKED, "sources": [{"mark": "1", "document_id": "Eiffel_Tower"}]}
CHECK_REQUEST_WITH_DOCUMENTS: Json = {
    "answer": 'On Saturdays "it opens at 10" [1].',
    "documents": REQUEST_WITH_DOCUMENTS["documents"],
}
CHECK: Json = _CHECK.as_json()


REQUEST_ID = "5f0c6f1e8a5b4b7c9f0e2d3a4b5c6d7e"


def _problem(status: int, slug: str | None, title: str, detail: str) -> Json:
    name = "about:blank" if slug is None else f"urn:loccit:problem:{slug}"
    return {"type": name, "title": title, "status": status, "detail": detail, "request_id": REQUEST_ID}


PROBLEMS: dict[int, Json] = {
    400: _problem(400, None, "Bad Request", "The body cannot be read as JSON in UTF-8."),
    401: _problem(
        401,
        "unauthorized",
        "An API key is wanted",
        "This service wants an API key; send one as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'.",
    ),
    403: _problem(
        403,
        "admin-off",
        "Administration over HTTP is off",
        "Administration over HTTP is off; start the server with LOCCIT_ADMIN=true, or with a key file and send an "
        "admin key.",
    ),
    404: _problem(
        404,
        "document-not-found",
        "There is no such document",
        "No document has the id 'Eifel_Tower'; an answer's citations name ids that exist.",
    ),
    409: _problem(
        409,
        "reload-refused",
        "The index was not reloaded",
        "The index was not reloaded, and generation 20260726T101500-5f0c9a1e serves on: data/indexes/notes/generations/"
        "20260727T090000-00a1b2c3/vectors.faiss is not the file that was built; build the index again.",
    ),
    413: _problem(
        413,
        None,
        HTTPStatus(413).phrase,
        "The body is larger than 3,448,576 bytes; hand in fewer or shorter documents.",
    ),
    415: _problem(
        415,
        None,
        "Unsupported Media Type",
        "The body must be sent as 'application/json', but it came with 'text/plain'.",
    ),
    422: _problem(
        422,
        "invalid-request",
        "The request is not acceptable",
        "The field top_k is 0, but it must be a whole number from 1 to 100.",
    ),
    429: _problem(
        429,
        "too-many-requests",
        "The API key was used too often",
        "The key 'alice' allows 60 requests a minute; wait for 1 second.",
    ),
    500: _problem(
        500,
        "unexpected",
        "The service failed",
        "Something went wrong inside the service; its log says what. It is not your request's fault.",
    ),
    502: _problem(
        502,
        "language-model-server",
        "The language model's server did not answer",
        "The server of the language model qwen3:4b cannot be reached; see whether it runs and --language-model is its "
        "address.",
    ),
    503: _problem(
        503,
        "not-ready",
        "The service is not ready",
        "The models are still loading; try again in a few seconds.",
    ),
    504: _problem(
        504,
        "deadline-exceeded",
        "The time allowed ran out",
        "There was no answer within 30 seconds, waiting included; ask again later, or for less.",
    ),
}

_BATCH = BatchResponse(items=[BatchItem(response=_ANSWER), BatchItem(problem=Problem(**PROBLEMS[422]))])
BATCH: Json = _BATCH.model_dump(mode="json", exclude_unset=True)

BY_SCHEMA: dict[str, list[Json]] = {
    "AnswerRequest": [REQUEST, REQUEST_FOR_LONG, REQUEST_WITH_FILTER, REQUEST_WITH_DOCUMENTS],
    "AnswerResponse": [ANSWER, LONG_ANSWER],
    "BatchRequest": [BATCH_REQUEST],
    "BatchResponse": [BATCH],
    "Changed": [CHANGED],
    "CheckRequest": [CHECK_REQUEST, CHECK_REQUEST_WITH_DOCUMENTS],
    "CheckResponse": [CHECK],
    "DocumentResponse": [DOCUMENT],
    "DocumentToStore": [DOCUMENT_TO_STORE],
    "SearchResponse": [SEARCH],
    "IndexResponse": [INDEX],
    "Ready": [READY],
}
"""What the description shows of each."""
