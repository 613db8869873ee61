"""Which answers of a panel are the same: every row is a question and the groups that its replies must fall into."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ditto.domain.merging import mathematics, notation, numbers, values, wording
from ditto.domain.merging.equality import Rounded, linked, rounded
from ditto.domain.spec import AnswerKind
from ditto.domain.verdict import Verdict
from tests.unit.merging.panels import merged, replies

PANELS: list[tuple[str, list[list[str]], AnswerKind | None]] = [
    (
        "How far is it?",
        [
            ["1.5 km", "1500 m", "1,500 meters", "1.5 kilometers"],
            ["15 km"],
        ],
        None,
    ),
    (
        "How long does it take?",
        [
            ["90 minutes", "1.5 hours", "1 hour 30 minutes", "1h30", "an hour and a half"],
            ["2 hours"],
        ],
        None,
    ),
    (
        "How many minutes does it take?",
        [
            ["120", "2 hours", "120 minutes"],
            ["90"],
        ],
        None,
    ),
    (
        "How much does it cost?",
        [
            ["$12.50", "12.50 dollars", "12.5", "USD 12.50"],
            ["€12.50"],
            ["$125"],
        ],
        None,
    ),
    (
        "Wie viel kostet das Haus?",
        [
            ["1.250.000 Euro", "1.250.000 €", "1 250 000 Euro", "1,25 Millionen Euro"],
            ["125.000 Euro"],
        ],
        None,
    ),
    (
        "Wie hoch ist der Berg in Metern?",
        [
            ["2.962 Meter", "2962 m", "2962"],
            ["3.000"],
        ],
        None,
    ),
    (
        "Combien d'habitants a la ville ?",
        [
            ["1 234 567", "1 234 567 habitants", "1234567"],
            ["2 000 000"],
        ],
        None,
    ),
    (
        "What is the population?",
        [
            ["1,00,000", "100,000", "1 lakh", "100000"],
            ["1,000,000"],
        ],
        None,
    ),
    (
        "Wie viel?",
        [
            ["1'234.50 CHF", "CHF 1234.50", "1234.5"],
            ["1234"],
        ],
        None,
    ),
    (
        "What percentage is left?",
        [
            ["25%", "25", "25 percent", "twenty-five percent"],
            ["75%"],
        ],
        None,
    ),
    (
        "What is the probability?",
        [
            ["1/4", "0.25", "25%", "\\frac{1}{4}", "\\boxed{\\frac14}"],
            ["1/3"],
        ],
        None,
    ),
    (
        "How many are there?",
        [
            ["twenty-three", "23", "There are twenty-three of them.", "23.0"],
            ["a dozen"],
        ],
        None,
    ),
    (
        "How many eggs?",
        [
            ["a dozen", "12", "twelve eggs"],
            ["13"],
        ],
        None,
    ),
    (
        "What is the temperature in Celsius?",
        [
            ["100 °C", "212 °F", "100 degrees Celsius", "100"],
            ["0"],
        ],
        None,
    ),
    (
        "What is the value?",
        [
            ["-5", "−5", "negative five", "minus 5"],
            ["5"],
        ],
        None,
    ),
    (
        "How many people came?",
        [
            ["between 5 and 10", "5-10", "5 to 10 people"],
            ["5"],
            ["10"],
        ],
        None,
    ),
    (
        "What is the mass?",
        [
            ["5 ± 0.2 g", "5 +/- 0.2 g"],
            ["5 g"],
        ],
        None,
    ),
    (
        "How tall is she?",
        [
            ["5 feet 6 inches", "5'6\"", "66 inches", "5.5 feet"],
            ["6 feet"],
        ],
        None,
    ),
    (
        "What is 2^100?",
        [
            ["1267650600228229401496703205376", "1,267,650,600,228,229,401,496,703,205,376"],
            ["1267650600228229401496703205377"],
        ],
        None,
    ),
    (
        "What is 10 divided by 3?",
        [
            ["3.33", "10/3", "3 1/3", "3.333", "3.3333333"],
            ["3"],
        ],
        None,
    ),
    (
        "What is the speed of light?",
        [
            ["299,792,458 m/s", "299792.458 km/s", "299792458"],
            ["300000 km/s", "3 × 10^8 m/s", "3e8 m/s"],
        ],
        None,
    ),
    (
        "How many?",
        [
            ["The answer is 12 apples.", "So the total is 12.", "\\boxed{12}", "#### 12", "**12**"],
            ["The answer is 13."],
        ],
        None,
    ),
    (
        "Сколько будет 7 умножить на 8?",
        [
            ["56", "Ответ: 56", "Пятьдесят шесть", "Будет 56."],
            ["54"],
        ],
        None,
    ),
    (
        "一共有多少人？",
        [
            ["二十三", "23人", "一共有23人。", "答案是23"],
            ["32人"],
        ],
        None,
    ),
    (
        "いくらですか？",
        [
            ["3万5千円", "35,000円", "35000円です"],
            ["3500円"],
        ],
        None,
    ),
    (
        "How many grams?",
        [
            ["0.5 kg", "500 g", "500"],
            ["5 kg"],
        ],
        None,
    ),
    (
        "What is the area?",
        [
            ["25 square meters", "25 m^2", "25 m²", "25 sq m", "250000 cm^2"],
            ["25 m"],
        ],
        None,
    ),
    (
        "How much memory?",
        [
            ["1 GB", "1000 MB", "1,000 megabytes"],
            ["1 GiB"],
        ],
        None,
    ),
    (
        "How much was the deal worth?",
        [
            ["$1.2 billion", "$1,200 million", "1.2bn dollars", "US$1.2 billion"],
            ["$1.2 million"],
        ],
        None,
    ),
    (
        "Which planet is the largest?\n(A) Mars\n(B) Jupiter\n(C) Venus\n(D) Saturn",
        [
            [
                "B",
                "(B)",
                "b)",
                "Option B",
                "**B**",
                "The answer is B.",
                "Jupiter",
                "The answer is Jupiter",
                "B: Jupiter",
                "(B) Jupiter is the largest.",
                "I would choose B",
                "The correct answer is option (B).",
                "$\\boxed{B}$",
                "Answer: B. Jupiter",
                "Die richtige Antwort ist B.",
                "La bonne réponse est B.",
                "答案：B",
                "答案是（B）。",
            ],
            ["A"],
            ["C"],
        ],
        None,
    ),
    (
        "Which are primes? Select all that apply.\nA) 2\nB) 3\nC) 4\nD) 5",
        [
            [
                "A, B, D",
                "A, B and D",
                "ABD",
                "(A), (B), (D)",
                "The answers are A, B, D.",
                "D, B, A",
                "A) 2, B) 3, D) 5",
                "\\boxed{A,B,D}",
                "- A) 2\n- B) 3\n- D) 5",
            ],
            ["A, B"],
            ["A"],
        ],
        None,
    ),
    (
        "Classify the sentiment of 'meh' as positive, negative or neutral.",
        [
            ["Neutral", "neutral.", "The sentiment is neutral.", "The answer is Neutral"],
            ["negative"],
        ],
        None,
    ),
    (
        "Is 'free money!!!' spam or ham? Answer with one of: spam, ham.",
        [
            ["spam", "Spam.", "This is spam."],
            ["ham"],
        ],
        None,
    ),
    (
        "Какой город — столица России?\nА) Москва\nБ) Киев",
        [
            ["А", "А) Москва", "Ответ: А", "Москва"],
            ["Б"],
        ],
        None,
    ),
    (
        "Is the earth flat?",
        [
            ["No", "No.", "No, it is round.", "The answer is no.", "false"],
            ["Yes", "Yes, it is."],
        ],
        None,
    ),
    (
        "Ist die Erde flach?",
        [
            ["Nein", "Nein, sie ist rund.", "Die Antwort lautet: Nein."],
            ["Ja", "Ja."],
        ],
        None,
    ),
    (
        "La terre est-elle plate ?",
        [
            ["Non", "Non, elle est ronde.", "La réponse est non."],
            ["Oui"],
        ],
        None,
    ),
    (
        "¿Es la tierra plana?",
        [
            ["No", "No, es redonda.", "La respuesta es no."],
            ["Sí", "Sí."],
        ],
        None,
    ),
    (
        "地球是圆的吗？",
        [
            ["是", "是的", "是的，地球是圆的。", "对"],
            ["不是", "否"],
        ],
        None,
    ),
    (
        "地球は丸いですか？",
        [
            ["はい", "はい、丸いです。"],
            ["いいえ"],
        ],
        None,
    ),
    (
        "Земля плоская? Ответьте да или нет.",
        [
            ["Нет", "Нет.", "нет, она круглая"],
            ["Да"],
        ],
        None,
    ),
    (
        "A Terra é plana? Responda sim ou não.",
        [
            ["Não", "não.", "Não, é redonda."],
            ["Sim"],
        ],
        None,
    ),
    (
        "Is de aarde plat? Antwoord ja of nee.",
        [
            ["Nee", "nee."],
            ["Ja"],
        ],
        None,
    ),
    (
        "Czy Ziemia jest płaska?",
        [
            ["Nie", "Nie, jest okrągła."],
            ["Tak"],
        ],
        None,
    ),
    (
        "True or false: the sun is a star.",
        [
            ["True", "true.", "The statement is true.", "This is correct.", "Yes"],
            ["False", "The statement is false."],
        ],
        None,
    ),
    (
        "When was the Berlin Wall opened?",
        [
            [
                "November 9, 1989",
                "9 November 1989",
                "1989-11-09",
                "On the 9th of November, 1989.",
                "It was opened on November 9, 1989.",
                "9. November 1989",
                "11/09/1989",
            ],
            ["November 10, 1989"],
        ],
        None,
    ),
    (
        "When did WWII end in Europe?",
        [
            ["1945", "1945", "In 1945."],
            ["1944"],
        ],
        None,
    ),
    (
        "When did it happen?",
        [
            [
                "07/04/1776",
                "July 4, 1776",
                "4 July 1776",
                "4 de julio de 1776",
                "le 4 juillet 1776",
                "4 июля 1776 года",
                "1776年7月4日",
            ],
            ["July 5, 1776"],
        ],
        None,
    ),
    (
        "When did it happen?",
        [
            ["04/07/1776", "July 4, 1776"],
            ["April 8, 1776"],
        ],
        None,
    ),
    (
        "What time does it start?",
        [
            ["3:30 PM", "15:30", "3:30 p.m.", "at 15:30"],
            ["3:30 AM"],
        ],
        None,
    ),
    (
        "When does the flight land?",
        [
            ["2024-05-01T10:00:00Z", "May 1, 2024 at 10:00 UTC", "2024-05-01 12:00 CEST"],
            ["2024-05-01T12:00:00Z"],
        ],
        None,
    ),
    (
        "When was he born?",
        [
            ["44 BC", "44 BCE"],
            ["44 AD"],
        ],
        None,
    ),
    (
        "Wann wurde die Mauer gebaut?",
        [
            ["13. August 1961", "1961-08-13", "Am 13. August 1961.", "13.08.1961"],
            ["1962"],
        ],
        None,
    ),
    (
        "When did man land on the moon?",
        [
            ["July 20, 1969", "1969", "20 July 1969"],
            ["1970"],
        ],
        None,
    ),
    (
        "Who wrote it?",
        [
            ["Mark Twain", "Mark Twain.", "The author is Mark Twain.", "mark twain", '"Mark Twain"', "Mr. Mark Twain"],
            ["Charles Dickens"],
        ],
        None,
    ),
    (
        "Who was president?",
        [
            ["John F. Kennedy", "John Fitzgerald Kennedy", "John Kennedy", "President John F. Kennedy"],
            ["Lyndon B. Johnson"],
        ],
        None,
    ),
    (
        "Who is the author?",
        [
            ["Gabriel García Márquez", "Gabriel Garcia Marquez"],
            ["Jorge Luis Borges"],
        ],
        None,
    ),
    (
        "Which country?",
        [
            ["United States", "U.S.", "USA", "the United States of America", "US"],
            ["United Kingdom", "UK", "U.K."],
        ],
        None,
    ),
    (
        "Which city?",
        [
            ["New York", "New York City", "NYC"],
            ["New Jersey"],
        ],
        None,
    ),
    (
        "What is the capital of Japan?",
        [
            ["東京", "東京です", "東京です。", "日本の首都は東京です。"],
            ["大阪"],
        ],
        None,
    ),
    (
        "中国的首都是哪里？",
        [
            ["北京", "北京。", "中国的首都是北京。"],
            ["上海"],
        ],
        None,
    ),
    (
        "Who is it?",
        [
            ["William Shakespeare", "Shakespeare"],
            ["Christopher Marlowe"],
        ],
        None,
    ),
    (
        "Wie heißt die Hauptstadt?",
        [
            ["Berlin", "Die Hauptstadt ist Berlin.", "Berlin ist die Hauptstadt."],
            ["Bonn"],
        ],
        None,
    ),
    (
        "What does it eat?",
        [
            ["bamboo", "Bamboo.", "It eats bamboo."],
            ["meat"],
        ],
        None,
    ),
    (
        "Which river?",
        [
            ["Mississippi River", "the Mississippi"],
            ["Missouri River"],
        ],
        None,
    ),
    (
        "who sings it",
        [
            ["The Beatles", "Beatles", "It is sung by The Beatles."],
            ["The Rolling Stones"],
        ],
        None,
    ),
    (
        "Which street?",
        [
            ["St. James Street", "Saint James Street", "St James St."],
            ["Baker Street"],
        ],
        None,
    ),
    (
        "List the three primary colors.",
        [
            [
                "Red, yellow, blue",
                "1. Red\n2. Blue\n3. Yellow",
                "The primary colors are blue, red and yellow.",
                "- Yellow\n- Red\n- Blue",
                "red; yellow; blue",
            ],
            ["Red, green, blue"],
        ],
        None,
    ),
    (
        "List the planets in order from the sun.",
        [
            ["Mercury, Venus, Earth", "1. Mercury\n2. Venus\n3. Earth", "Mercury → Venus → Earth"],
            ["Venus, Mercury, Earth"],
        ],
        None,
    ),
    (
        "Name all countries that border Portugal and Andorra.",
        [
            ["Spain and France", "France, Spain", "1. **France** - north\n2. **Spain** - south"],
            ["Spain, Portugal"],
        ],
        None,
    ),
    (
        "Sort these from small to large: 3, 1, 2",
        [
            ["1, 2, 3", "[1, 2, 3]", "1 < 2 < 3", "1, 2 and 3"],
            ["3, 2, 1"],
        ],
        None,
    ),
    (
        "Nenne die drei Grundfarben.",
        [
            ["Rot, Gelb und Blau", "1. Blau\n2. Rot\n3. Gelb"],
            ["Rot, Grün, Blau"],
        ],
        None,
    ),
    (
        "Which elements are noble gases with number below 20?",
        [
            ["Helium, Neon, Argon", "- Helium (He)\n- Neon (Ne)\n- Argon (Ar)"],
            ["Helium, Neon"],
        ],
        None,
    ),
    (
        "What does f() return?",
        [
            ["[1, 2]", "[1,2]", "`[1, 2]`", "```python\n[1, 2]\n```", "The answer is [1, 2]."],
            ["(1, 2)"],
            ["[2, 1]"],
        ],
        None,
    ),
    (
        "What does f() return?",
        [
            ["'abc'", '"abc"', "abc"],
            ["'abd'"],
        ],
        None,
    ),
    (
        "What does f() return?",
        [
            ["{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"],
            ["{'a': 1}"],
        ],
        None,
    ),
    (
        "What does f() return?",
        [
            ["True", "true"],
            ["1"],
            ["False"],
        ],
        None,
    ),
    (
        "Simplify $\\frac{x}{2}$.",
        [
            ["\\boxed{\\frac{x}{2}}", "$\\boxed{x/2}$", "\\boxed{0.5x}", "The answer is $\\frac{1}{2}x$."],
            ["\\boxed{2x}"],
        ],
        None,
    ),
    (
        "Solve $x^2=4$.",
        [
            [
                "\\boxed{x=2, x=-2}",
                "\\boxed{\\pm 2}",
                "\\boxed{-2, 2}",
                "\\boxed{x = \\pm 2}",
                "\\boxed{\\{-2,2\\}}",
                "The answer is $x = 2$ or $x = -2$.",
            ],
            ["\\boxed{2}"],
        ],
        None,
    ),
    (
        "Find the domain, in interval notation.",
        [
            [
                "\\boxed{[3,\\infty)}",
                "\\boxed{x \\ge 3}",
                "\\boxed{\\left[3, \\infty\\right)}",
                "The answer is $x \\in [3, \\infty)$.",
                "\\boxed{3 \\leq x}",
            ],
            ["\\boxed{(3,\\infty)}"],
        ],
        None,
    ),
    (
        "What is the exact value?",
        [
            ["\\boxed{2\\sqrt{3}}", "\\boxed{\\sqrt{12}}", "$\\boxed{2 \\cdot \\sqrt 3}$", "\\boxed{2√3}"],
            ["\\boxed{3\\sqrt{2}}"],
        ],
        None,
    ),
    (
        "Find the equation of the line.",
        [
            ["\\boxed{y = 2x + 3}", "\\boxed{y=2x+3}", "\\boxed{2x - y + 3 = 0}", "\\boxed{y = 3 + 2x}"],
            ["\\boxed{y=2x-3}"],
        ],
        None,
    ),
    (
        "Find the matrix.",
        [
            [
                "\\boxed{\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}}",
                "\\boxed{\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}}",
            ],
            ["\\boxed{\\begin{pmatrix} 1 & 3 \\\\ 2 & 4 \\end{pmatrix}}"],
        ],
        None,
    ),
    (
        "Find the point.",
        [
            ["\\boxed{(1, 2)}", "$\\boxed{(1,2)}$", "\\boxed{\\left(1,2\\right)}"],
            ["\\boxed{(2,1)}"],
        ],
        None,
    ),
    (
        "What is the angle in degrees?",
        [
            ["\\boxed{45^\\circ}", "45°", "45 degrees", "\\boxed{45}"],
            ["\\boxed{90}"],
        ],
        None,
    ),
    (
        "Factor $x^2-1$.",
        [
            ["\\boxed{(x-1)(x+1)}", "\\boxed{(x+1)(x-1)}"],
            ["\\boxed{(x-1)^2}"],
        ],
        None,
    ),
    (
        "Who runs fastest?",
        [
            ["\\boxed{\\text{Evelyn}}", "Evelyn", "The answer is Evelyn."],
            ["\\boxed{\\text{Briana}}"],
        ],
        None,
    ),
    (
        "Express as a common fraction.",
        [
            [
                '{"reasoning":"a","answer":"\\\\frac{9}{256}"}',
                '{"reasoning":"a","answer":"9/256"}',
                '{"answer":"\\frac{9}{256}"}',
                "\\boxed{\\dfrac{9}{256}}",
            ],
            ['{"answer":"\\\\frac{9}{255}"}'],
        ],
        None,
    ),
    (
        "Find all solutions.",
        [
            ["\\boxed{1,2,3}", "The answer is 1, 2, and 3.", "\\boxed{\\{1, 2, 3\\}}", "\\boxed{3, 2, 1}"],
            ["\\boxed{1,2}"],
        ],
        None,
    ),
    (
        "Give the base 2 form.",
        [
            ["\\boxed{1011_2}", "\\boxed{1011}", "\\boxed{1011_{2}}"],
            ["\\boxed{1101_2}"],
        ],
        None,
    ),
    (
        "What is the sum of the series? $\\sum$",
        [
            ["\\boxed{\\frac{\\pi^2}{6}}", "\\boxed{π²/6}", "\\boxed{\\dfrac{\\pi^{2}}{6}}"],
            ["\\boxed{\\frac{\\pi}{6}}"],
        ],
        None,
    ),
    (
        "Express $(-\\infty,2)\\cup(5,\\infty)$",
        [
            [
                "\\boxed{(-\\infty,2)\\cup(5,\\infty)}",
                "\\boxed{(5,\\infty) \\cup (-\\infty, 2)}",
                "\\boxed{x < 2 \\text{ or } x > 5}",
            ],
            ["\\boxed{(-\\infty,2]\\cup[5,\\infty)}"],
        ],
        None,
    ),
    (
        "How much in dollars?",
        [
            ["\\boxed{\\$1,234}", "\\boxed{1234}", "$1,234", "\\boxed{1{,}234}", "\\boxed{1,\\!234}"],
            ["\\boxed{1,235}"],
        ],
        None,
    ),
    (
        "Give the JSON.",
        [
            ['{"a": 1}', '```json\n{"a": 1.0}\n```', "Here: {'a': 1}", '{"a": 1,}'],
            ['{"a": 2}'],
        ],
        AnswerKind.JSON,
    ),
    (
        "Call it.",
        [
            [
                '[{"name":"f","arguments":{"a":1}}]',
                "f(a=1)",
                "[f(a=1)]",
                '[{"f":{"a":1}}]',
                '{"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\\"a\\": 1}"}}]}',
                '<tool_call>\n{"name":"f","arguments":{"a":1}}\n</tool_call>',
                "```python\nf(a=1)\n```",
                '{"name":"f","parameters":{"a":1}}',
            ],
            ["f(a=2)"],
            ["g(a=1)"],
        ],
        AnswerKind.JSON,
    ),
]


def grouped(verdict: Verdict) -> set[frozenset[str]]:
    """Returns the calls that stand together."""
    return {frozenset(verdict.supporting), *(frozenset(dissent.models) for dissent in verdict.dissent)}


@pytest.mark.parametrize(
    ("question", "groups", "kind"), PANELS, ids=[f"{at} {row[0][:40]}" for at, row in enumerate(PANELS)]
)
def test_replies_that_mean_the_same_are_one_answer(
    question: str, groups: list[list[str]], kind: AnswerKind | None
) -> None:
    panel = replies(*(text for group in groups for text in group))
    names = iter(ballot.call for ballot in panel)
    expected = {frozenset(next(names) for _ in group) for group in groups}

    assert grouped(merged(question, panel, answer=kind)) == expected


@pytest.mark.parametrize(
    ("question", "groups", "kind"), PANELS, ids=[f"{at} {row[0][:40]}" for at, row in enumerate(PANELS)]
)
def test_the_order_of_replies_makes_no_other_groups(
    question: str, groups: list[list[str]], kind: AnswerKind | None
) -> None:
    panel = replies(*(text for group in groups for text in group))
    shuffled = random.Random(4).sample(panel, len(panel))

    assert grouped(merged(question, panel, answer=kind)) == grouped(merged(question, shuffled, answer=kind))


NUMBERS = st.one_of(st.integers(-(10**12), 10**12), st.floats(-1e12, 1e12), st.fractions(max_denominator=10**6))


@given(number=NUMBERS)
def test_the_representative_of_a_number_is_its_own(number: float) -> None:
    key = numbers.key(number)

    assert numbers.key(key) == key


@given(written=st.lists(st.decimals(-100, 100, places=4), min_size=1, max_size=12), data=st.data())
def test_rounded_numbers_stand_for_the_same_in_any_order(written: list[object], data: st.DataObject) -> None:
    digits = data.draw(st.lists(st.integers(0, 4), min_size=len(written), max_size=len(written)))
    given_numbers = [as_written(f"{number:.{places}f}") for number, places in zip(written, digits, strict=True)]
    order = data.draw(st.permutations(range(len(given_numbers))))

    first = rounded(given_numbers)
    second = rounded([given_numbers[at] for at in order])

    assert [first[at] for at in order] == second
    assert all(
        first[at] == first[other]
        for at, one in enumerate(given_numbers)
        for other, two in enumerate(given_numbers)
        if one.value == two.value
    )


def as_written(text: str) -> Rounded:
    quantity = numbers.entire(text)
    assert quantity is not None
    return Rounded(quantity.value, quantity.step, quantity.digits)


@given(senses=st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=3), min_size=1, max_size=12))
def test_linking_is_closed(senses: list[list[int]]) -> None:
    groups = linked(senses)

    for at, one in enumerate(senses):
        for other, two in enumerate(senses):
            if set(one) & set(two):
                assert groups[at] == groups[other]


@given(text=st.text(alphabet="0123456789+-*/^_{}()[]|\\\\ xy.,=<>πfracsqrtno", max_size=60))
def test_plain_notation_is_plain_already(text: str) -> None:
    plain = notation.plain(text)

    assert notation.plain(plain) == plain


@given(text=st.text(max_size=60))
def test_anything_may_be_looked_at_as_mathematics(text: str) -> None:
    assert mathematics.senses(text) == mathematics.senses(text)


@given(text=st.text(max_size=60))
def test_the_words_of_words_are_the_same_words(text: str) -> None:
    plain = [word.plain for word in wording.words(text)]

    assert [word.plain for word in wording.words(" ".join(plain))] == [
        word.plain for piece in plain for word in wording.words(piece)
    ]


@given(value=st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_is_the_same_written_as_a_whole_and_with_a_point(value: float) -> None:
    if value == int(value) and abs(value) < 2**53:
        assert values.key(int(value)) == values.key(float(value))


@pytest.mark.parametrize(
    ("less_exact", "more_exact", "same"),
    [
        ("3.33", "10/3", True),
        ("0.33", "1/3", True),
        ("0.3", "1/3", False),
        ("3", "10/3", False),
        ("3.34", "10/3", False),
    ],
)
def test_a_rounded_number_is_the_exact_one_where_it_says_enough(less_exact: str, more_exact: str, same: bool) -> None:
    verdict = merged("How much is it?", replies(less_exact, more_exact), answer=AnswerKind.NUMBER)

    assert (verdict.agreement == 1.0) is same


def test_a_rounded_number_that_fits_two_exact_ones_is_neither() -> None:
    verdict = merged("How much?", replies("1.23", "1.2311", "1.2312"), answer=AnswerKind.NUMBER)

    assert verdict.agreement == pytest.approx(1 / 3)


def test_days_before_months_are_read_as_the_clear_dates_of_the_panel_say() -> None:
    verdict = merged("When was it?", replies("04/07/1776", "4 July 1776", "1776-07-04"))

    assert verdict.answer == "1776-07-04"
    assert verdict.agreement == 1.0


def test_days_come_first_where_the_question_is_not_english() -> None:
    verdict = merged("Wann ist das passiert und warum ist es so?", replies("04/07/1776", "04/07/1776"))

    assert verdict.answer == "1776-07-04"


def test_a_year_joins_the_only_day_that_it_fits() -> None:
    one_day = merged("When was it?", replies("20 July 1969", "1969", "20 July 1969"))
    two_days = merged("When was it?", replies("20 July 1969", "1969", "21 July 1969"))

    assert one_day.agreement == 1.0
    assert two_days.agreement == pytest.approx(1 / 3)


def test_dates_with_other_zones_are_compared_as_moments() -> None:
    verdict = merged(
        "When does it start?", replies("2024-01-01T00:30:00Z", "2023-12-31 19:30 EST", "2024-01-01T00:30Z")
    )

    assert verdict.agreement == 1.0


def test_lists_are_compared_in_order_only_where_an_order_is_asked_for() -> None:
    panel = replies("Mercury, Venus, Earth", "Earth, Venus, Mercury")

    assert merged("List the three inner planets.", panel).agreement == 1.0
    assert merged("List the three inner planets in order from the sun.", panel).agreement == 0.5


def test_lists_that_everybody_makes_up_are_no_vote() -> None:
    panel = replies("- tea\n- games\n- songs", "- hats\n- cakes\n- a film", "- a walk\n- a race\n- a play")

    assert merged("Give the three best ideas for a party.", panel, answer=None).answer != ["tea", "games", "songs"]


HOSTILE = [
    "answer: ",
    "。",
    "\\frac{1",
    "1 ",
    "one hundred and ",
    "- a\n",
    "Dr. A ",
    "f(a=",
    "<think>\n",
    "5 to ",
    "a, ",
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [None, *AnswerKind])
@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_repetition_is_read_as_any_kind_in_passing(piece: str, kind: AnswerKind | None) -> None:
    verdict = merged("How many are there?", replies(piece * (100_000 // len(piece)), "4"), answer=kind)

    assert len(verdict.readings) == 2


FRAGMENTS = [
    "1e999", "\\frac{1}{0}", "0/0", "NaN", "9" * 400, "1,2,3", "99/99/9999", "24:00",
    "0.\\overline{3}", "300!", "x^{x^{x}}", "9999-12-31T23:59:59-14",
    "\\begin{pmatrix}\\end{pmatrix}", "f(**a)", "{\"answer\": Infinity}", "{\"answer\": [[]]}", "±1",
    "half half an hour", "一一一", "万", "minus minus 5", "5 to", "=", "\\boxed{", "```", "**", "(A)",
    "yes no", "- a\n- b", "<think>", "１２", "Ⅷ", "½", "a → b → c", "5 km", "$5", "\\text{no}",
    "X or Y", "the answer is", "\x00",
]  # fmt: skip


@given(
    texts=st.lists(st.lists(st.sampled_from(FRAGMENTS), max_size=4).map(" ".join), min_size=1, max_size=5),
    question=st.sampled_from([row[0] for row in PANELS]),
    kind=st.sampled_from([None, *AnswerKind]),
    data=st.data(),
)
def test_whatever_is_said_is_grouped_the_same_in_any_order(
    texts: list[str], question: str, kind: AnswerKind | None, data: st.DataObject
) -> None:
    panel = replies(*texts)
    shuffled = data.draw(st.permutations(panel))

    first, second = merged(question, panel, answer=kind), merged(question, shuffled, answer=kind)

    assert {reading.call: reading.answer for reading in first.readings} == {
        reading.call: reading.answer for reading in second.readings
    }
    assert (first.agreement is None) == (second.agreement is None)
    if first.agreement is not None:
        assert grouped(first) == grouped(second)
