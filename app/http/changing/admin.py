"""What only the operator may ask for."""

from fastapi import APIRouter

from app.http.admission.admin_access import AdminDependency
from app.http.described.openapi import problems
from app.http.routes import HostDependency
from app.http.wire.responses import Reloaded

admin_router = APIRouter(prefix="/admin", tags=["admin"])


@admin_router.post(
    "/reload", summary="Serve the index that is current now", responses=problems(403, 409, 500, 503)
)
async def reload(_: AdminDependency, host: HostDependency) -> Reloaded:
    """Opens the current generation of the index, and its calibrator, beside what answers now, and puts it in that
    place between two questions. No request is dropped. What cannot be served is refused with 409, and the old
    generation serves on.
    """
    return await host.reload()
