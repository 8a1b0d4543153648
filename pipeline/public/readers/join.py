"""Signing up: our page, a frame for other people's pages, and a plain form on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from pipeline.audience.joining import asking, limits, policy, seals
from pipeline.audience.models import Topic
from pipeline.audience.words import Words, catalogue, is_offered, words
from pipeline.kernel.config import config
from pipeline.public.readers import visitors

FRAME_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors *; base-uri 'none'"
)
#: A field no person sees; what fills it is not one.
TRAP = "website"
FORMS = ("page", "frame", "site")
STATUS = {"": 200, "busy": 429}


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-up as it arrived. `topics` are slugs; `trap` is what stood in the field nobody sees."""

    address: str
    topics: tuple[str, ...]
    form: str
    language: str
    seal: str = ""
    trap: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`wrong` is the code of what to correct, or ""; the same for every address that can be written to."""

    wrong: str = ""
    domain: str = ""


def take(request: HttpRequest, asked: Asked) -> Answer:
    """Judge and keep one sign-up; whether the address is known changes nothing in the answer."""
    now, network = timezone.now(), visitors.network_of(request)
    age = seals.age(asked.seal, now=now) if asked.seal else None
    if not limits.may_ask(network=network, is_sealed=age is not None, now=now):
        return Answer("busy")
    try:
        address = policy.usable(asked.address)
    except policy.Unwelcome as refusal:
        return Answer(refusal.code, refusal.domain)
    topics = asking.offered(asked.topics)
    if not topics:
        return Answer("topics")
    if age is not None and age < seals.SHORTEST:
        return Answer("quick")
    if not asked.trap:
        say = words(asked.language)
        wish = asking.Wish(
            address=address, topic_ids=tuple(topic.id for topic in topics), form=asked.form,
            origin=visitors.origin_of(request), network=network, language=say.language,
            wording=say("join.consent", publisher=visitors.publisher()), wording_version=say.version("join.consent"),
        )  # fmt: skip
        asking.ask_to_join(wish, now=now)
    return Answer()


@never_cache
@csrf_exempt  # forms on other pages post here; there is no session to abuse, and nothing is mailed but one question
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The form, and what came of it."""
    return _page(request, form="page")


@never_cache
@csrf_exempt
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def frame(request: HttpRequest) -> HttpResponse:
    """The same form for an iframe on somebody else's page."""
    answer = _page(request, form="frame")
    answer.headers["Content-Security-Policy"] = FRAME_POLICY
    return answer


@require_safe
def snippet(_request: HttpRequest) -> HttpResponse:
    """HTML to paste into a site: a plain form, and the frame. Without script, and without our style."""
    values = {"say": words("en"), "site": config().site_url, "topics": _shown(asking.offered(), ()), "trap": TRAP}
    markup = render_to_string("public/join_snippet.html", values)
    return HttpResponse(markup, content_type="text/plain; charset=utf-8")


def _page(request: HttpRequest, *, form: str) -> HttpResponse:
    say = visitors.language_of(request)
    if request.method != "POST":
        slugs = tuple(request.GET.getlist("topic"))
        return _form(request, say, Asked(address="", topics=slugs, form=form, language=say.language), Answer())
    asked = _asked(request, say, form=form)
    say = words(asked.language)
    answer = take(request, asked)
    if answer.wrong:
        return _form(request, say, asked, answer)
    return render(request, "public/join_sent.html", {"say": say, "address": asked.address.strip(), "form": form})


def _asked(request: HttpRequest, say: Words, *, form: str) -> Asked:
    said, language = request.POST, request.POST.get("language", "")
    return Asked(
        address=said.get("address", "")[:320],
        topics=tuple(said.getlist("topics"))[:100],
        form="site" if form == "page" and said.get("form") == "site" else form,
        language=language if is_offered(language) else say.language,
        seal=said.get("seal", ""),
        trap=said.get(TRAP, ""),
    )


def _form(request: HttpRequest, say: Words, asked: Asked, answer: Answer) -> HttpResponse:
    topics = asking.offered()
    asked = replace(asked, topics=asked.topics or tuple(t.slug for t in topics if t.kind == Topic.Kind.NEWSLETTER)[:1])
    wrong = say(f"wrong.{answer.wrong}", **_blanks(answer, asked)) if answer.wrong else ""
    publisher = visitors.publisher()
    values = {
        "say": say, "publisher": publisher, "topics": _shown(topics, asked.topics), "asked": asked, "wrong": wrong,
        "seal": seals.shown(now=timezone.now()), "trap": TRAP, "languages": list(catalogue().values()),
        "consent": say("join.consent", publisher=publisher),
    }  # fmt: skip
    return render(request, "public/join.html", values, status=STATUS.get(answer.wrong, 422))


def _blanks(answer: Answer, asked: Asked) -> dict[str, str]:
    blanks = {"address": asked.address.strip()[:100], "domain": answer.domain}
    return {name: blanks[name] for name in {"address": ("address",), "throwaway": ("domain",)}.get(answer.wrong, ())}


def _shown(topics: list[Topic], ticked: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"slug": topic.slug, "name": topic.name, "about": topic.about, "kind": topic.kind,
         "per_week": f"{topic.per_week:g}" if topic.per_week else "", "ticked": topic.slug in ticked}
        for topic in topics
    ]  # fmt: skip
