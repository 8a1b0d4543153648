"""Who a User-Agent header says is asking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engagement.asking import agents
from pipeline.engagement.asking.agents import Kind, fetching_ahead, kind

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Mobile Safari/537.36"
)

PEOPLE = [
    CHROME,
    ANDROID,
    f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/15E148",
    f"{IPHONE} Mobile/22B83 [FBAN/FBIOS;FBAV/487.0.0.30;FBBV/650;FBDV/iPhone16,1;FBLC/en_US]",
    f"{ANDROID} [FB_IAB/FB4A;FBAV/490.0.0.63.82;]",
    f"{IPHONE} Mobile/22B83 Instagram 355.0.0.27 (iPhone16,1; iOS 18_1; en_US)",
    f"{IPHONE} Mobile/22B83 [LinkedInApp]/9.30",
    f"{IPHONE} GSA/342.0 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/22B83 Twitter for iPhone/10.65",
    f"{IPHONE} Mobile/15E148 [Pinterest/iOS]",
    f"{ANDROID} WhatsApp/2.25.11.75",
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.54 NetType/WIFI Language/en",
    f"{ANDROID} GoogleApp/15.44",
    f"{CHROME} Edg/141.0",
    f"{CHROME} OPR/124.0.0.0",
    f"{CHROME} Avast/141.0",
    f"{CHROME} YaBrowser/25.8",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Thunderbird/128.4",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; Microsoft Outlook 16.0.17; ms-office; MSOffice 16)",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.41 Chrome/130.0 Electron/33.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36 Teams/24295.605",
    "Dalvik/2.1.0 (Linux; U; Android 14; SM-S921B Build/UP1A)",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
]

MACHINES = [
    ("", Kind.EMPTY),
    ("   ", Kind.EMPTY),
    ("-", Kind.EMPTY),
    ("Safari", Kind.EMPTY),
    ("Mozilla/4.0", Kind.EMPTY),
    ("a browser of mine", Kind.EMPTY),
    ("curl/8.9.1", Kind.LIBRARY),
    ("Wget/1.24.5", Kind.LIBRARY),
    ("python-requests/2.32.3", Kind.LIBRARY),
    ("python-httpx/0.28.1", Kind.LIBRARY),
    ("Python/3.12 aiohttp/3.10.5", Kind.LIBRARY),
    ("Go-http-client/2.0", Kind.LIBRARY),
    ("Java/17.0.9", Kind.LIBRARY),
    ("Apache-HttpClient/4.5.14 (Java/17.0.9)", Kind.LIBRARY),
    ("okhttp/4.12.0", Kind.LIBRARY),
    ("axios/1.7.7", Kind.LIBRARY),
    ("node", Kind.LIBRARY),
    ("GuzzleHttp/7", Kind.LIBRARY),
    ("libwww-perl/6.77", Kind.LIBRARY),
    ("Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.4391", Kind.LIBRARY),
    (CHROME.replace("Chrome/", "HeadlessChrome/"), Kind.HEADLESS),
    (
        "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
        Kind.HEADLESS,
    ),
    ("WhatsApp/2.25.11.75 A", Kind.PREVIEWER),
    ("Mozilla/5.0 (compatible)", Kind.CRAWLER),
    ("Mozilla/5.0 Jersey-Fetch/1.0", Kind.CRAWLER),
    ("My shop's own curl wrapper / 1.0", Kind.LIBRARY),
    ("Acme Link-Scanner/3 (acme.example)", Kind.SCANNER),
    ("BarracudaCentral/1.0 (mail inspection)", Kind.SCANNER),
    (f"{CHROME} Mimecast-URL-Check", Kind.SCANNER),
    ("Microsoft Office Existence Discovery", Kind.SCANNER),
    ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", Kind.PREVIEWER),
    ("LinkedInBot/1.0 (compatible; Mozilla/5.0; Jakarta Commons-HttpClient/3.1)", Kind.PREVIEWER),
    ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Kind.PREVIEWER),
    ("WhatsApp/2.24.20.89 A", Kind.PREVIEWER),
    ("TelegramBot (like TwitterBot)", Kind.PREVIEWER),
    ("Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)", Kind.PREVIEWER),
    ("Mastodon/4.3.1 (http.rb/5.2.0; +https://social.example/)", Kind.PREVIEWER),
    ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", Kind.PREVIEWER),
    (f"{IPHONE} Version/7.0 Safari/9537.53 BingPreview/1.0b", Kind.PREVIEWER),
    (
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        Kind.IMAGE_PROXY,
    ),
    ("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", Kind.IMAGE_PROXY),
    ("Mozilla/5.0", Kind.MAIL_PRIVACY),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
        Kind.MAIL_PRIVACY,
    ),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", Kind.CRAWLER),
    (f"{ANDROID} (compatible; Googlebot/2.1)", Kind.CRAWLER),
    ("Mozilla/5.0 (compatible; YandexImages/3.0)", Kind.CRAWLER),
    (
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        Kind.CRAWLER,
    ),
    ("Feedly/1.0 (+http://www.feedly.com/fetcher.html; 42 subscribers)", Kind.CRAWLER),
    ("Mozilla/5.0+(compatible; UptimeRobot/2.0)", Kind.CRAWLER),
    ("Dateline/0.1 (+https://news.example.org/bot)", Kind.CRAWLER),
    ("Mozilla/5.0 (compatible; an unheard-of thing)", Kind.CRAWLER),
]


@pytest.mark.parametrize("ua", PEOPLE)
def test_a_program_people_read_in_is_a_person(ua: str) -> None:
    assert kind(ua) is Kind.PERSON


@pytest.mark.parametrize(("ua", "expected"), MACHINES)
def test_a_program_nobody_reads_in_is_named(ua: str, expected: Kind) -> None:
    assert kind(ua) is expected


@given(st.text(max_size=3000))
def test_any_header_gets_an_answer(ua: str) -> None:
    assert kind(ua) in Kind


def test_a_long_hostile_header_is_judged_quickly() -> None:
    assert kind("Mozilla/5.0 (" + "a@" * 200_000) in Kind


@pytest.mark.parametrize(
    ("headers", "ahead"),
    [
        ({"Sec-Purpose": "prefetch;prerender"}, True),
        ({"purpose": "Prefetch"}, True),
        ({"X-Moz": "prefetch"}, True),
        ({"X-PURPOSE": "preview"}, True),
        ({"Sec-Purpose": "navigate"}, False),
        ({"DNT": "1", "Sec-GPC": "1"}, False),
        ({}, False),
    ],
)
def test_fetching_ahead_is_read_from_the_headers(headers: dict[str, str], ahead: bool) -> None:
    assert fetching_ahead(headers) is ahead


#: From the recorded headers of crawler-user-agents (MIT): one of each of its robots that call themselves nothing else.
NAMED_ROBOTS = [
    "BIGLOTRON (Beta 2;GNU/Linux)",
    "PostRank/2.0 (postrank.com; 1 subscribers)",
    "Xenu Link Sleuth/1.3.8",
    "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.1; Trident/6.0) LinkCheck by Siteimprove.com",
    f"{CHROME} DareBoost",
    "BW/1.1; bit.ly/3eZNDnO",
    "Valve/Steam HTTP Client 1.0 (SteamChatURLLookup)",
    "Mozilla/5.0 (X11; Ubuntu; Linux i686; rv:14.0; ips-agent) Gecko/20100101 Firefox/14.0.1",
    f"{CHROME} NewRelicSynthetics/1.0",
    f"{CHROME} (ThousandEyes Agent)",
    f"{CHROME} Ghost Inspector (63c85ddbde52d6697f57c623)",
    "Asana/1.4.0 WebsiteMetadataRetriever",
]
#: Headers of the same list that people send: a phone's build, Facebook's own browser, desktop programs.
NO_ROBOTS = [
    f"{ANDROID} MetaIAB Facebook",
    "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36 Instagram 406.0.0.58.159 Android (35/15; OPPO) NV/1",
    f"{CHROME} Electron/39.2.7",
    f"{IPHONE} Version/17.4.1 Mobile/15E148 Safari/604.1 (Ecosia ios@9.2.3.1367)",
]


@pytest.mark.parametrize("ua", NAMED_ROBOTS)
def test_a_robot_that_gives_itself_away_by_its_name_alone_is_known(ua: str) -> None:
    assert kind(ua) is Kind.CRAWLER


@pytest.mark.parametrize("ua", NO_ROBOTS)
def test_what_the_list_takes_for_a_robot_and_people_send_is_a_person(ua: str) -> None:
    assert kind(ua) is Kind.PERSON


def test_what_is_kept_of_a_header_is_judged_as_the_header_was() -> None:
    assert {named: kind(words) for named, words in agents.STAND_INS.items()} == {named: named for named in Kind}
