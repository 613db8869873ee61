"""How a reply asks back instead of answering, in the languages most models speak.

Only a short reply can. It asks what is meant, or for what is missing; an offer of more at the end of an answer ("let me
know if …", "would you like me to …") asks for nothing.
"""

from __future__ import annotations

import re

from ditto.domain.merging import sentences
from ditto.domain.merging.cues import Hints

_LONGEST_WORDS = 120
_CHARS_PER_WORD = 12
_LEADING_SENTENCES = 2
_OFFERS = re.compile(
    r"\b(?:let me know|feel free|tell me|please ask|reach out|contact)\b[^.?!]{0,40}\b(?:if|any|anything|else"
    r"|questions?|further)\b"
    r"|\b(?:would you like|do you want|shall I|should I|can I help|may I|is there anything)\b"
    r"|\b(?:möchten sie|möchtest du|soll ich|voulez-vous|souhaitez-vous|quieres que|¿te gustaría|vuoi che|quer "
    r"que|wilt u"
    r"|хотите)\b|还有什么|需要我",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\b(?:would you like|do you want)\b[^.?!]{0,60}(?:\bwhich\b|\bor\b)|\b(?:what|which|how)\b[^.?!]{0,60}\bwould "
    r"you like\b",
    re.I,
)
_ASKS_BACK = re.compile(
    "|".join(
        (
            r"\b(?:could|can|would|will) you (?:please |kindly )?(?:\w+ )?(?:clarify|specify|provide|share|send"
            r"|tell me|give (?:me )?|elaborate|explain (?:what|which)|let me know|be more specific|rephrase|confirm)",
            r"\b(?:please|kindly) (?:clarify|specify|provide|share|tell me|let me know|be more specific|rephrase"
            r"|confirm|give me|upload|paste|send)",
            r"\b(?:I|we)(?:'ll|'d|’d| will| would| also)? (?:first )?need(?: to know| a (?:bit|little))? ?(?:some "
            r"|what |which |the |your )?"
            r"(?:more|additional|further)? ?(?:information|details?|context|specifics|size|name|text|data|file)\b",
            r"\bI(?:'d|’d| would) need to know\b",
            r"\b(?:what|which|who|where|how)\b[^.?!]{0,80}\b(?:do you mean|are you (?:referring|asking|talking"
            r"|looking|interested)"
            r"|did you mean|would you like|do you need|you (?:mean|meant))\b",
            r"\bdo you (?:mean|refer)\b|\bare you (?:asking|referring|talking)\b",
            r"\b(?:it's|it is|your (?:question|request|message) (?:is|seems|appears)) (?:\w+ )?(?:unclear"
            r"|ambiguous|not clear"
            r"|incomplete|cut off|too vague)\b",
            r"\bI(?:'m| am) not (?:quite |entirely )?(?:sure|certain) (?:what|which|who) (?:you|exactly)\b",
            r"\b(?:könnten|können|kannst|könntest) (?:sie|du)\b[^.?!]{0,40}\b(?:genauer|präzis\w*|klarstell\w*"
            r"|erläuter\w*|mehr|angeben"
            r"|sagen|mitteilen)",
            r"\b(?:meinst|meinen) (?:du|sie)\b|\bwas genau meinen\b|\bbitte (?:geben|nennen|präzisieren"
            r"|spezifizieren|teilen) sie\b",
            r"\b(?:pourriez|pouvez|peux|pourrais)-(?:vous|tu)\b[^.?!]{0,40}\b(?:précis\w*|clarifi\w*|donner"
            r"|fournir|indiquer|dire)",
            r"\b(?:parlez-vous|parles-tu|voulez-vous dire|veux-tu dire|faites-vous référence)\b|\bveuillez "
            r"(?:préciser|fournir|indiquer)",
            r"\b(?:podrías?|puedes?|podría)\b[^.?!]{0,30}\b(?:aclar\w*|especific\w*|dar|proporcion\w*|decir)|\bte "
            r"refieres\b|\bse refiere\?"
            r"|\bpor favor,? (?:aclar|especific|proporcion|indi)",
            r"\b(?:potresti|puoi|potrebbe)\b[^.?!]{0,30}\b(?:specific\w*|chiari\w*|precis\w*|fornir\w*|dir\w*)"
            r"|\b(?:intendi|ti riferisci|intende)\b[^.!]{0,40}\?",
            r"\b(?:poderia|pode|podes)\b[^.?!]{0,30}\b(?:esclarec\w*|especific\w*|fornec\w*|dizer|informar)"
            r"|\b(?:se refere|quer dizer)\b[^.!]{0,40}\?",
            r"\b(?:kunt|kun|zou) (?:u|je)\b[^.?!]{0,30}\b(?:verduidelijk\w*|specific\w*|aangeven|toelicht\w*"
            r"|geven)|\b(?:bedoelt u|bedoel je)\b",
            r"\b(?:czy )?(?:możesz|może pan|mógłbyś|mogłabyś)\b[^.?!]{0,30}\b(?:doprecyz\w*|wyjaśni\w*|poda\w*"
            r"|określi\w*)|\bco masz na myśli\b",
            r"\b(?:не могли бы вы|можете|могли бы вы)\b[^.?!]{0,30}(?:уточн|поясн|указа|предостав|рассказ)|\bуточните\b"
            r"|\bчто (?:именно )?вы имеете в виду|\bвы имеете в виду",
            r"(?:请问|請問)?(?:您|你)(?:指的?是|想问|想問|是指|具体|能否|能不能|可以|能)[^。]{0,30}(?:哪|什么|什麼|吗|嗎|说明|說明|提供)|请(?:提供|说明|具体|澄清"
            r"|明确)|請(?:提供|說明)",
            r"(?:どの|どちらの|何の|どういう)[^。]{0,20}(?:こと|もの|意味)(?:でしょうか|ですか)|(?:詳しく|具体的に|もう少し)[^。]{0,20}(?:教えて|いただけ|ください)",
            r"(?:말씀하시는|의미하시는|원하시는)[^.]{0,15}(?:가요|까요|나요"
            r"|건가)|(?:구체적으로|자세히|더) ?(?:알려|말씀|설명)",
        )
    ),
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\?|？|\b(?:sure|happy|glad|sorry|unclear|ambiguous|not sure|need|several|multiple|many|more (?:information"
    r"|context|details)"
    r"|depends|looks like|seems|appears|cut off|incomplete|help|question|request|please|gerne|helfen|bitte"
    r"|mehrere|avec plaisir"
    r"|plusieurs|claro|con gusto|varios|certo|volentieri|diversi|claro|vários|graag|meerdere|kilka|chętnie"
    r"|несколько|конечно)\b"
    r"|好的|当然|可以|有多|複数|もちろん|여러|물론",
    re.IGNORECASE,
)


_HINTS = Hints(
    "?", "？", "please", "kindly", "need", "unclear", "ambiguous", "not clear", "incomplete", "cut off",
    "vague", "not sure", "not certain", "not quite", "not entirely", "you mean", "you refer", "bitte",
    "veuillez", "por favor", "уточни", "请", "請", "您", "你", "でしょうか", "ください", "いただけ", "까요",
    "가요", "나요", "알려", "말씀", "설명",
)  # fmt: skip
"""Whoever asks back uses one of these; the patterns need not be tried where none stands."""


def asks_back(text: str) -> bool:
    """Tells whether a reply asks back."""
    if len(text) > _LONGEST_WORDS * _CHARS_PER_WORD or len(text.split()) > _LONGEST_WORDS:
        return False
    plain = text.replace("’", "'")
    if not _HINTS.are_in(plain):
        return False
    said = sentences.of(plain)
    for at, sentence in enumerate(said):
        if not _HINTS.are_in(sentence) or not _ASKS_BACK.search(sentence):
            continue
        if not _OFFERS.search(sentence) or _WANTS.search(sentence):
            return at == 0 or all(_LEAD.search(each) for each in said[:at][:_LEADING_SENTENCES])
    return False
