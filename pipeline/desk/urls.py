"""Addresses of the desk, below whatever the wiring gives it."""

from __future__ import annotations

from django.urls import path

from pipeline.desk import brakes, sign_in, status, today
from pipeline.desk.accounts import page as social
from pipeline.desk.calendar import acts as calendar_acts
from pipeline.desk.calendar import agenda, newsletter
from pipeline.desk.editions import acts, alerts, page, placing, preview, results
from pipeline.desk.people import account, code, joining, journal, tokens
from pipeline.desk.people import listing as people
from pipeline.desk.popular import acts as bending
from pipeline.desk.popular import page as popular
from pipeline.desk.queue import page as queue
from pipeline.desk.sources import acts as steering
from pipeline.desk.sources import adding, listing
from pipeline.desk.sources import page as sites
from pipeline.desk.stories import article, articles, holds, posting, timeline

app_name = "desk"
urlpatterns = [
    path("", today.today, name="today"),
    path("sign-in/", code.SignIn.as_view(), name="sign_in"),
    path("sign-in/code", code.code, name="code"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("join/<str:token>", joining.join, name="join"),
    path("account/", account.account, name="account"),
    path("account/password", account.change_password, name="change_password"),
    path("account/second-factor/begin", account.begin, name="begin_second_factor"),
    path("account/second-factor/confirm", account.confirm, name="confirm_second_factor"),
    path("account/second-factor/end", account.end, name="end_second_factor"),
    path("account/tokens/", tokens.listing, name="tokens"),
    path("account/tokens/make", tokens.make, name="make_token"),
    path("account/tokens/<int:token_id>/revoke", tokens.revoke, name="revoke_token"),
    path("people/", people.listing, name="people"),
    path("people/invite", people.invite, name="invite"),
    path("people/<int:user_id>/role", people.change_role, name="change_role"),
    path("people/<int:user_id>/close", people.close, name="close_account"),
    path("people/<int:user_id>/open", people.open_again, name="open_account"),
    path("people/<int:user_id>/drop-second-factor", people.end_second_factor, name="drop_second_factor"),
    path("journal/", journal.journal, name="journal"),
    path("articles/", articles.listing, name="articles"),
    path("articles/<int:article_id>/", article.article, name="article"),
    path("articles/<int:article_id>/kill", article.kill, name="kill"),
    path("articles/held/<int:hold_id>/release", holds.release, name="release"),
    path("articles/held/release-batch", holds.release_batch, name="release_batch"),
    path("articles/held/discard-batch", holds.discard_batch, name="discard_batch"),
    path("posts/", timeline.listing, name="posts"),
    path("posts/stop", posting.stop, name="stop_posting"),
    path("posts/go-on", posting.post_again, name="post_again"),
    path("posts/<int:post_id>/approve", posting.approve, name="approve_post"),
    path("posts/<int:post_id>/hold", posting.hold, name="hold_post"),
    path("posts/<int:post_id>/cancel", posting.cancel, name="cancel_post"),
    path("posts/<int:post_id>/choose", posting.choose, name="choose_words"),
    path("posts/<int:post_id>/settle", posting.settle, name="settle_post"),
    path("posts/<int:post_id>/take-down", posting.take_down, name="take_down_post"),
    path("status/stop-sending", brakes.stop, name="stop_sending"),
    path("status/send-again", brakes.go_on, name="send_again"),
    path("posts/accounts/<int:account_id>/", social.account, name="social_account"),
    path("posts/accounts/<int:account_id>/template", social.template, name="social_template"),
    path("posts/accounts/<int:account_id>/pause", social.pause, name="pause_social_account"),
    path("posts/accounts/<int:account_id>/resume", social.resume, name="resume_social_account"),
    path("status/", status.status, name="status"),
    path("popular/", popular.popular, name="popular"),
    path("popular/<int:article_id>/hand", bending.lay, name="lay_hand"),
    path("popular/hands/<int:pin_id>/end", bending.lift, name="lift_hand"),
    path("popular/method", bending.change_method, name="change_method"),
    path("sources/", listing.listing, name="sources"),
    path("sources/look", adding.look, name="look_at_site"),
    path("sources/add", adding.add, name="add_source"),
    path("sources/stop", steering.stop, name="stop_telling"),
    path("sources/tell-again", steering.tell_again, name="tell_again"),
    path("sources/<int:source_id>/", sites.source, name="source"),
    path("sources/<int:source_id>/pause", steering.pause, name="pause_source"),
    path("sources/<int:source_id>/resume", steering.resume, name="resume_source"),
    path("sources/<int:source_id>/look", steering.look, name="look_now"),
    path("sources/<int:source_id>/end-caution", steering.end_caution, name="end_caution"),
    path("sources/<int:source_id>/change", steering.change, name="change_source"),
    path("sources/<int:source_id>/webhook", steering.open_webhook, name="open_webhook"),
    path("sources/<int:source_id>/end-webhook", steering.end_webhook, name="end_webhook"),
    path("queue/", queue.queue, name="queue"),
    path("queue/act", queue.act, name="queue_act"),
    path("queue/<int:edition_id>/", queue.send, name="send"),
    path("queue/<int:edition_id>/providers", queue.by_provider, name="send_providers"),
    path("calendar/", agenda.listing, name="calendar"),
    path("newsletters/<int:newsletter_id>/", newsletter.newsletter, name="newsletter"),
    path("newsletters/<int:newsletter_id>/skip-day", calendar_acts.skip_day, name="skip_day"),
    path("newsletters/<int:newsletter_id>/leave-after-all", calendar_acts.leave_after_all, name="leave_after_all"),
    path("newsletters/<int:newsletter_id>/pause", calendar_acts.pause, name="pause_newsletter"),
    path("newsletters/<int:newsletter_id>/resume", calendar_acts.resume, name="resume_newsletter"),
    path("newsletters/<int:newsletter_id>/end", calendar_acts.end, name="end_newsletter"),
    path("editions/", page.listing, name="editions"),
    path("editions/<int:edition_id>/", page.edition, name="edition"),
    path("editions/<int:edition_id>/message.html", preview.message, name="message"),
    path("editions/<int:edition_id>/message.txt", preview.text, name="message_text"),
    path("editions/<int:edition_id>/progress", results.fragment, name="progress"),
    path("editions/<int:edition_id>/deliveries/", results.deliveries, name="deliveries"),
    path("editions/<int:edition_id>/approve", acts.approve, name="approve"),
    path("editions/<int:edition_id>/undo", acts.undo, name="undo"),
    path("editions/<int:edition_id>/again", acts.again, name="again"),
    path("editions/<int:edition_id>/skip", acts.skip, name="skip"),
    path("editions/<int:edition_id>/write", acts.write, name="write"),
    path("editions/<int:edition_id>/move", placing.move, name="move"),
    path("editions/<int:edition_id>/put", placing.put, name="put"),
    path("editions/<int:edition_id>/leave-out", placing.leave_out, name="leave_out"),
    path("editions/<int:edition_id>/let-rules-decide", placing.let_rules_decide, name="let_rules_decide"),
    path("editions/<int:edition_id>/write-story", placing.write_story, name="write_story"),
    path("editions/<int:edition_id>/take-new", placing.take_new, name="take_new"),
    path("editions/<int:edition_id>/keep-mine", placing.keep_mine, name="keep_mine"),
    path("editions/<int:edition_id>/pause", acts.pause, name="pause"),
    path("editions/<int:edition_id>/resume", acts.resume, name="resume"),
    path("editions/<int:edition_id>/cancel", acts.cancel, name="cancel"),
    path("editions/<int:edition_id>/confirm", acts.confirm, name="confirm"),
    path("editions/<int:edition_id>/rest", acts.to_the_rest, name="to_the_rest"),
    path("editions/<int:edition_id>/doubts", acts.settle_doubts, name="settle_doubts"),
    path("alerts/", alerts.alert, name="alert"),
    path("alerts/raise", alerts.raise_alert, name="raise_alert"),
]
