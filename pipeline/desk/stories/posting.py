"""What editors do to posts and to the brake: always by POST, always answered in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from pipeline.desk import sign_in
from pipeline.desk.stories.holds import reason_of
from pipeline.posts.acts import brake, review
from pipeline.posts.models import Post

NO_REASON = "Say why, in a few words: everybody sees it while posting is stopped. Nothing was changed."
NOT_YOUR_BRAKE = "Your role may not stop or start posting. Nothing was changed; call a desk head."


@sign_in.required
@require_POST
def approve(request: sign_in.Guest, post_id: int) -> HttpResponse:
    """Let it go on."""
    return _acted(request, post_id, review.approve, "Approved: it leaves at the time shown.")


@sign_in.required
@require_POST
def hold(request: sign_in.Guest, post_id: int) -> HttpResponse:
    """Keep it back."""
    said = "Held: it waits until somebody approves it."
    return _acted(request, post_id, review.hold, said, reason=reason_of(request))


@sign_in.required
@require_POST
def cancel(request: sign_in.Guest, post_id: int) -> HttpResponse:
    """Do not post it."""
    return _acted(request, post_id, review.cancel, "Cancelled: it does not leave.", reason=reason_of(request))


@sign_in.required
@require_POST
def choose(request: sign_in.Guest, post_id: int) -> HttpResponse:
    """Say it in another way."""
    variant = request.POST.get("variant", "")
    number = int(variant) if variant.isascii() and variant.isdigit() and len(variant) < 18 else 0
    return _acted(request, post_id, review.choose, "Kept: it is said in these words.", variant_id=number)


@sign_in.required
@require_POST
def settle(request: sign_in.Guest, post_id: int) -> HttpResponse:
    """A person looked at the account."""
    is_live = request.POST.get("live") == "yes"
    said = "Kept as posted." if is_live else "It goes out again at the time shown."
    return _acted(request, post_id, review.settle, said, is_live=is_live)


@sign_in.required
@require_POST
def take_down(request: sign_in.Guest, post_id: int) -> HttpResponse:
    """Delete a live post."""
    said = "It is being deleted; the row of the deletion tells what comes of it."
    return _acted(request, post_id, review.take_down, said, reason=reason_of(request))


@sign_in.required
@require_POST
def stop(request: sign_in.Guest) -> HttpResponse:
    """Pull the brake."""
    reason = reason_of(request)
    if not review.may(request.user):
        messages.error(request, NOT_YOUR_BRAKE)
    elif not reason:
        messages.error(request, NO_REASON)
    elif brake.pull(actor=request.user, now=timezone.now(), reason=reason):
        messages.success(request, "Stopped: nothing is posted until someone starts it again. Deletions still go out.")
    else:
        messages.warning(request, "Posting was stopped already. Nothing was changed.")
    return redirect("desk:posts")


@sign_in.required
@require_POST
def post_again(request: sign_in.Guest) -> HttpResponse:
    """Let go of the brake."""
    if not review.may(request.user):
        messages.error(request, NOT_YOUR_BRAKE)
    elif brake.release(actor=request.user, now=timezone.now()):
        messages.success(request, "Posting goes on: what waited leaves one after the other, what is too old expires.")
    else:
        messages.warning(request, "Posting was not stopped. Nothing was changed.")
    return redirect("desk:posts")


def _acted(request: sign_in.Guest, post_id: int, act: Callable[..., Post], said: str, **how: Any) -> HttpResponse:
    """Do it, and say what happened in words."""
    post = get_object_or_404(Post.objects.only("id"), id=post_id)
    try:
        act(post_id=post.id, actor=request.user, now=timezone.now(), **how)
    except review.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("desk:posts")
