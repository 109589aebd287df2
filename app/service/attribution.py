"""The terms of the sources that text is shown from."""

from collections.abc import Collection

from pydantic import BaseModel

from retriever.manifest import Manifest


class Attribution(BaseModel):
    """The terms of one source: show them wherever its text is shown."""

    source: str
    licence: str | None
    attribution: str | None
    snapshot: str | None


def attribution_of(shown: Collection[str | None], manifest: Manifest | None) -> list[Attribution]:
    """Licence and attribution of each source of the index that text is shown from, in the manifest's order.

    ``shown``: the sources' names. One that is not known (None) may be any of the index.
    """
    return [
        Attribution(
            source=source.name,
            licence=source.licence,
            attribution=source.attribution,
            snapshot=source.snapshot,
        )
        for source in (() if manifest is None else manifest.sources)
        if source.name in shown or None in shown
    ]
