r"""Where a reply marks its final answer: a JSON `answer`, `\boxed{}`, `####`, "the answer is …", a bold last line.

Where a reply commits several times, its first commitment counts: models that run on answer other questions after it.
Only a reply that takes its word back in between ("wait", "correction") is held to its last one.
"""

from __future__ import annotations

import json
import re

from ditto.domain.spec import JSON

_NAMES = (
    r"(?:the[_ ])?(?:final[_ ]?|correct[_ ]?|short[_ ]?)?(?:answer|antwort|réponse|respuesta"
    r"|risposta|resposta|答案|答え"
    r"|ответ)"
)
_FIELD = re.compile(rf"""["']{_NAMES}["']\s*:\s*""", re.IGNORECASE)
_OTHER_FIELD = re.compile(
    r"""["'](?:result|solution|output|value|prediction|label|choice|verdict)["']\s*:\s*""", re.IGNORECASE
)
_REASONING = r"(?:reasoning|explanation|thoughts?|steps?|analysis|rationale|chain_of_thought|thinking|work|working)"
_REASONED = re.compile(rf"""\{{\s*["']{_REASONING}["']\s*:""", re.IGNORECASE)
_IS_REASONED = re.compile(rf"""\A[^{{]{{0,200}}{_REASONED.pattern}""", re.IGNORECASE)
_IS_REASONING = re.compile(rf"{_REASONING}\Z", re.IGNORECASE)
_AFTER_FIELD = re.compile(r"""\s*(?:,\s*["'}]|\}|```|\Z)""")
_DAMAGED = re.compile(r"""(.*?)\s*(?:\}\s*)?(?:```|\Z)""", re.DOTALL)
_DAMAGED_CHARS = 5_000
_PYTHON_STRING = re.compile(r"'((?:[^'\\\n]|\\.)*)'")
_LATEX_IN_JSON = re.compile(
    r"(?<!\\)\\(?=(?:[dt]?frac|text|times|theta|tan|tau|to|boxed|beta|bar|binom|begin|big|nabla|neq?|nu|not|right"
    r"|rho|forall"
    r"|sqrt|pi|cdot|left|infty|cup|cap|in|le|ge|leq|geq|sin|cos|log|ln|pm|circ|alpha|gamma|delta|lambda|mu|sigma"
    r"|omega|mathbb"
    r"|mathrm|mathbf|end|quad|approx|angle|triangle|overline|langle|rangle|lfloor|rfloor|emptyset|div|sum|prod|int|lim)"
    r"(?![A-Za-z])|[%{}()\[\]!,;:|])"
)
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{|<\|begin_of_box\|>")
_BOXES = 8
_BOX_CHARS = 2000
_TAGGED = re.compile(r"<((?:final_?)?answer|result|solution)>\s*([^<]{1,2000}?)\s*</\1>", re.IGNORECASE)
_HASHES = re.compile(r"^####[ \t]*(\S.*)$", re.MULTILINE)
_AFTER = r"[ \t]*(?:\*\*|__)?\s*(?=(?P<said>[^\n]{1,2000}))"
_MARK = (
    r"(?:[ \t](?:final|finale|definitiva|correct[ae]?|corretta|correta))?[ \t]*(?:\*\*|__)?(?:[ \t]*[:：](?![:=])"
    r"|[ \t][-–—](?=[ \t]))"
)


def _says(nouns: str, verbs: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """Returns the words for an answer, and what makes "the answer is …" of one."""
    pattern = rf"(?:{nouns})(?:(?:[ \t]\w+){{0,4}}?[ \t](?:{verbs})(?![\w'’])[ \t]*[:=]?|{_MARK})"
    return tuple(nouns.split("|")), re.compile(pattern + _AFTER, re.IGNORECASE)


_HEADING = r"[ \t]*(?:\*\*|__)?[ \t]*\n+(?=[ \t]*(?:\S[^\n]{0,80}(?:\n|\Z)))"
_SAYS = (
    _says("answer|choice|option|solution", "is that|would be that|is|are|would be|must be|should be|was"),
    (("answer",), re.compile("answer" + _HEADING + _AFTER, re.IGNORECASE)),
    _says("antwort|lösung|ergebnis", "ist|lautet|wäre|sind"),
    _says("réponse|solution|résultat", "est|sont|serait"),
    _says("respuesta|solución|resultado", "es|son|sería"),
    _says("risposta|soluzione|risultato", "è|sono|sarebbe"),
    _says("resposta|solução|resultado", "é|são|seria"),
    _says("antwoord|oplossing", "is|luidt"),
    _says("odpowiedź|odpowiedz|wynik", "to|brzmi|wynosi"),
    _says("svaret|svar", "är"),
    _says("ответом|ответ", "это|является|будет|равен|—|–"),
    (
        ("答案", "答え", "回答", "正解", "解答", "정답", "답은", "답변"),
        re.compile(
            r"(?:答案|答え|回答|正解|解答|정답|답|답변)(?:选项)?[ \t]*"
            r"(?:(?:是|为|為|は、?|应为|应该是|은|는)[ \t]*[:：]?|[:：])" + _AFTER
        ),
    ),
)
_SAYS_ASCII = tuple((own, pattern) for nouns, pattern in _SAYS if (own := tuple(filter(str.isascii, nouns))))
"""What of it can stand in a text in ASCII."""

_DENIED = re.compile(r"(?:not|n't|nicht|pas|no|non|não|niet|nie|не)\b(?!\s*[.,!]|\s*$)", re.IGNORECASE)
_OPTION = re.compile(r"[\s(*][A-Z][)*]*\s")
_JUDGED = re.compile(
    r"(?:in)?(?:correct|right|wrong|false|true|best|richtig|falsch|correcte?|correct[ao]|corrett[ao])\b", re.I
)
_COPULA = re.compile(r"(?:です|である|だ|입니다|이다)$")
_TAKES_BACK = re.compile(
    r"\b(?:wait|actually|correction|scratch that|on second thought|I made (?:a|an) (?:\w+ )?(?:mistake|error)"
    r"|let me (?:re|double)|let's re|moment mal|korrektur|attends|en fait|espera|corrección|aspetta|подожди)",
    re.IGNORECASE,
)
_BOLD = re.compile(r"(?<!\w)(?:\*\*|__)(?=\S)([^*_\n]+?)(?<=\S)(?:\*\*|__)(?![^\W_])")
_SENTENCE_END = re.compile(r"(?<=[^\d\s][.!?])\s|(?<=\d[.!?])\s+(?=[A-Z])|。|\*\*|__")
_INITIAL = re.compile(r"(?:^|[\s.])(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Jr|Sr|Prof|Mt|vs|No|U\.S|a\.m|p\.m)\.$")


def of(text: str) -> list[JSON]:
    """Returns the answers that a reply marks as final, the most trusted mark first; nothing where it marks none."""
    found: list[JSON] = []
    if '"' in text or "'" in text:
        found.extend(_fields(text))
    if "\\" in text or "<|" in text:
        found.extend(_boxed(text))
    if "</" in text:
        found.extend(match[2] for match in list(_TAGGED.finditer(text))[-1:])
    hashes = _HASHES.findall(text)
    if hashes and not (len(hashes) > 1 and _heading(hashes[-1])):
        found.append(hashes[-1].strip())
    said = _said(text)
    if said is not None:
        found.append(said)
    return found


def emphasised(text: str) -> list[JSON]:
    """Returns what a reply makes stand out last in its last line: its answer, if it marks none in words."""
    if "**" not in text and "__" not in text:
        return []
    return [bold.strip() for bold in _BOLD.findall(text.rstrip().rsplit("\n", 1)[-1])[-1:]]


def _heading(text: str) -> bool:
    return len(text.split()) > 3


def reasons_only(text: str) -> bool:
    """Tells whether a reply is JSON whose fields hold its reasoning, and no answer that can be made out."""
    return _IS_REASONED.match(text) is not None and not _fields(text)


def _fields(text: str) -> list[JSON]:
    matches = list(_FIELD.finditer(text))
    reasoned = _REASONED.search(text) if not matches else None
    if reasoned is not None:
        matches = list(_OTHER_FIELD.finditer(text, reasoned.end()))
        if not matches:
            return _left_over(text, reasoned.start())
    return [_field(text, matches[-1].end())] if matches and "{" in text[: matches[-1].start()] else []


def _left_over(text: str, start: int) -> list[JSON]:
    """Returns what an object holds beside its reasoning."""
    try:
        value = json.JSONDecoder(strict=False).raw_decode(text, start)[0]
    except (ValueError, RecursionError):
        return []
    left = {name: each for name, each in value.items() if not _IS_REASONING.match(name)}
    return [next(iter(left.values())) if len(left) == 1 else left] if left else []


def _field(text: str, start: int) -> JSON:
    if "\\" in text[start:]:
        text = text[:start] + _LATEX_IN_JSON.sub(r"\\\\", text[start:])
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        pass
    else:
        if _AFTER_FIELD.match(text, end):
            return value
    quoted = _PYTHON_STRING.match(text, start)
    if quoted and _AFTER_FIELD.match(text, quoted.end()):
        return quoted[1]
    damaged = _DAMAGED.match(text[start : start + _DAMAGED_CHARS])
    rest = damaged[1].strip().rstrip(",") if damaged else ""
    if len(rest) >= 2 and rest[0] == rest[-1] and rest[0] in "\"'":
        rest = rest[1:-1]
    return rest


def _boxed(text: str) -> list[JSON]:
    """Returns what the last box that is closed holds; of boxes in boxes only so many are tried."""
    for opened in reversed(list(_BOXED.finditer(text))[-_BOXES:]):
        start = opened.end()
        if opened[0].startswith("<"):
            inside, closed, _ = text[start : start + _BOX_CHARS].partition("<|end_of_box|>")
            if closed:
                return [inside.strip()]
            continue
        depth, position = 1, start
        while position < min(len(text), start + _BOX_CHARS) and depth:
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
        if not depth:
            return [text[start : position - 1].strip()]
    return []


def _said(text: str) -> str | None:
    matches = _marks(text)
    if not matches:
        return None
    chosen = matches[0]
    if len(matches) > 1 and _TAKES_BACK.search(text, chosen.end(), matches[-1].start()):
        chosen = matches[-1]
    said = _first_sentence(chosen["said"].strip()).strip().rstrip(".").strip()
    return _COPULA.sub("", said).strip() or None


def _marks(text: str) -> list[re.Match[str]]:
    """Returns every place where a reply says what its answer is, in order."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    found: dict[int, re.Match[str]] = {}
    for nouns, pattern in _SAYS_ASCII if lowered.isascii() else _SAYS:
        for noun in nouns:
            at = lowered.find(noun)
            while at >= 0:
                own = noun[0] >= "\u2e80" or not text[at - 1 : at].isalnum()
                match = pattern.match(text, at) if own else None
                if match is not None and _commits(match):
                    found.setdefault(match.start("said"), match)
                at = lowered.find(noun, at + len(noun))
    return [found[at] for at in sorted(found)]


def _commits(match: re.Match[str]) -> bool:
    """Tells whether a mark is followed by an answer: not a denial, a code fence, or a judgement of option B."""
    said = match["said"].lstrip()
    return not (said.startswith("```") or _DENIED.match(said) or (_OPTION.search(match[0]) and _JUDGED.match(said)))


def _first_sentence(said: str) -> str:
    """Returns a text up to where its first sentence ends; initials and titles end none."""
    for end in _SENTENCE_END.finditer(said):
        if not _INITIAL.search(said[: end.start()]):
            return said[: end.start()]
    return said
