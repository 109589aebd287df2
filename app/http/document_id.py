"""A document's id in an address: everything after the route's beginning, whatever characters it holds."""

from starlette.convertors import PathConvertor, register_url_convertor

NAME = "document_id"


class DocumentIdConvertor(PathConvertor):
    """Like ``path``, whose dot leaves out line feeds: an id with one was cut there, or not found."""

    regex = "(?s:.*)"


register_url_convertor(NAME, DocumentIdConvertor())
