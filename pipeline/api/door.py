"""The door itself: every subject behind one lock, one description, one shape for whatever goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import BadRequest, ObjectDoesNotExist, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI, Router, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from pipeline.api.answers import Refusal, Refusing
from pipeline.api.bearer import CLOSED, OPENED_BY, Bearer
from pipeline.api.editions import changes, deciding, placing, reading, sends
from pipeline.api.editions.shapes import row_of as edition_row
from pipeline.api.house import brakes, imports, journal, newsletters, readers, sources, today, watching
from pipeline.api.rules import blocks, counting, designs, making, people, settings
from pipeline.api.stories import accounts, articles, popular, posts
from pipeline.editions.acts import review
from pipeline.posts.acts import review as posts_review
from pipeline.ranking import hands
from pipeline.staff import invitations
from pipeline.staff import people as staff

log = logging.getLogger("dateline.api")

ABOUT = """All an editor can do, for programs. Send `Authorization: Bearer dl_…`; make the token at the desk, under your
account. Times are UTC. Lists are pages: ask again with `before` = `next`. An act on an edition names the `revision` you
looked at; on a conflict the answer holds the row as it is now. Asking for an act twice does it once. docs/api.md tells more."""
LOOK_AGAIN = "Look at `current`, decide again, and send its revision where the act asks for one."
#: By the number in an address: the row as it is now.
CURRENT: Mapping[str, Callable[[int], Schema]] = {
    "edition_id": edition_row,
    "post_id": posts.row_of,
    "account_id": accounts.account_row,
    "newsletter_id": newsletters.newsletter_row,
    "article_id": articles.article_row,
    "import_id": imports.import_row,
    "design_id": designs.design_row,
    "user_id": people.person_row,
}
ROUTERS: tuple[Router, ...] = (
    today.router, reading.router, deciding.router, placing.router, changes.router, sends.router, newsletters.router, articles.router,
    posts.router, accounts.router, popular.router, sources.router, watching.router, brakes.router, readers.router, journal.router,
    imports.router, settings.router, blocks.router, making.router, people.router, designs.router, counting.router,
)  # fmt: skip


class Door(NinjaAPI):
    """Names an operation as its function is named, and describes itself once."""

    described: ClassVar[dict[str | None, OpenAPISchema]] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Kept: whoever asks for it needs no token, and making it takes a while."""
        if path_prefix not in self.described:
            self.described[path_prefix] = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        return self.described[path_prefix]

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The function's own name: it is the only one of its kind."""
        return operation.view_func.__name__


def _answer(request: HttpRequest, refusal: Refusing, *, current: Schema | None = None) -> HttpResponse:
    said = Refusal(
        error=refusal.error, message=refusal.message, kept=refusal.kept, hint=refusal.hint,
        current=current.dict() if current else None,
    )  # fmt: skip
    response = api.create_response(request, said.dict(), status=refusal.status)
    for name, value in refusal.headers.items():
        response.headers[name] = value
    return response


def _turned_down(request: HttpRequest, error: Any) -> HttpResponse:
    return _answer(request, error, current=error.current)


def _conflict(request: HttpRequest, error: Any) -> HttpResponse:
    """An act's own refusal, with the row it is about as it is now."""
    return _answer(request, Refusing(409, "conflict", str(error), hint=LOOK_AGAIN), current=_current(request))


def _current(request: HttpRequest) -> Schema | None:
    numbers = request.resolver_match.kwargs if request.resolver_match else {}
    for name, row in CURRENT.items():
        if name in numbers:
            return row(int(numbers[name]))
    return None


def _not_found(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ARG001
    return _answer(
        request, Refusing(404, "not_found", "There is no such thing here.", hint="Look at the list of them.")
    )


def _unknown(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ARG001
    headers = {"WWW-Authenticate": 'Bearer realm="Dateline"'}
    return _answer(request, Refusing(401, "unknown_token", CLOSED, hint=OPENED_BY, headers=headers))


def _unread(request: HttpRequest, error: Any) -> HttpResponse:
    """What was sent is not what the operation takes."""
    faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors[:5])
    hint = "Compare it with the operation in openapi.json."
    return _answer(request, Refusing(422, "unread", f"This cannot be read: {faults}.", hint=hint))


def _torn(request: HttpRequest, error: Any) -> HttpResponse:  # noqa: ARG001
    """A form that ends too early, or holds more fields than a form has."""
    hint = "Send multipart/form-data, as openapi.json says."
    return _answer(request, Refusing(400, "unread", "This form cannot be read.", hint=hint))


def _unreadable(request: HttpRequest, error: Any) -> HttpResponse:
    hint = "Send JSON, as openapi.json says."
    return _answer(request, Refusing(error.status_code, "unread", f"{error.message}.", hint=hint))


def nowhere(request: HttpRequest) -> HttpResponse:
    """An address that is none of this door's."""
    hint = "The addresses are in openapi.json."
    return _answer(request, Refusing(404, "not_found", "There is nothing at this address.", hint=hint))


def not_that_way(request: HttpRequest, allowed: str) -> HttpResponse:
    """An address that takes another method."""
    said = f"This address takes {allowed}, not {request.method}."
    headers = {"Allow": allowed}
    return _answer(request, Refusing(int(HTTPStatus.METHOD_NOT_ALLOWED), "unread", said, hint="Looks are GET, acts are POST.", headers=headers))  # fmt: skip


api = Door(
    title="Dateline", version="1", description=ABOUT, auth=Bearer(), docs_url=None, urls_namespace="api",
)  # fmt: skip
for _kind, _told in (
    (Refusing, _turned_down), (staff.Refused, _conflict), (invitations.Refused, _conflict), (review.Refused, _conflict), (posts_review.Refused, _conflict), (hands.Refused, _conflict),
    (ObjectDoesNotExist, _not_found), (Http404, _not_found), (AuthenticationError, _unknown), (HttpError, _unreadable),
    (ValidationError, _unread), (MultiPartParserError, _torn), (SuspiciousOperation, _torn), (BadRequest, _torn),
):  # fmt: skip
    api.add_exception_handler(_kind, _told)
for _router in ROUTERS:
    api.add_router("", _router)
