"""The cue words by which a text is called urgent, spam, positive or negative."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TIMES = r"""(?:
    noon | midnight | lunch | tonight | today | tomorrow | eod | cob | \d | (?:the\ )?end\ of
    | monday | tuesday | wednesday | thursday | friday
)"""
_URGENT = rf"""
    \basap\b | \burgent\w* | \bimmediately\b | right\ away | right\ now | as\ soon\ as\ possible
    | \b(?:before|by)\ {_TIMES} | \btoday\b | \btonight\b
    | within\ (?:the|an|one|two|\d+)\ (?:next\ )?(?:hours?|minutes?)
    | \bdeadline\b | \bis\ down\b | \boutage\b | \bemergency\b | \bcritical\b | \boverdue\b
"""
_CALM = r"""
    \bno\ rush\b | no\ hurry | whenever\ (?:you|it) | not\ urgent | at\ your\ (?:leisure|convenience) | \bfyi\b
    | when\ you\ (?:have|get)\ (?:a|some)\ (?:time|moment|chance) | next\ (?:month|year|quarter) | can\ wait
    | take\ your\ time | just\ to\ let\ you\ know
"""
_SPAM = r"""
    \bwinner\b | \bwon\b | lottery | click\ (?:here|below|this) | verify\ your\ (?:account|identity) | free\ money
    | \bprize\b | act\ now | limited\ offer | wire\ transfer | gift\ cards? | password | bitcoin | inheritance
    | 100%\ free | suspended
"""
_ORDINARY = r"\bmeeting\b | \bregards\b | \binvoice\b | \bagenda\b | \bcolleague"
_PRAISE = r"""
    \bgreat\b | \bexcellent\b | \blove[ds]?\b | \bamazing\b | \bgood\b | \bhappy\b | \bperfect\w* | \bwonderful\b
    | \bfantastic\b | \brecommend\b | \bbest\b | \bpleased\b | \bthank(?:s|\ you)\b | \bdelight\w* | \bworks\ well\b
"""
_BLAME = r"""
    \bbad\b | \bterrible\b | \bawful\b | \bhate[ds]?\b | \bworst\b | \bpoor\b | \bbroken?\b | \bbroke\b | \bangry\b
    | \bdisappoint\w* | \brefund\b | \bnever\ again\b | \bunacceptable\b | \bcomplain\w* | \bdoesn't\ work\b | \bslow\b
    | \bnot\ (?:good|great|happy|recommend|work\w*)\b
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a text may be.

    Attributes:
        name: The words by which it is asked for.
        cues: Speak for it.
        counter_cues: Speak against it, and are looked for first ("not good" is not "good").
        effect: What a cue does, as a clause.
    """

    name: re.Pattern[str]
    cues: re.Pattern[str]
    counter_cues: re.Pattern[str]
    effect: str


def _topic(names: str, cues: str, counter_cues: str, effect: str) -> Topic:
    return Topic(
        name=re.compile(rf"\b(?:{names})\b", re.I),
        cues=re.compile(cues, re.I | re.X),
        counter_cues=re.compile(counter_cues, re.I | re.X),
        effect=effect,
    )


_TOPICS = (
    _topic("urgent|urgency|asap|time[- ]critical|high[- ]priority|important", _URGENT, _CALM, "sets a deadline"),
    _topic(r"spam|phishing|scam|fraud\w*|suspicious", _SPAM, _ORDINARY, "is typical of spam"),
    _topic(r"positive|happy|satisfied|pleased|recommend\w*|like[ds]?|praise\w*", _PRAISE, _BLAME, "is praise"),
    _topic(r"negative|unhappy|angry|complain\w*|complaint|upset|dissatisfied", _BLAME, _PRAISE, "is a complaint"),
)


def topic_of(words: str) -> Topic | None:
    """Returns the topic that these words name."""
    return next((topic for topic in _TOPICS if topic.name.search(words)), None)


def weighed(topic: Topic, text: str) -> tuple[bool, str]:
    """Returns whether the topic holds for a text, and the words that decide it, quoted."""
    against = topic.counter_cues.findall(text)
    favour = topic.cues.findall(topic.counter_cues.sub(" ", text))
    holds = len(favour) > len(against)
    deciding = dict.fromkeys(cue.strip() for cue in (favour if holds else against))
    return holds, ", ".join(f"“{cue}”" for cue in deciding)
