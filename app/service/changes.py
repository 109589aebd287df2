"""Changing the index that a service answers from: documents come, are replaced and go, several in one generation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rich.console import Console

from app.service.assembly import AnswerService
from common.errors import ChangeRefusedError, DocumentNotFoundError
from index_builder.arrivals import Arrivals
from index_builder.change import Before, change_index
from index_builder.generation_writer import Contents
from retriever.manifest import SourceRecord
from retriever.types import Document

SOURCE = "http"
"""The source of documents that come without one."""

_WAIT_S = 10.0
_EMBEDDED_TOGETHER = 16  # so that a question is held up for no more than these


@dataclass(frozen=True, slots=True)
class Put:
    """A document that is to be in the index, in the place of the one of its id, if there is one.

    Without a source it has that of the one before it. ``licence``, ``attribution``: of its source; None: as they are.
    """

    document: Document
    licence: str | None = None
    attribution: str | None = None

    @property
    def doc_id(self) -> str:
        """The document's."""
        return self.document.doc_id

    @property
    def terms(self) -> dict[str, str]:
        """What is given of the terms."""
        terms = {"licence": self.licence, "attribution": self.attribution}
        return {name: value for name, value in terms.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Delete:
    """The document of this id is to go."""

    doc_id: str


Wanted = Put | Delete


class Outcome(StrEnum):
    """What became of what was wanted."""

    CREATED = "created"
    REPLACED = "replaced"
    DELETED = "deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Made:
    """What became of each that was wanted. ``generation``: the one that holds it; None where nothing was made."""

    outcomes: list[Outcome]
    generation: str | None


def change_documents(service: AnswerService, wanted: Sequence[Wanted]) -> Made:
    """Make one generation with all that is wanted, as if one came after the other.

    Where all of it is to delete documents that are not there, nothing is made.

    Raises:
        ChangeRefusedError: when the service promises an accuracy that a change would end, and as ``change_index``
            does.
        LoccitError: as ``change_index`` does.
    """
    if service.settings.target_accuracy is not None:
        raise ChangeRefusedError(
            "This service promises a target accuracy, which holds for the index that it was fitted on; change the "
            "index with `loccit index add`, fit the confidence again with `loccit calibrate`, and reload."
        )
    outcomes: list[Outcome] = []

    def change(before: Before, arrivals: Arrivals) -> Contents:
        last: dict[str, Wanted] = {}
        for each in wanted:
            outcomes.append(_outcome(each, last.get(each.doc_id), before))
            if outcomes[-1] is not Outcome.UNKNOWN:
                last[each.doc_id] = each
        if not last:
            raise DocumentNotFoundError("None of the documents is there.")
        new: dict[str, SourceRecord] = {}
        for put in (each for each in last.values() if isinstance(each, Put)):
            _take_in(put, before, arrivals, new)
        gone = {doc_id for doc_id, each in last.items() if isinstance(each, Delete)}
        return Contents(before.with_sources(list(new.values())), before.store, gone)

    try:
        report = change_index(
            service.settings.index,
            change,
            encoder=service.encoder,
            console=Console(quiet=True),
            wait_s=_WAIT_S,
            embedded_together=_EMBEDDED_TOGETHER,
        )
    except DocumentNotFoundError:
        return Made(outcomes, None)
    return Made(outcomes, report.generation)


def _outcome(wanted: Wanted, last: Wanted | None, before: Before) -> Outcome:
    """``last``: what was wanted of this id just before."""
    there = before.store.source_of(wanted.doc_id) is not None if last is None else isinstance(last, Put)
    if isinstance(wanted, Put):
        return Outcome.REPLACED if there else Outcome.CREATED
    return Outcome.DELETED if there else Outcome.UNKNOWN


def _take_in(put: Put, before: Before, arrivals: Arrivals, new: dict[str, SourceRecord]) -> None:
    """Take in the document, and note its source with its terms in ``new``."""
    name = put.document.source or before.store.source_of(put.doc_id) or SOURCE
    arrivals.add(replace(put.document, source=name), location=f"{name}/{put.doc_id}")
    source = new.get(name) or SourceRecord(
        name=name, kind=SOURCE, licence=None, snapshot=None, attribution=None, documents=0, malformed=0
    )
    new[name] = source.model_copy(update=put.terms)
