"""The terms of a corpus: a small file beside it says on what licence its texts stand."""

import json
from dataclasses import replace
from pathlib import Path
from reprlib import repr as shortened

from common.errors import CorpusError
from index_builder.corpora.types import Source

SUFFIX = ".terms.json"
_KEYS = ("licence", "snapshot", "attribution", "base_url")


def with_terms(source: Source, path: Path) -> Source:
    """The source with what ``PATH.terms.json`` says of the corpus at ``path``; as it is, where there is none.

    The file holds one JSON object with any of ``licence``, ``snapshot``, ``attribution`` and ``base_url``, each a text.

    Raises:
        CorpusError: when there is such a file that does not.
    """
    file = path.resolve().with_name(f"{path.resolve().name}{SUFFIX}")
    try:
        terms = json.loads(file.read_bytes())
    except FileNotFoundError:
        return source
    except (OSError, ValueError) as error:
        raise CorpusError(f"The terms in {file.name} cannot be read ({error}); {_RIGHT}.") from error
    if not isinstance(terms, dict):
        raise CorpusError(f"The terms in {file.name} are {shortened(terms)}; {_RIGHT}.")
    if unknown := sorted(terms.keys() - set(_KEYS)):
        raise CorpusError(f"The terms in {file.name} have the unknown key {unknown[0]!r}; {_RIGHT}.")
    for key, value in terms.items():
        if not isinstance(value, str) or not value.strip():
            raise CorpusError(f"The {key} in {file.name} is {value!r}; {_RIGHT}.")
    return replace(source, **terms)


_RIGHT = f"give one JSON object with any of {', '.join(_KEYS)}, each a text"
