"""The routes that change the index: a document comes, is replaced, or goes."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic.config import JsonDict

from app.http import document_id as convertor
from app.http.admission.admin_access import AdminDependency
from app.http.described.openapi import problems
from app.http.routes import HostDependency
from app.http.wire.document import DocumentToStore, checked_id
from app.http.wire.responses import Changed
from app.service.changes import Delete, Outcome
from retriever.document_ids import MAX_ID_CHARACTERS

changes_router = APIRouter(tags=["admin"])

_CREATED = 201
_ADDRESS = f"/documents/{{document_id:{convertor.NAME}}}"
_ID_SCHEMA: JsonDict = {
    "minLength": 1,
    "maxLength": MAX_ID_CHARACTERS,
    "pattern": r"^(?!\.{1,2}$)[\s\S]*\S[\s\S]*$",
}
DocumentId = Annotated[
    str, Path(description="Percent-encode all of it, the slashes too.", json_schema_extra=_ID_SCHEMA)
]


@changes_router.put(
    _ADDRESS,
    summary="Create or replace a document",
    response_description="It was replaced.",
    responses={
        _CREATED: {"model": Changed, "description": "It was created."},
        **problems(400, 403, 409, 413, 415, 422, 500, 503),
    },
)
async def put_document(
    document_id: DocumentId,
    given: DocumentToStore,
    _: AdminDependency,
    host: HostDependency,
    response: Response,
) -> Changed:
    """Makes a new generation of the index in which the document has this text, and serves it: what is asked after
    this response is answered from it. Changes that wait for one another are made together, in the order in which
    they came. When a change is refused, the index stays as it is, and the others are made all the same. A 409 of the
    type `urn:loccit:problem:change-not-served` says that the change is in the index, but its generation cannot be
    opened: the generation before it answers until it can.
    """
    outcome, changed = await host.change(given.put_as(checked_id(document_id), host.settings))
    if outcome is Outcome.CREATED:
        response.status_code = _CREATED
    return changed


@changes_router.delete(
    _ADDRESS,
    summary="Delete a document",
    response_description="It is gone.",
    responses=problems(403, 404, 409, 422, 500, 503),
)
async def delete_document(document_id: DocumentId, _: AdminDependency, host: HostDependency) -> Changed:
    """Makes a new generation of the index without the document, and serves it. The generation before it stays on disk
    until the next change; `loccit index prune` removes it sooner.
    """
    return (await host.change(Delete(checked_id(document_id))))[1]
