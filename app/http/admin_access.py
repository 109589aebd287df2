"""Who may administer the service over HTTP."""

from typing import Annotated

from fastapi import Depends, Request

from app.http.host import Host
from common.errors import LoccitError


class AdminOffError(LoccitError):
    """The operator has not allowed administration over HTTP."""


def _require_admin(request: Request) -> None:
    host: Host = request.app.state.host
    if not host.settings.admin:
        raise AdminOffError(
            "Administration over HTTP is off; start the server with LOCCIT_ADMIN=true to allow it."
        )


AdminDependency = Annotated[None, Depends(_require_admin)]
"""Lets a request on only where administration is allowed."""
