"""The page: its files, and who gets it."""

import os
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parent / "web"
INDEX = FOLDER / "index.html"

_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".html": "text/html"}


def wants_page(accept: str) -> bool:
    """Whether an Accept header names HTML, as browsers do and programs do not."""
    ranges = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return "text/html" in ranges


class PageFiles(StaticFiles):
    """The files that the page loads, under types of ours: a system's own table may call a script something else."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """A file, or word that it has not changed; browsers ask each time, so that an update is never half seen."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["cache-control"] = "no-cache"
        if "content-type" in response.headers:
            response.headers["content-type"] = f"{_MEDIA_TYPES[Path(full_path).suffix]}; charset=utf-8"
        return response
