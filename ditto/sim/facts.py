"""A dozen capitals and a few other facts: enough to ask a panel something that is right or wrong."""

from __future__ import annotations

import re

from ditto.sim.finding import Finding, Kind

CAPITALS: dict[str, str] = {
    "France": "Paris",
    "Germany": "Berlin",
    "Italy": "Rome",
    "Spain": "Madrid",
    "Portugal": "Lisbon",
    "Japan": "Tokyo",
    "Australia": "Canberra",
    "Canada": "Ottawa",
    "Brazil": "Brasília",
    "Egypt": "Cairo",
    "India": "New Delhi",
    "China": "Beijing",
    "Switzerland": "Bern",
}
_TAKEN_FOR = {
    "Australia": "Sydney",
    "Canada": "Toronto",
    "Brazil": "Rio de Janeiro",
    "India": "Mumbai",
    "China": "Shanghai",
    "Switzerland": "Zurich",
}
_FACTS: dict[str, tuple[str, str, str]] = {
    r"largest planet|biggest planet": ("The largest planet is", "Jupiter", "Saturn"),
    r"closest planet to the sun|planet (?:is )?closest to the sun": (
        "The planet closest to the sun is",
        "Mercury",
        "Venus",
    ),
    r"speed of light": ("The speed of light in a vacuum is", "299792458 m/s", "300000 m/s"),
    r"boiling point of water|water boil": ("At sea level water boils at", "100 °C", "90 °C"),
    r"symbol (?:for|of) gold": ("The chemical symbol of gold is", "Au", "Ag"),
    r"how many continents": ("The number of continents is", "7", "6"),
    r"how many days (?:are )?in a leap year": ("The number of days in a leap year is", "366", "365"),
    r"who wrote hamlet|author of hamlet": ("Hamlet was written by", "William Shakespeare", "Christopher Marlowe"),
}
_CAPITAL = re.compile(r"[Cc]apital(?: city)? of (?:the )?([A-Z]\w+)|([A-Z]\w+)['’]s capital")


def known(question: str) -> Finding | None:
    """Returns the fact that a question asks for; None where it is not among the dozen."""
    capital = _CAPITAL.search(question)
    if capital is not None:
        country = capital[1] or capital[2]
        if country not in CAPITALS:
            return None
        wrong = _TAKEN_FOR.get(country) or next(city for city in CAPITALS.values() if city != CAPITALS[country])
        return _fact(f"The capital of {country} is", CAPITALS[country], wrong)
    for pattern, (lead, answer, wrong) in _FACTS.items():
        if re.search(pattern, question, re.I):
            return _fact(lead, answer, wrong)
    return None


def confirmed(question: str) -> tuple[bool, str] | None:
    """Returns whether a question such as "Is Sydney the capital of Australia?" holds, and what is so."""
    fact = known(question)
    if fact is None:
        return None
    return fact.answer.lower() in question.lower(), f"{fact.lead} {fact.answer}"


def _fact(lead: str, answer: str, wrong: str) -> Finding:
    return Finding(
        kind=Kind.VALUE,
        answer=answer,
        lead=lead,
        ground="that is in every textbook",
        doubt="many people take it for the other one",
        others=(wrong,),
    )
