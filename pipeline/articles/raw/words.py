"""The words and class names newsrooms' pages use for what is no part of a story.

Phrases that offer another story, ask to follow or to subscribe, or head a list; and the classes of share bars,
comments, author boxes and advertisements in the themes that newsrooms use.
"""

from __future__ import annotations

import re
from functools import lru_cache

MOST_NAMES = 40  #: of one element that are looked at


def _any(phrases: str) -> str:
    return "|".join(re.escape(phrase.strip()) for phrase in phrases.replace("\n", ";").split(";") if phrase.strip())


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_OFFERS = """
lire aussi; à lire aussi; à lire également; à voir aussi; lire également; voir aussi; à lire ensuite; lesen sie auch; mehr zum thema; mehr dazu; auch interessant; lesetipp
lea también; leer más; lee también; te puede interesar; vea también; ver también; leia também; leia mais; veja também; saiba mais; leggi anche; lees ook; läs också; les også; czytaj też; czytaj także
baca juga; simak juga; ayrıca oku; ilgili haber; читайте также; читайте также на; читайте по теме; читайте ещё; اقرأ أيضا; اقرأ أيضًا; اقرأ ايضا; اقرأ المزيد; إقرأ أيضا
مزید پڑھیں; یہ بھی پڑھیں; مزید پڑھیے; یہ بھی پڑھیے; بیشتر بخوانید; یہ بھی دیکھیں; यह भी पढ़ें; ये भी पढ़ें; আরও পড়ুন; 相关新闻; 相關新聞; 延伸阅读; 延伸閱讀; 関連記事; あわせて読みたい; 関連ニュース; 관련 기사; 관련기사
"""
LEAD_IN = re.compile(
    r"^\W{0,4}(?:(?:also read|also see|also watch|read also|read more|read next|read this|next read|recommended|related(?: (?:stor(?:y|ies)|articles?|posts?|news|topics?|coverage|reading|links?))?"
    r"|must[ -]read|further reading|see also|you (?:may|might) (?:also )?(?:like|be interested in)|in case you missed(?: it)?|icymi|don[’']t miss|more (?:on|from|about) [^:]{2,60}(?=:))\b"
    rf"|(?:more|watch|listen|read)(?= ?[:|–—-])|{_any(_OFFERS)})\s{{0,3}}[:：|>»–—-]*",
    re.IGNORECASE,
)
FOLLOW = re.compile(
    r"^\W{0,4}(?:follow (?:us|[\w .&'’-]{2,40} on)\b.*|(?:find|join|catch|read|get|watch|add|connect with|we are|we[’']re)\b.{0,60}\bon (?:google news|whatsapp|telegram|youtube|instagram|facebook|x|twitter|threads|bluesky)\b.{0,60}|subscribe (?:to|now|for|today)\b.*|sign up (?:to|for)\b.*(?:newsletter|alerts|inbox|updates|briefing).*"
    r"|join (?:our|us on|the) .{0,40}(?:channel|newsletter|group|whatsapp|telegram|community).*|download (?:the|our) .{0,30}app\b.*|get (?:the latest|our|the best|breaking) .{0,80}(?:inbox|newsletter|app|alerts|notifications)\b.*|share (?:this|on|via|it)\b.*"
    r"|like us on\b.*|click here (?:to|for)\b.*|stay (?:updated|connected|tuned|informed) (?:with|on)\b.*|for (?:more|the latest|all the latest) .{0,40}(?:news|updates|stories).{0,20}(?:follow|visit|download|subscribe|like|join)\b.*|suivez[- ]nous\b.*|abonnez[- ]vous\b.*|folgen sie uns\b.*|jetzt abonnieren\b.*|síguenos\b.*|siga-nos\b.*|ikuti kami\b.*"
    r"|تابعونا.*|تابعنا.*|اشترك في.*|ہمیں فالو کریں.*|ہمارے ?(?:واٹس|یوٹیوب|فیس).{0,40}|हमें फॉलो करें.*|подписывайтесь.*|フォローする|关注我们.*"
    r"|already (?:a|have an?) (?:subscriber|member|account)\b.*|(?:log|sign) in to (?:continue|read)\b.*|(?:subscribe|register|log in|sign in|become a member) (?:or .{2,20} )?to (?:continue|keep|read)\b.*|to (?:continue|keep) reading\b.*|this (?:article|story|content) is (?:for|reserved for|only for|available to|exclusive to) (?:our )?(?:paying |registered )?(?:subscribers|members)\b.*|you have (?:reached|read) .{0,60}(?:free )?articles?\b.*"
    r"|(?:we|this (?:web)?site|our (?:web)?site) (?:and our partners )?uses? cookies\b.*|accept (?:all )?cookies.*|by (?:continuing to (?:use|browse)|subscribing,? you|signing up,? you)\b.*|enter your e-?mail\b.*|your e-?mail (?:address )?.{0,60}"
    r"|advertisements?|sponsored(?: content)?|ad|anzeige|publicité|publicidad|reklam|إعلان|اشتہار|story continues below(?: (?:this )?ad(?:vertisement)?)?|(?:article|story) continues (?:below|after).*|scroll (?:down )?(?:to continue|for more).*|(?:this )?post views:?.*|loading\.{0,3}|print(?: this)?(?: (?:page|article))?|listen to this (?:article|story).*|\d+ (?:shares?|views|comments?)|\d+ min(?:ute)?s? read|reading time:? .{1,20}|(?:tags?|topics?|filed under|categories): .{0,200}|(?:previous|next) (?:article|post|story)(?: ?[:»›→<>«–-].*)?|copy link|back to top|skip to content)$",
    re.IGNORECASE | re.DOTALL,
)
LIST_HEADING = re.compile(
    r"^\W{0,3}(?:most (?:popular|read|viewed|shared|commented)|trending(?: now| stories| news| topics)?|latest (?:news|stories|posts|headlines|updates|articles)|recent (?:posts|news|articles|stories|comments)|popular (?:posts|news|now|stories|this week)|top (?:stories|news|posts)|editor[’']?s?[’']? (?:picks?|choice)|more (?:news|stories|like this|from .{2,40})|you (?:may|might) (?:also )?(?:like|be interested in)|related(?: (?:articles|posts|stories|news|topics|content|coverage))?|recommended(?: (?:for you|stories|reading))?|read next|up next|what to read next|next up|don[’']t miss"
    r"|leave a (?:reply|comment)|(?:\d+ )?comments?(?: \(\d+\))?|join the (?:conversation|discussion)|tags?:?|share(?: this)?(?: article| story| post)?:?|about the authors?|written by|(?:subscribe to|sign up for|get) (?:our|the) .{0,30}newsletters?|newsletters?|stay in the know"
    r"|les plus lus|meistgelesen|lo más (?:leído|visto)|mais lidas|i più letti|terpopuler|самое читаемое|الأكثر قراءة|أخبار ذات صلة|مقالات ذات صلة|مقبول ترین|سب سے زیادہ پڑھی جانے والی|متعلقہ خبریں|تازہ ترین|関連記事|人気記事|アクセスランキング|热门|相关新闻)\W{0,3}$",
    re.IGNORECASE,
)
NETWORKS = _set(
    """
    facebook twitter x whatsapp telegram linkedin email e-mail mail print pinterest reddit messenger instagram
    youtube threads bluesky mastodon tumblr viber line wechat weibo sms copy link copied share tweet pin post on
    via this to click opens in new window flipboard pocket mix vk digg skype koo google gmail xing
    """
)
CHROME_TAGS = _set(
    """
    script style noscript template nav footer aside form iframe button select svg ins dialog object embed input
    textarea label audio video canvas figcaption fb:like
    """
)
_CHROME = _set(
    """
    share shares sharing share-bar sharebar share-buttons sharethis sharedaddy social socials social-icons
    addtoany a2a_kit essb heateor sfsi swp mashsb ssba shareaholic sassy scriptlesssocialsharing related
    relatedposts jp-relatedposts related-posts related-articles related-stories relatedstories yarpp crp
    recommended recommendations read-more-box also-read inline-related read-next up-next nextpost next-post
    more-stories morestories more-news newsletter newsletters subscribe subscription subscription-box signup
    sign-up mc4wp mailchimp follow-us follow whatsapp-channel app-download push-notification comment comments
    comment-respond respond disqus disqus_thread fb-comments coral sidebar widget widget-area td-ss-main-sidebar
    td-post-next-prev post-navigation post-nav nav-links navigation pagination pager author-box author-boxes
    author-bio author-info author-card author-description author-profile author-area about-author abh_box
    saboxplugin molongui pp-author-boxes td-author-box td-author-description post-author article-author
    author-details contributor tags tags-links tagcloud post-tags entry-tags article-tags td-post-source-tags
    td-tags cat-links post-labels taxonomy-post_tag outbrain taboola ob-widget mgid revcontent advert
    advertisement ad ads adv ad-slot ad-container adsbygoogle google-auto-placed banner sponsored dfp gpt-ad
    td-a-rec td-g-rec cookie cookies cookie-notice cookie-banner consent gdpr cmp popup pop-up modal overlay
    lightbox toast paywall-prompt regwall paywall-message piano tp-modal most-popular most-read mostread
    trending popular-posts popular latest-news latest-posts recent-posts top-stories toc table-of-contents
    ez-toc-container breadcrumb breadcrumbs td-crumb-container print-link skip-link screen-reader-text sr-only
    visually-hidden promo promobox cta call-to-action donate donation support-us td-post-views post-views
    view-count td-post-sharing td_block_related_posts td-module-meta-info entry-meta entry-footer entry-header
    post-meta article-meta article__meta byline bylines byline-block posted-on read-time reading-time
    wp-block-latest-posts wp-block-query wp-block-post-template wp-block-social-links wp-block-post-author
    wp-block-post-terms wp-block-comments wp-block-search wp-block-categories wp-block-tag-cloud jetpack
    jp-carousel gh-subscribe gh-cta kg-signup-card kg-cta-card kg-bookmark-card subscribe-form listen
    audio-player video-playlist rating ratings post-ratings kksr poll survey wp-caption wp-caption-text
    image-caption gallery-caption caption photo-caption photo-credit image-credit gallery slideshow standfirst
    article-subtitle entry-subtitle td-post-sub-title dek infinite-scroll load-more
    """
)
#: Parts of a name that give it away wherever they stand: `article__share-bar`.
_CHROME_PARTS = _set(
    """
    share sharing social related newsletter subscribe comment comments sidebar widget advert advertisement adsbygoogle outbrain taboola cookie
    consent popup modal breadcrumb breadcrumbs pagination yarpp promo trending ad ads
    """
)
#: A paragraph of such a class is no paragraph of the story.
_SIGNED = _set(
    """
    byline author standfirst subtitle dek meta posted-on read-time reading-time tags share caption credit advertisement related also-read
    newsletter screen-reader-text entry-meta post-meta
    """
)


def is_chrome(names: str) -> bool:
    """Does an element's class, id or role say that it is no story?"""
    return any(_is_chrome_name(name) for name in names.casefold().split()[:MOST_NAMES])


def is_no_paragraph(names: str) -> bool:
    """Does a paragraph's class say that it is a byline, a caption or the like?"""
    return any(_SIGNED & {*_ways(name), *re.split("[_-]+", name)} for name in names.casefold().split()[:MOST_NAMES])


@lru_cache(maxsize=20_000)
def _is_chrome_name(name: str) -> bool:
    ways = _ways(name.removeprefix("elementor-widget"))
    return bool(_CHROME & set(ways) or _CHROME_PARTS & set(re.split(r"[_-]+", name.removeprefix("elementor-widget"))))


def _ways(name: str) -> list[str]:
    """A name and what it begins with: `td_post-share-top` is also a `post-share` and a `post`."""
    name = name[:60]
    starts = [0, *(match.end() for match in re.finditer("_+", name))]
    ends = [*(match.start() for match in re.finditer("[_-]+", name)), len(name)]
    return [name[start:end] for start in starts for end in ends if start < end]
