"""Yes or no by cue words: is this urgent, is it spam, is it positive, is 91 prime, does it mention Monday."""

from __future__ import annotations

import re

from ditto.sim.arithmetic import evaluated, solved
from ditto.sim.facts import confirmed
from ditto.sim.finding import Finding, Kind
from ditto.sim.reading import Task, words

_ASKS = re.compile(
    r"^(?:is|are|was|were|am|does|do|did|can|could|should|has|have|had|will|would|must|may|isn't|aren't|doesn't|don't)\b"
    r"|\byes or no\b|\byes/no\b|\btrue or false\b|\bwhether\b",
    re.I,
)
_TOPICS: dict[str, tuple[str, str, str]] = {
    r"urgent|urgency|asap|time[- ]critical|high[- ]priority|important": (
        r"\basap\b|\burgent\w*|\bimmediately\b|right away|\bbefore (?:noon|midnight|lunch|\d|the end|tomorrow|monday|tuesday"
        r"|wednesday|thursday|friday)|\bby (?:noon|tonight|tomorrow|today|eod|end of (?:the )?day|cob|\d|monday|tuesday"
        r"|wednesday|thursday|friday)|\btoday\b|\btonight\b|within (?:the|an|\d+|one|two) ?(?:next )?(?:hours?|minutes?)?"
        r"|\bdeadline\b|\bdown\b|\boutage\b|\bemergency\b|as soon as possible|\bcritical\b|\boverdue\b|\bright now\b",
        r"\bno rush\b|no hurry|whenever (?:you|it)|not urgent|at your (?:leisure|convenience)|when you (?:have|get) (?:a|some)"
        r" (?:time|moment|chance)|next (?:month|year|quarter)|\bfyi\b|can wait|take your time|just to let you know",
        "sets a deadline",
    ),
    r"spam|phishing|scam|fraud\w*|suspicious": (
        r"\bwinner\b|\bwon\b|lottery|click (?:here|below|this)|verify your (?:account|identity)|free money|\bprize\b"
        r"|act now|limited offer|wire transfer|gift cards?|password|bitcoin|inheritance|100% free|suspended",
        r"\bmeeting\b|\bregards\b|\binvoice\b|\bagenda\b|\bcolleague",
        "is typical of spam",
    ),
    r"positive|happy|satisfied|pleased|recommend\w*|like[ds]?|praise\w*": (
        r"\bgreat\b|\bexcellent\b|\blove[ds]?\b|\bamazing\b|\bgood\b|\bhappy\b|\bperfect\w*|\bwonderful\b|\bfantastic\b"
        r"|\brecommend\b|\bbest\b|\bpleased\b|\bthank(?:s| you)\b|\bdelight\w*|\bworks well\b",
        r"\bbad\b|\bterrible\b|\bawful\b|\bhate[ds]?\b|\bworst\b|\bpoor\b|\bbroken\b|\bdisappoint\w*|\brefund\b|\bnever again\b"
        r"|\bnot (?:good|great|happy|recommend|work\w*)\b|\bslow\b|\bdoesn't work\b",
        "is praise",
    ),
    r"negative|unhappy|angry|complain\w*|complaint|upset|dissatisfied": (
        r"\bbad\b|\bterrible\b|\bawful\b|\bhate[ds]?\b|\bworst\b|\bpoor\b|\bbroken\b|\bdisappoint\w*|\brefund\b|\bnever again\b"
        r"|\bangry\b|\bunacceptable\b|\bcomplain\w*|\bnot (?:good|great|happy|recommend|work\w*)\b|\bdoesn't work\b|\blate\b",
        r"\bgreat\b|\bexcellent\b|\blove[ds]?\b|\bamazing\b|\bhappy\b|\bperfect\w*|\bwonderful\b|\bfantastic\b|\bthank(?:s| you)\b",
        "is a complaint",
    ),
}
_STOP = frozenset(
    "is are was were am does do did can could should has have had will would must may the a an this that these those it its"
    " of in on at to for and or not with by from yes no true false text email message review sentence letter mail following"
    " mention mentions mentioned contain contains say says word about be any there answer reply only please".split()
)
_COMPARISON = re.compile(
    r"(-?\d[\d.,]*)\s*(?:is\s+)?(greater|larger|bigger|more|higher|less|smaller|lower|fewer|equal|>=|<=|>|<|=)"
    r"\s*(?:than|to)?\s*(?:or equal to\s*)?(-?\d[\d.,]*)",
    re.I,
)


def judged(task: Task) -> Finding | None:
    """Returns yes or no with the words it rests on; None where the instruction asks no such thing."""
    if not _ASKS.search(task.instruction.strip()):
        return None
    return _of_fact(task.instruction) or _of_numbers(task.instruction) or _of_topic(task.instruction, task.material) or _of_mention(task)


def is_asked(instruction: str) -> bool:
    """Returns whether an instruction can be answered by yes or no."""
    return _ASKS.search(instruction.strip()) is not None


def topic_holds(topic: str, text: str) -> tuple[bool, str] | None:
    """Returns whether a text is urgent, spam, positive or negative, and the words that say so; None for other topics."""
    for name, (cues, counter_cues, _) in _TOPICS.items():
        if re.search(rf"\b(?:{name})\b", topic, re.I):
            against = re.findall(counter_cues, text, re.I)
            without = re.sub(counter_cues, " ", text, flags=re.I)
            favour = re.findall(cues, without, re.I)
            quoted = ", ".join(f"“{cue.strip()}”" for cue in dict.fromkeys(favour if len(favour) > len(against) else against))
            return len(favour) > len(against), quoted
    return None


def _answer(holds: bool, ground: str, doubt: str) -> Finding:
    answer, other = ("yes", "no") if holds else ("no", "yes")
    return Finding(kind=Kind.YES_NO, answer=answer, ground=ground, doubt=doubt, others=(other,))


def _of_fact(instruction: str) -> Finding | None:
    known = confirmed(instruction)
    return _answer(known[0], known[1][0].lower() + known[1][1:], "the two are easily confused") if known else None


def _of_topic(instruction: str, material: str) -> Finding | None:
    for name, (_, _, effect) in _TOPICS.items():
        if not re.search(rf"\b(?:{name})\b", instruction, re.I):
            continue
        if not material:
            return Finding(
                kind=Kind.SPOKEN,
                answer="Which text do you mean? Please send it along with the question.",
                unsure=True,
            )
        holds, quoted = topic_holds(instruction, material) or (False, "")
        nothing, something = f"nothing in it {effect}", f"a part of it {effect}"
        if holds:
            return _answer(True, f"it says {quoted}, which {effect}", nothing)
        return _answer(False, f"it says {quoted}" if quoted else nothing, something)
    return None


def _of_numbers(instruction: str) -> Finding | None:
    compared = _COMPARISON.search(instruction)
    if compared is not None:
        left, right = (float(compared[group].strip(".,").replace(",", "")) for group in (1, 3))
        word = compared[2].lower()
        above = word in {"greater", "larger", "bigger", "more", "higher", ">", ">="}
        below = word in {"less", "smaller", "lower", "fewer", "<", "<="}
        equal_counts = word in {"equal", "=", ">=", "<="} or "or equal" in instruction
        holds = (above and left > right) or (below and left < right) or (equal_counts and left == right)
        order = "is greater than" if left > right else "is less than" if left < right else "equals"
        return _answer(holds, f"{left:g} {order} {right:g}", "the two are easily confused")
    prime = re.search(r"(\d{1,12})\s+(?:a\s+|an\s+)?(prime|even|odd)", instruction, re.I)
    if prime is not None:
        return _of_number(int(prime[1]), prime[2].lower())
    return _of_equation(instruction)


def _of_equation(instruction: str) -> Finding | None:
    equation = re.search(r"(.+?)(?:=|\bequal to\b|\bequals?\b)\s*(-?\d[\d.,]*)", instruction, re.I)
    found = solved(equation[1]) if equation is not None else None
    if equation is None or found is None:
        return None
    value = evaluated(equation[2].strip(".,"))
    return _answer(value == found[1], f"{found[0]} is {found[1]}", "it comes out differently")


def _of_number(number: int, property_: str) -> Finding:
    if property_ != "prime":
        holds = (number % 2 == 0) == (property_ == "even")
        return _answer(holds, f"{number} divided by 2 leaves {number % 2}", "one can count it the other way")
    divisor = next((d for d in range(2, min(int(number**0.5), 1_000_000) + 1) if number % d == 0), None)
    if number < 2 or divisor is not None:
        why = f"{number} is {divisor} times {number // divisor}" if divisor else f"{number} is below 2"
        return _answer(False, why, "no small number divides it")
    return _answer(True, f"no number from 2 to its root divides {number}", "it looks divisible")


def _of_mention(task: Task) -> Finding:
    wanted = [word for word in words(task.instruction) if word not in _STOP]
    if not task.material or not wanted:
        return Finding(
            kind=Kind.SPOKEN, answer="I cannot tell that. Which text should I look at?", unsure=True
        )
    there = set(words(task.material))
    stems = {word[:5] for word in there}
    hits = [word for word in wanted if word in there or word[:5] in stems]
    holds = 2 * len(hits) >= len(wanted)
    found = ", ".join(f"“{word}”" for word in hits[:4])
    missing = ", ".join(f"“{word}”" for word in wanted if word not in hits[:4])
    if holds:
        return _answer(True, f"the text speaks of {found}", "that is not what it is about")
    return _answer(False, f"the text does not speak of {missing}", "one can read it between the lines")
