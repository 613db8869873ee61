"""Which language a text is in, told by its script and its commonest words: enough to know how it writes numbers."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

_LOOKED_AT_CHARS = 600
_WORDS = {
    "en": "the of and is are was what which how many much does did a an to in for with that this it who when where why",
    "de": "der die das und ist sind war wie viele viel welche welcher welches was wer wann warum ein "
    "eine einen nicht mit "
    "von zu auf für den dem des im es sie er hat kostet wird antwort ich wo insgesamt",
    "fr": "le la les et est sont combien quel quelle quels quelles qui quand pourquoi un une des du "
    "de dans pour que où "
    "réponse il elle avec sur au aux donc je",
    "es": "el la los las y es son cuánto cuántos cuántas cuál qué quién cuándo un una de del en para que dónde por "
    "respuesta con se su al total cuesta hay",
    "it": "il lo la gli le e è sono quanto quanti quante quale chi quando un una di del della in per che dove risposta "
    "con si al nel cosa costa",
    "pt": "o a os as e é são quanto quantos quantas qual quem quando um uma de do da em para que "
    "onde resposta com se ao "
    "no na não custa",
    "nl": "de het een en is zijn hoeveel welke wat wie wanneer waarom van in voor met dat op te antwoord er niet kost",
    "pl": "jest są ile jaki jaka jakie kto kiedy dlaczego w na z do i to nie się odpowiedź gdzie od co",
    "sv": "och är hur många mycket vilken vad vem när varför en ett av i för med att på det som svar inte",
    "ru": "и в на что как сколько кто когда где какой какая это не по из с для ответ",
}
_KNOWN: dict[str, tuple[str, ...]] = {}
for _language, _words in _WORDS.items():
    for _word in _words.split():
        _KNOWN[_word] = (*_KNOWN.get(_word, ()), _language)
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
COMMA_IS_POINT = frozenset(("de", "fr", "es", "it", "pt", "nl", "pl", "sv", "ru"))
"""Languages that write three and a half as 3,5, and a thousand as 1.000 or 1 000."""


@lru_cache(maxsize=256)
def of(text: str) -> str | None:
    """Returns the code of the language that a text is in, None where it is too short to tell."""
    head = text[:_LOOKED_AT_CHARS]
    for language, script in _SCRIPTS if not head.isascii() else ():
        signs = len(script.findall(head))
        if signs and 4 * signs > sum(letter.isalpha() for letter in head):
            return language
    counts = Counter(language for word in _WORD.findall(head.lower()) for language in _KNOWN.get(word, ()))
    best = counts.most_common(2)
    if not best or best[0][1] < 2 or (len(best) > 1 and best[0][1] == best[1][1]):
        return None
    return best[0][0]


def writes_comma_as_point(text: str) -> bool:
    """Tells whether a text is in a language whose decimal sign is the comma."""
    return of(text) in COMMA_IS_POINT
