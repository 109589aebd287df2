"""Ids of documents: which of them an address can name, so that every stored document can be fetched."""

MAX_ID_CHARACTERS = 1_000
_DOT_SEGMENTS = frozenset({".", ".."})


def id_problem(doc_id: str) -> str | None:
    """Why no address can name a document of this id, and what would be right; None when one can.

    Any other character can stand in an id: an address holds it percent-encoded.
    """
    if doc_id in _DOT_SEGMENTS:
        return f"The id is {doc_id!r}, which an address takes for a folder (RFC 3986, 5.2.4); give another."
    if len(doc_id) > MAX_ID_CHARACTERS:
        return f"The id has {len(doc_id):,} characters, but at most {MAX_ID_CHARACTERS:,} are accepted; shorten it."
    return None
