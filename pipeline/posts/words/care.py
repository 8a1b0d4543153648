"""Stories that ask for care: deaths, disasters, minors, suicide. What may not be done to them, and what asks a person.

Lists begin what they must find: "kill*" is every word that begins so. They are ours, short and meant to be added to by
the desk (`Words.care`); a word too many costs a hashtag, one too few costs a family. On suicide the rule is that of
the guidelines for media (WHO, "Preventing suicide: a resource for media professionals", 2023): no method, no drama, no
single cause, so that a person reads the words before they leave.
"""

from __future__ import annotations

from collections.abc import Mapping

import regex

DEATH, DISASTER, MINOR, SUICIDE = "death", "disaster", "minor", "suicide"
#: Formats that a sensitive story may have.
SOBER = ("headline", "card")

_LISTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        DEATH: "dead|dies|died|death|deaths|killed|kills|killing*|fatal*|murder*|manslaughter|homicide*|funeral*|obituar*|mourn*|casualt*|corpse*|beheaded|stabbed|shooting*|massacre*|genocide|execut*",
        DISASTER: "earthquake*|tsunami*|plane crash|train crash|shipwreck*|capsiz*|explosion*|bombing*|terror*|attack|attacks|attacked|hostage*|famine*|wildfire*|flood|floods|landslide*|avalanche*|hurricane*|cyclone*|typhoon*|air raid*|air strike*|airstrike*",
        MINOR: "child|children|toddler*|baby|babies|infant*|schoolgirl*|schoolboy*|underage|minors|paedophil*|pedophil*|child abuse|rape*|sexual abuse|sexually abused",
        SUICIDE: "suicid*|took his own life|took her own life|took their own life|self-harm*|overdos*",
    },
    "de": {
        DEATH: "tot|tote|toten|toter|tödlich*|getötet|gestorben|stirbt|starb|mord*|ermordet*|totschlag|beerdigung*|trauer*|leiche*|todesopfer",
        DISASTER: "erdbeben|tsunami*|absturz|flugzeugabsturz|explosion*|anschlag*|terror*|angriff*|geisel*|hungersnot|überschwemmung*|hochwasser|erdrutsch*|lawine*|waldbrand*",
        MINOR: "kind|kinder|kindern|säugling*|baby|babys|minderjährig*|schülerin*|missbrauch*|vergewaltig*",
        SUICIDE: "suizid*|selbstmord*|selbsttötung*|nahm sich das leben|selbstverletz*",
    },
    "fr": {
        DEATH: "mort|morts|morte|mortes|décès|décédé*|tué|tués|tuée|tuées|meurtre*|assassin*|obsèques|deuil|cadavre*|massacre*|génocide",
        DISASTER: "séisme*|tremblement de terre|tsunami*|crash|explosion*|attentat*|attaque*|terroris*|otage*|famine*|inondation*|avalanche*|naufrage*",
        MINOR: "enfant|enfants|bébé|bébés|mineur|mineurs|mineure|mineures|pédophil*|viol|viols|violée|inceste",
        SUICIDE: "suicid*|mis fin à ses jours|automutilation*",
    },
    "es": {
        DEATH: "muerto|muertos|muerta|muertas|muere|mueren|murió|fallec*|asesinat*|asesinad*|homicidio*|cadáver*|funeral*|masacre*|genocidio",
        DISASTER: "terremoto*|tsunami*|accidente aéreo|explosión|explosiones|atentado*|ataque*|terroris*|rehén|rehenes|hambruna*|inundacion*|naufragio*|huracán",
        MINOR: "niño|niños|niña|niñas|bebé|bebés|menor de edad|menores|pederast*|violación|abuso sexual|abusos sexuales",
        SUICIDE: "suicid*|se quitó la vida|autolesion*",
    },
    "pt": {
        DEATH: "morto|mortos|morta|mortas|morre|morrem|morreu|falec*|assassin*|homicídio*|cadáver*|funeral*|massacre*",
        DISASTER: "terramoto*|terremoto*|tsunami*|queda de avião|explosão|explosões|atentado*|ataque*|terroris*|refém|reféns|enchente*|inundaç*|naufrágio*",
        MINOR: "criança|crianças|bebé|bebê|bebés|bebês|menor de idade|menores|pedofil*|estupro*|violação|abuso sexual",
        SUICIDE: "suicíd*|suicid*|tirou a própria vida|automutilaç*",
    },
    "it": {
        DEATH: "morto|morti|morta|morte|muore|muoiono|deceduto*|ucciso|uccisi|uccisa|omicid*|assassin*|funerali|cadavere|strage|lutto",
        DISASTER: "terremoto|terremoti|tsunami|esplosione|esplosioni|attentato*|attacco|attacchi|terroris*|ostagg*|alluvion*|frana|frane|naufragio|valanga",
        MINOR: "bambino|bambini|bambina|bambine|neonato|neonati|minorenn*|pedofil*|stupro|stupri|abusi sessuali",
        SUICIDE: "suicid*|si è tolto la vita|si è tolta la vita|autolesion*",
    },
    "nl": {
        DEATH: "dood|doden|dode|overleden|overlijdt|gedood|vermoord*|moord*|doodslag|begrafenis*|rouw*|lijk|lijken",
        DISASTER: "aardbeving*|tsunami*|vliegtuigcrash|explosie*|aanslag*|aanval*|terror*|gijzel*|hongersnood|overstroming*|lawine*",
        MINOR: "kind|kinderen|baby|baby's|minderjarig*|pedofil*|verkracht*|misbruik*",
        SUICIDE: "suïcid*|zelfmoord*|zelfdoding*|zelfbeschadig*",
    },
}  # fmt: skip
_EMOJI = regex.compile(r"(?![#*0-9©®™])\p{Emoji_Presentation}|\p{Emoji}\ufe0f|\p{Regional_Indicator}")
_HASHTAG = regex.compile(r"(?<![\w/&])#[\p{L}\p{M}\p{N}_]*\p{L}")


def topics_of(
    words: str, *, language: str, more: Mapping[str, tuple[str, ...]], fewer: Mapping[str, tuple[str, ...]]
) -> frozenset[str]:
    """What in these words asks for care. A language without a list of its own is read with all of them.

    `more` and `fewer` are the desk's own lists by language; "" stands for every language, and `more` counts as death.
    """
    tongue = language.partition("-")[0].lower()
    text = _without(words.casefold(), [*fewer.get(tongue, ()), *fewer.get("", ())])
    lists = [_LISTS[tongue]] if tongue in _LISTS else list(_LISTS.values())
    found = {topic for one in lists for topic, listed in one.items() if _any(listed.split("|"), text)}
    return frozenset(found | ({DEATH} if _any([*more.get(tongue, ()), *more.get("", ())], text) else set()))


def objections(text: str, *, topics: frozenset[str], format_: str) -> tuple[str, ...]:
    """What about a text does not become a story that asks for care, in words; none where nothing does."""
    if not topics:
        return ()
    found = [] if format_ in SOBER else [f"a {format_} makes light of it"]
    found += ["it holds a hashtag"] if _HASHTAG.search(text) else []
    found += ["it holds an emoji"] if _EMOJI.search(text) else []
    return tuple(found + (["it shouts"] if regex.search(r"[!！]", text) else []))


def needs_a_person(topics: frozenset[str]) -> bool:
    """Whether nobody but a person may let it leave: suicide, and what happens to minors in a disaster or a crime."""
    return SUICIDE in topics or {MINOR, DEATH} <= topics


def _any(listed: list[str], text: str) -> bool:
    return any(_pattern(word).search(text) for word in listed)


def _pattern(word: str) -> regex.Pattern[str]:
    folded = word.casefold().strip()
    end = "" if folded.endswith("*") else r"(?!\w)"
    return regex.compile(rf"(?<!\w){regex.escape(folded.rstrip('*'))}{end}")


def _without(text: str, phrases: list[str]) -> str:
    for phrase in phrases:
        text = _pattern(phrase).sub(" ", text)
    return text
