"""A sentence for every finding that says what to do, and the remedy as a code for a button."""

from __future__ import annotations

from pipeline.editions.findings.finding import Finding

_SENTENCES = {
    # subject and preview line
    "empty_subject": "The subject is empty. Write one.",
    "long_subject": "The subject is {length} characters long. Gmail shows “{gmail}”, a phone “{phone}”. Shorten it, or put what matters first.",
    "repeated_subject": "The subject was used in the last days: “{subject}”. Write another, or mailboxes thread the two together.",
    "empty_preheader": "There is no preview line; mailboxes will show the first words they find. Write one.",
    "repeated_preheader": "The preview line says what the subject says. Use it for the next story.",
    # stories
    "no_items": "There is no story in this edition. Place one, or skip the edition.",
    "empty_block": "The block “{block}” is empty. Place a story in it, or leave it out.",
    "short_block": "The block “{block}” found {found} of {minimum} stories. Add to it, or send it short.",
    "empty_headline": "Story {position} of the block “{block}” has no headline. Write one.",
    "killed_item": "“{headline}” has been killed and must not be sent. Take it out.",
    "embargoed_item": "“{headline}” is still under embargo. Take it out, or release it.",
    "changed_item": "The site has changed “{headline}” since an editor rewrote it here. Take the new words, or keep these.",
    "repeated_item": "“{headline}” appears more than once. Take one out.",
    "one_event": "“{headline}” and “{other}” seem to tell of one event. Keep both only if they differ.",
    "repeated_byline": "{author} stands over “{headline}” and over “{other}”. Move one, if that is not meant.",
    # addresses
    "no_address": "“{headline}” leads nowhere: its address is not a web address. Correct it.",
    "dead_link": "“{headline}” leads to a page that does not answer: {said}. Open it, then correct or take it out.",
    "lookalike_address": "“{headline}” leads to {shown} ({host}), whose letters are made to look like others. Make sure it is the right site.",
    # pictures
    "no_alt": "{count} of the pictures have no alternative text at all. Give each an alt, empty where it only decorates.",
    "picture_without_words": "The picture of “{headline}” is not described; readers who cannot see it will not know it is there. Describe it.",
    "heavy_picture": "The picture of “{headline}” weighs {size}. Use one under {limit} KB, or phones will wait for it.",
    "missing_picture": "The picture of “{headline}” does not come: {said}. Choose another.",
    "repeated_picture": "“{headline}” shows the same picture as “{other}”. Choose another for one of them.",
    # the letter
    "no_way_to_leave": "The {part} has no unsubscribe link. Put one in the footer.",
    "no_postal_address": "The publisher's postal address is missing; the law of most countries asks for one. Write it in the newsletter's settings.",
    "broken_template": "The design cannot be used: {said}",
    "design_warning": "The newsletter's own design: {said}",
    "too_large": "The HTML is {kilobytes} KB; Gmail would clip it, and the unsubscribe link with it. Take stories out until it is under {limit} KB.",
    "nearly_too_large": "The HTML is {kilobytes} KB; Gmail clips at about 102 KB. Take a story or two out.",
    "unresolved_mark": "The {part} still holds a template mark: {mark}. Correct the design.",
    "mark_in_content": "A story or the subject holds what looks like a template mark: {mark}. Make sure it is meant.",
    "low_contrast": "“{text}” is {colour} on {ground}, a contrast of {ratio} {mode}. Choose colours with {limit} or more.",
    "accent_changed": "The accent {accent} cannot be read on this paper; it is printed as {printed}. Choose a darker one to keep control.",
    "unsupported": "{feature} is not shown by {clients}. Use something else, or make sure nothing is lost.",
}  # fmt: skip

#: What a button beside the finding does.
_FIXES = {
    "empty_subject": "write_subject",
    "long_subject": "write_subject",
    "repeated_subject": "write_subject",
    "empty_preheader": "write_preheader",
    "repeated_preheader": "write_preheader",
    "no_items": "place_story",
    "empty_block": "place_story",
    "short_block": "place_story",
    "empty_headline": "write_headline",
    "killed_item": "take_out",
    "embargoed_item": "take_out",
    "changed_item": "compare_with_site",
    "repeated_item": "take_out",
    "one_event": "take_out",
    "repeated_byline": "move_story",
    "no_address": "write_address",
    "dead_link": "open_link",
    "lookalike_address": "open_link",
    "no_alt": "open_design",
    "picture_without_words": "describe_picture",
    "heavy_picture": "choose_picture",
    "missing_picture": "choose_picture",
    "repeated_picture": "choose_picture",
    "no_way_to_leave": "open_design",
    "no_postal_address": "open_settings",
    "broken_template": "open_design",
    "design_warning": "open_design",
    "too_large": "take_out",
    "nearly_too_large": "take_out",
    "unresolved_mark": "open_design",
    "mark_in_content": "show_text",
    "low_contrast": "choose_colours",
    "accent_changed": "choose_colours",
    "unsupported": "open_design",
}

#: Said of the same thing many times over, these would bury the rest: how many of each are listed.
MOST_OF_ONE_CODE = 12


def sentence(finding: Finding) -> str:
    """The finding in English, with what to do about it."""
    return _SENTENCES[finding.code].format(**finding.params)


def fix_of(finding: Finding) -> str:
    """What a button beside the finding should do, as a code."""
    return _FIXES[finding.code]
