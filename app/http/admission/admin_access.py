"""Who may administer the service over HTTP."""

from typing import Annotated

from fastapi import Depends, Request

from app.http.admission.refusals import ForbiddenError
from app.http.host import Host
from app.service.api_keys import ApiKey
from common.errors import LoccitError


class AdminOffError(LoccitError):
    """The operator has not allowed administration over HTTP."""


def require_admin(request: Request) -> None:
    """Lets the holder of an admin key on; where there are no keys, whoever asks, if the operator allows it.

    Raises:
        ForbiddenError: for every other key; where there are no keys, for what a browser sends for another site's page.
        AdminOffError: where there are no keys and the operator has not allowed it.
    """
    host: Host = request.app.state.host
    if host.settings.key_file is not None:
        key: ApiKey = request.state.key
        if not key.admin:
            raise ForbiddenError(f"This needs an admin key, and the key {key.name!r} is none.")
    elif not host.settings.admin:
        raise AdminOffError(
            "Administration over HTTP is off; start the server with LOCCIT_ADMIN=true, or with a key file and send "
            "an admin key."
        )
    elif request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise ForbiddenError("A page of another site may not administer this service; ask for it yourself.")


AdminDependency = Annotated[None, Depends(require_admin)]
"""Lets a request on only where administration is allowed."""
