"""The terms of the sources that text is shown from."""

from collections.abc import Collection

from pydantic import BaseModel

from retriever.filters import Filter
from retriever.manifest import Manifest


class Attribution(BaseModel):
    """The terms of one source: show them wherever its text is shown."""

    source: str
    licence: str | None
    attribution: str | None
    snapshot: str | None


def attribution_of(
    shown: Collection[str | None], manifest: Manifest | None, *, allowed: Filter | None
) -> list[Attribution]:
    """Licence and attribution of each source of the index that text is shown from, in the manifest's order.

    ``shown``: the sources' names. One that is not known (None) may be any of the index.
    ``allowed``: there are no other documents than those that match it. One that is not known tells of no source then.
    """
    of_any = None in shown and allowed is None
    return [
        Attribution(
            source=source.name,
            licence=source.licence,
            attribution=source.attribution,
            snapshot=source.snapshot,
        )
        for source in (() if manifest is None else manifest.sources)
        if of_any or source.name in shown
    ]
