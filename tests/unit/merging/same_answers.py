"""Panels of replies, and which of them are one answer: a row is a question and the groups that its replies make."""

from __future__ import annotations

from ditto.domain.spec import AnswerKind

# fmt: off
PANELS: list[tuple[str, list[list[str]], AnswerKind | None]] = [
    ("How far is it?", [
        ["1.5 km", "1500 m", "1,500 meters", "1.5 kilometers"],
        ["15 km"],
    ], None),
    ("How long does it take?", [
        ["90 minutes", "1.5 hours", "1 hour 30 minutes", "1h30", "an hour and a half"],
        ["2 hours"],
    ], None),
    ("How many minutes does it take?", [
        ["120", "2 hours", "120 minutes"],
        ["90"],
    ], None),
    ("How much does it cost?", [
        ["$12.50", "12.50 dollars", "12.5", "USD 12.50"],
        ["€12.50"],
        ["$125"],
    ], None),
    ("Wie viel kostet das Haus?", [
        ["1.250.000 Euro", "1.250.000 €", "1 250 000 Euro", "1,25 Millionen Euro"],
        ["125.000 Euro"],
    ], None),
    ("Wie hoch ist der Berg in Metern?", [
        ["2.962 Meter", "2962 m", "2962"],
        ["3.000"],
    ], None),
    ("Combien d'habitants a la ville ?", [
        ["1 234 567", "1 234 567 habitants", "1234567"],
        ["2 000 000"],
    ], None),
    ("What is the population?", [
        ["1,00,000", "100,000", "1 lakh", "100000"],
        ["1,000,000"],
    ], None),
    ("Wie viel?", [
        ["1'234.50 CHF", "CHF 1234.50", "1234.5"],
        ["1234"],
    ], None),
    ("What percentage is left?", [
        ["25%", "25", "25 percent", "twenty-five percent"],
        ["75%"],
    ], None),
    ("What is the probability?", [
        ["1/4", "0.25", "25%", "\\frac{1}{4}", "\\boxed{\\frac14}"],
        ["1/3"],
    ], None),
    ("How many are there?", [
        ["twenty-three", "23", "There are twenty-three of them.", "23.0"],
        ["a dozen"],
    ], None),
    ("How many eggs?", [
        ["a dozen", "12", "twelve eggs"],
        ["13"],
    ], None),
    ("What is the temperature in Celsius?", [
        ["100 °C", "212 °F", "100 degrees Celsius", "100"],
        ["0"],
    ], None),
    ("What is the value?", [
        ["-5", "−5", "negative five", "minus 5"],
        ["5"],
    ], None),
    ("How many people came?", [
        ["between 5 and 10", "5-10", "5 to 10 people"],
        ["5"],
        ["10"],
    ], None),
    ("What is the mass?", [
        ["5 ± 0.2 g", "5 +/- 0.2 g"],
        ["5 g"],
    ], None),
    ("How tall is she?", [
        ["5 feet 6 inches", "5'6\"", "66 inches", "5.5 feet"],
        ["6 feet"],
    ], None),
    ("What is 2^100?", [
        ["1267650600228229401496703205376", "1,267,650,600,228,229,401,496,703,205,376"],
        ["1267650600228229401496703205377"],
    ], None),
    ("What is 10 divided by 3?", [
        ["3.33", "10/3", "3 1/3", "3.333", "3.3333333"],
        ["3"],
    ], None),
    ("What is the speed of light?", [
        ["299,792,458 m/s", "299792.458 km/s", "299792458"],
        ["300000 km/s", "3 × 10^8 m/s", "3e8 m/s"],
    ], None),
    ("How many?", [
        ["The answer is 12 apples.", "So the total is 12.", "\\boxed{12}", "#### 12", "**12**"],
        ["The answer is 13."],
    ], None),
    ("Сколько будет 7 умножить на 8?", [
        ["56", "Ответ: 56", "Пятьдесят шесть", "Будет 56."],
        ["54"],
    ], None),
    ("一共有多少人？", [
        ["二十三", "23人", "一共有23人。", "答案是23"],
        ["32人"],
    ], None),
    ("いくらですか？", [
        ["3万5千円", "35,000円", "35000円です"],
        ["3500円"],
    ], None),
    ("How many grams?", [
        ["0.5 kg", "500 g", "500"],
        ["5 kg"],
    ], None),
    ("What is the area?", [
        ["25 square meters", "25 m^2", "25 m²", "25 sq m", "250000 cm^2"],
        ["25 m"],
    ], None),
    ("How much memory?", [
        ["1 GB", "1000 MB", "1,000 megabytes"],
        ["1 GiB"],
    ], None),
    ("How much was the deal worth?", [
        ["$1.2 billion", "$1,200 million", "1.2bn dollars", "US$1.2 billion"],
        ["$1.2 million"],
    ], None),
    ("Which planet is the largest?\n(A) Mars\n(B) Jupiter\n(C) Venus\n(D) Saturn", [
        ["B", "(B)", "b)", "Option B", "**B**", "The answer is B.", "Jupiter", "The answer is Jupiter",
         "B: Jupiter", "(B) Jupiter is the largest.", "I would choose B", "The correct answer is option (B).",
         "$\\boxed{B}$", "Answer: B. Jupiter", "Die richtige Antwort ist B.", "La bonne réponse est B.", "答案：B",
         "答案是（B）。"],
        ["A"],
        ["C"],
    ], None),
    ("Which are primes? Select all that apply.\nA) 2\nB) 3\nC) 4\nD) 5", [
        ["A, B, D", "A, B and D", "ABD", "(A), (B), (D)", "The answers are A, B, D.", "D, B, A",
         "A) 2, B) 3, D) 5", "\\boxed{A,B,D}", "- A) 2\n- B) 3\n- D) 5"],
        ["A, B"],
        ["A"],
    ], None),
    ("Classify the sentiment of 'meh' as positive, negative or neutral.", [
        ["Neutral", "neutral.", "The sentiment is neutral.", "The answer is Neutral"],
        ["negative"],
    ], None),
    ("Is 'free money!!!' spam or ham? Answer with one of: spam, ham.", [
        ["spam", "Spam.", "This is spam."],
        ["ham"],
    ], None),
    ("Какой город — столица России?\nА) Москва\nБ) Киев", [
        ["А", "А) Москва", "Ответ: А", "Москва"],
        ["Б"],
    ], None),
    ("Is the earth flat?", [
        ["No", "No.", "No, it is round.", "The answer is no.", "false"],
        ["Yes", "Yes, it is."],
    ], None),
    ("Ist die Erde flach?", [
        ["Nein", "Nein, sie ist rund.", "Die Antwort lautet: Nein."],
        ["Ja", "Ja."],
    ], None),
    ("La terre est-elle plate ?", [
        ["Non", "Non, elle est ronde.", "La réponse est non."],
        ["Oui"],
    ], None),
    ("¿Es la tierra plana?", [
        ["No", "No, es redonda.", "La respuesta es no."],
        ["Sí", "Sí."],
    ], None),
    ("地球是圆的吗？", [
        ["是", "是的", "是的，地球是圆的。", "对"],
        ["不是", "否"],
    ], None),
    ("地球は丸いですか？", [
        ["はい", "はい、丸いです。"],
        ["いいえ"],
    ], None),
    ("Земля плоская? Ответьте да или нет.", [
        ["Нет", "Нет.", "нет, она круглая"],
        ["Да"],
    ], None),
    ("A Terra é plana? Responda sim ou não.", [
        ["Não", "não.", "Não, é redonda."],
        ["Sim"],
    ], None),
    ("Is de aarde plat? Antwoord ja of nee.", [
        ["Nee", "nee."],
        ["Ja"],
    ], None),
    ("Czy Ziemia jest płaska?", [
        ["Nie", "Nie, jest okrągła."],
        ["Tak"],
    ], None),
    ("True or false: the sun is a star.", [
        ["True", "true.", "The statement is true.", "This is correct.", "Yes"],
        ["False", "The statement is false."],
    ], None),
    ("When was the Berlin Wall opened?", [
        ["November 9, 1989", "9 November 1989", "1989-11-09", "On the 9th of November, 1989.",
         "It was opened on November 9, 1989.", "9. November 1989", "11/09/1989"],
        ["November 10, 1989"],
    ], None),
    ("When did WWII end in Europe?", [
        ["1945", "1945", "In 1945."],
        ["1944"],
    ], None),
    ("When did it happen?", [
        ["07/04/1776", "July 4, 1776", "4 July 1776", "4 de julio de 1776", "le 4 juillet 1776",
         "4 июля 1776 года", "1776年7月4日"],
        ["July 5, 1776"],
    ], None),
    ("When did it happen?", [
        ["04/07/1776", "July 4, 1776"],
        ["April 8, 1776"],
    ], None),
    ("What time does it start?", [
        ["3:30 PM", "15:30", "3:30 p.m.", "at 15:30"],
        ["3:30 AM"],
    ], None),
    ("When does the flight land?", [
        ["2024-05-01T10:00:00Z", "May 1, 2024 at 10:00 UTC", "2024-05-01 12:00 CEST"],
        ["2024-05-01T12:00:00Z"],
    ], None),
    ("When was he born?", [
        ["44 BC", "44 BCE"],
        ["44 AD"],
    ], None),
    ("Wann wurde die Mauer gebaut?", [
        ["13. August 1961", "1961-08-13", "Am 13. August 1961.", "13.08.1961"],
        ["1962"],
    ], None),
    ("When did man land on the moon?", [
        ["July 20, 1969", "1969", "20 July 1969"],
        ["1970"],
    ], None),
    ("Who wrote it?", [
        ["Mark Twain", "Mark Twain.", "The author is Mark Twain.", "mark twain", '"Mark Twain"', "Mr. Mark Twain"],
        ["Charles Dickens"],
    ], None),
    ("Who was president?", [
        ["John F. Kennedy", "John Fitzgerald Kennedy", "John Kennedy", "President John F. Kennedy"],
        ["Lyndon B. Johnson"],
    ], None),
    ("Who is the author?", [
        ["Gabriel García Márquez", "Gabriel Garcia Marquez"],
        ["Jorge Luis Borges"],
    ], None),
    ("Which country?", [
        ["United States", "U.S.", "USA", "the United States of America", "US"],
        ["United Kingdom", "UK", "U.K."],
    ], None),
    ("Which city?", [
        ["New York", "New York City", "NYC"],
        ["New Jersey"],
    ], None),
    ("What is the capital of Japan?", [
        ["東京", "東京です", "東京です。", "日本の首都は東京です。"],
        ["大阪"],
    ], None),
    ("中国的首都是哪里？", [
        ["北京", "北京。", "中国的首都是北京。"],
        ["上海"],
    ], None),
    ("Who is it?", [
        ["William Shakespeare", "Shakespeare"],
        ["Christopher Marlowe"],
    ], None),
    ("Wie heißt die Hauptstadt?", [
        ["Berlin", "Die Hauptstadt ist Berlin.", "Berlin ist die Hauptstadt."],
        ["Bonn"],
    ], None),
    ("What does it eat?", [
        ["bamboo", "Bamboo.", "It eats bamboo."],
        ["meat"],
    ], None),
    ("Which river?", [
        ["Mississippi River", "the Mississippi"],
        ["Missouri River"],
    ], None),
    ("who sings it", [
        ["The Beatles", "Beatles", "It is sung by The Beatles."],
        ["The Rolling Stones"],
    ], None),
    ("Which street?", [
        ["St. James Street", "Saint James Street", "St James St."],
        ["Baker Street"],
    ], None),
    ("List the three primary colors.", [
        ["Red, yellow, blue", "1. Red\n2. Blue\n3. Yellow", "The primary colors are blue, red and yellow.",
         "- Yellow\n- Red\n- Blue", "red; yellow; blue"],
        ["Red, green, blue"],
    ], None),
    ("List the planets in order from the sun.", [
        ["Mercury, Venus, Earth", "1. Mercury\n2. Venus\n3. Earth", "Mercury → Venus → Earth"],
        ["Venus, Mercury, Earth"],
    ], None),
    ("Name all countries that border Portugal and Andorra.", [
        ["Spain and France", "France, Spain", "1. **France** - north\n2. **Spain** - south"],
        ["Spain, Portugal"],
    ], None),
    ("Sort these from small to large: 3, 1, 2", [
        ["1, 2, 3", "[1, 2, 3]", "1 < 2 < 3", "1, 2 and 3"],
        ["3, 2, 1"],
    ], None),
    ("Nenne die drei Grundfarben.", [
        ["Rot, Gelb und Blau", "1. Blau\n2. Rot\n3. Gelb"],
        ["Rot, Grün, Blau"],
    ], None),
    ("Which elements are noble gases with number below 20?", [
        ["Helium, Neon, Argon", "- Helium (He)\n- Neon (Ne)\n- Argon (Ar)"],
        ["Helium, Neon"],
    ], None),
    ("What does f() return?", [
        ["[1, 2]", "[1,2]", "`[1, 2]`", "```python\n[1, 2]\n```", "The answer is [1, 2]."],
        ["(1, 2)"],
        ["[2, 1]"],
    ], None),
    ("What does f() return?", [
        ["'abc'", '"abc"', "abc"],
        ["'abd'"],
    ], None),
    ("What does f() return?", [
        ["{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"],
        ["{'a': 1}"],
    ], None),
    ("What does f() return?", [
        ["True", "true"],
        ["1"],
        ["False"],
    ], None),
    ("Simplify $\\frac{x}{2}$.", [
        ["\\boxed{\\frac{x}{2}}", "$\\boxed{x/2}$", "\\boxed{0.5x}", "The answer is $\\frac{1}{2}x$."],
        ["\\boxed{2x}"],
    ], None),
    ("Solve $x^2=4$.", [
        ["\\boxed{x=2, x=-2}", "\\boxed{\\pm 2}", "\\boxed{-2, 2}", "\\boxed{x = \\pm 2}", "\\boxed{\\{-2,2\\}}",
         "The answer is $x = 2$ or $x = -2$."],
        ["\\boxed{2}"],
    ], None),
    ("Find the domain, in interval notation.", [
        ["\\boxed{[3,\\infty)}", "\\boxed{x \\ge 3}", "\\boxed{\\left[3, \\infty\\right)}",
         "The answer is $x \\in [3, \\infty)$.", "\\boxed{3 \\leq x}"],
        ["\\boxed{(3,\\infty)}"],
    ], None),
    ("What is the exact value?", [
        ["\\boxed{2\\sqrt{3}}", "\\boxed{\\sqrt{12}}", "$\\boxed{2 \\cdot \\sqrt 3}$", "\\boxed{2√3}"],
        ["\\boxed{3\\sqrt{2}}"],
    ], None),
    ("Find the equation of the line.", [
        ["\\boxed{y = 2x + 3}", "\\boxed{y=2x+3}", "\\boxed{2x - y + 3 = 0}", "\\boxed{y = 3 + 2x}"],
        ["\\boxed{y=2x-3}"],
    ], None),
    ("Find the matrix.", [
        ["\\boxed{\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}}",
         "\\boxed{\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}}"],
        ["\\boxed{\\begin{pmatrix} 1 & 3 \\\\ 2 & 4 \\end{pmatrix}}"],
    ], None),
    ("Find the point.", [
        ["\\boxed{(1, 2)}", "$\\boxed{(1,2)}$", "\\boxed{\\left(1,2\\right)}"],
        ["\\boxed{(2,1)}"],
    ], None),
    ("What is the angle in degrees?", [
        ["\\boxed{45^\\circ}", "45°", "45 degrees", "\\boxed{45}"],
        ["\\boxed{90}"],
    ], None),
    ("Factor $x^2-1$.", [
        ["\\boxed{(x-1)(x+1)}", "\\boxed{(x+1)(x-1)}"],
        ["\\boxed{(x-1)^2}"],
    ], None),
    ("Who runs fastest?", [
        ["\\boxed{\\text{Evelyn}}", "Evelyn", "The answer is Evelyn."],
        ["\\boxed{\\text{Briana}}"],
    ], None),
    ("Express as a common fraction.", [
        ['{"reasoning":"a","answer":"\\\\frac{9}{256}"}', '{"reasoning":"a","answer":"9/256"}',
         '{"answer":"\\frac{9}{256}"}', "\\boxed{\\dfrac{9}{256}}"],
        ['{"answer":"\\\\frac{9}{255}"}'],
    ], None),
    ("Find all solutions.", [
        ["\\boxed{1,2,3}", "The answer is 1, 2, and 3.", "\\boxed{\\{1, 2, 3\\}}", "\\boxed{3, 2, 1}"],
        ["\\boxed{1,2}"],
    ], None),
    ("Give the base 2 form.", [
        ["\\boxed{1011_2}", "\\boxed{1011}", "\\boxed{1011_{2}}"],
        ["\\boxed{1101_2}"],
    ], None),
    ("What is the sum of the series? $\\sum$", [
        ["\\boxed{\\frac{\\pi^2}{6}}", "\\boxed{π²/6}", "\\boxed{\\dfrac{\\pi^{2}}{6}}"],
        ["\\boxed{\\frac{\\pi}{6}}"],
    ], None),
    ("Express $(-\\infty,2)\\cup(5,\\infty)$", [
        ["\\boxed{(-\\infty,2)\\cup(5,\\infty)}", "\\boxed{(5,\\infty) \\cup (-\\infty, 2)}",
         "\\boxed{x < 2 \\text{ or } x > 5}"],
        ["\\boxed{(-\\infty,2]\\cup[5,\\infty)}"],
    ], None),
    ("How much in dollars?", [
        ["\\boxed{\\$1,234}", "\\boxed{1234}", "$1,234", "\\boxed{1{,}234}", "\\boxed{1,\\!234}"],
        ["\\boxed{1,235}"],
    ], None),
    ("Give the JSON.", [
        ['{"a": 1}', '```json\n{"a": 1.0}\n```', "Here: {'a': 1}", '{"a": 1,}'],
        ['{"a": 2}'],
    ], AnswerKind.JSON),
    ("Call it.", [
        ['[{"name":"f","arguments":{"a":1}}]', "f(a=1)", "[f(a=1)]", '[{"f":{"a":1}}]',
         '{"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\\"a\\": 1}"}}]}',
         '<tool_call>\n{"name":"f","arguments":{"a":1}}\n</tool_call>', "```python\nf(a=1)\n```",
         '{"name":"f","parameters":{"a":1}}'],
        ["f(a=2)"],
        ["g(a=1)"],
    ], AnswerKind.JSON),
    ("What is the smallest positive integer $n$ such that $n^2$ is divisible by 18?", [
        ["We need $18 \\mid n^2$. Since $18 = 2\\cdot 3^2$, both $2$ and $3$ divide $n$, so it is $\\boxed{6}$.",
         '{\n  "reasoning": "18 = 2 * 3^2 so 2 and 3 divide n. $\\\\frac{36}{18} = 2$.",\n  "answer": "6"\n}',
         "To have 18 divide n^2 we need 6 | n.\n\nTherefore, the smallest positive integer is 6."],
        ["The answer is $\\boxed{18}$."],
    ], None),
    ("Let $f(x) = x^2 - 4x + 7$. Find the minimum value of $f$ in simplest form.", [
        ["Completing the square, $f(x) = (x-2)^2 + 3$, so the minimum is $\\boxed{3}$.",
         '```json\n{"reasoning": "complete the square $(x-2)^2+3$", "answer": "$3$"}\n```',
         "The minimum value is 3."],
        ["\\boxed{7}"],
    ], None),
    ("Compute $\\sin 60^\\circ$.", [
        ["$\\boxed{\\frac{\\sqrt{3}}{2}}$", '{"reasoning":"r","answer":"\\\\frac{\\\\sqrt{3}}{2}"}',
         '{"reasoning":"r","answer":"\\frac{\\sqrt{3}}{2}"}', "\\boxed{\\sqrt{3}/2}", "The answer is $\\sqrt3/2$."],
        ["\\boxed{\\frac12}"],
    ], None),
    ("Find all $x$ such that $|x-3|<5$. Express your answer in interval notation.", [
        ["$\\boxed{(-2,8)}$", "\\boxed{-2 < x < 8}", "The answer is $x \\in (-2, 8)$."],
        ["\\boxed{[-2,8]}"],
    ], None),
    ("Express $0.\\overline{4}$ as a fraction.", [
        ["\\boxed{\\frac{4}{9}}", "The answer is 4/9.", "\\boxed{\\dfrac49}"],
        ["\\boxed{\\frac{2}{5}}"],
    ], None),
    ("Find the projection of the vector.", [
        ["\\boxed{\\begin{pmatrix} 1 \\\\ -2 \\end{pmatrix}}", "\\boxed{\\begin{pmatrix}1\\\\-2\\end{pmatrix}}"],
        ["\\boxed{\\begin{pmatrix} -1 \\\\ 2 \\end{pmatrix}}"],
    ], None),
    ("Simplify $(3x^2)(2x)$.", [
        ["\\boxed{6x^3}", "The answer is $6x^3$."],
        ["\\boxed{5x^3}"],
    ], None),
    ("What is the probability, as a common fraction?", [
        ["\\boxed{\\frac{1}{6}}", "\\boxed{1/6}", "The answer is $\\frac{3}{18}$."],
        ["\\boxed{\\frac{1}{3}}"],
    ], None),
    ("Find the ordered pair $(a,b)$.", [
        ["\\boxed{(3, -1)}", "\\boxed{(a,b)=(3,-1)}", "The answer is $a = 3, b = -1$."],
        ["\\boxed{(-1,3)}"],
    ], None),
    ("Compute the sum.", [
        ["\\boxed{2^{10}-1}", "\\boxed{1023}", "The answer is $1{,}023$."],
        ["\\boxed{1024}"],
    ], None),
    ("Find $a+b$ where the answer is $5050$ dollars.", [
        ["\\boxed{\\$5,050}", "\\boxed{5050 \\text{ dollars}}", "\\boxed{5050}"],
        ["\\boxed{505}"],
    ], None),
    ("How many ways?", [
        ["\\boxed{\\binom{10}{3}=120}", "\\boxed{120}", "\\boxed{\\frac{10!}{3!7!}}"],
        ["\\boxed{720}"],
    ], None),
    ("Write in polar form.", [
        ["\\boxed{2e^{i\\pi/3}}", "\\boxed{1+i\\sqrt{3}}", "\\boxed{1 + \\sqrt{3}i}"],
        ["\\boxed{\\sqrt3+i}"],
    ], None),
    ("Factor the polynomial.", [
        ["\\boxed{2(x+3)(x-1)}", "\\boxed{(2x+6)(x-1)}"],
        ["\\boxed{(x+3)(x-1)}"],
    ], None),
    ("What is the greatest common factor of the terms? Give the polynomial.", [
        ["\\boxed{x^3+3x-6}", "\\boxed{-6+3x+x^3}"],
        ["\\boxed{x^3-3x-6}"],
    ], None),
    ("What base-5 number?", [
        ["\\boxed{2034_5}", "\\boxed{2034_{5}}", "\\boxed{2034_{\\text{five}}}"],
        ["\\boxed{2304_5}"],
    ], None),
    ("What fraction of the area is shaded?", [
        ["\\boxed{\\frac{3}{8}}", "\\boxed{0.375}"],
        ["\\boxed{\\frac58}"],
    ], None),
    ("Find the angle in radians.", [
        ["\\boxed{\\frac{2\\pi}{3}}", "\\boxed{2\\pi/3}", "\\boxed{\\tfrac{2}{3}\\pi}", "2π/3"],
        ["\\boxed{\\frac{\\pi}{3}}"],
    ], None),
    ("Which American-born Sinclair won the Nobel Prize for Literature in 1930?", [
        ["Sinclair Lewis", "Harry Sinclair Lewis", "The answer is Sinclair Lewis.",
         "It was Sinclair Lewis, the author of Babbitt."],
        ["Upton Sinclair"],
    ], None),
    ("Where in England was Dame Judi Dench born?", [
        ["York", "York, England", "Dame Judi Dench was born in York."],
        ["London"],
    ], None),
    ("In which decade did Billboard magazine first publish an American hit chart?", [
        ["1930s", "the 1930s", "In the 1930s."],
        ["1950s"],
    ], None),
    ("From which country did Angola achieve independence in 1975?", [
        ["Portugal", "Angola achieved independence from Portugal in 1975."],
        ["Spain"],
    ], None),
    ("Which city does David Soul come from?", [
        ["Chicago", "Chicago, Illinois", "Chicago, IL", "David Soul comes from Chicago, Illinois."],
        ["New York"],
    ], None),
    ("Who won Super Bowl XX?", [
        ["Chicago Bears", "The Chicago Bears won Super Bowl XX.", "the Bears"],
        ["New England Patriots"],
    ], None),
    ("Which volcano in Tanzania is the highest mountain in Africa?", [
        ["Kilimanjaro", "Mount Kilimanjaro", "Mt. Kilimanjaro"],
        ["Mount Kenya"],
    ], None),
    ("Which king followed?", [
        ["Henry VIII", "King Henry VIII", "Henry the Eighth", "Henry 8"],
        ["Henry VII"],
    ], None),
    ("What is the chemical symbol for gold?", [
        ["Au", "The chemical symbol for gold is Au.", "**Au**"],
        ["Ag"],
    ], None),
    ("Who painted the Mona Lisa?", [
        ["Leonardo da Vinci", "Leonardo Da Vinci painted the Mona Lisa.", "da Vinci"],
        ["Michelangelo"],
    ], None),
    ("Quelle est la capitale de l'Australie ?", [
        ["Canberra", "La capitale de l'Australie est Canberra.", "C'est Canberra."],
        ["Sydney"],
    ], None),
    ("¿Quién escribió Don Quijote?", [
        ["Miguel de Cervantes", "Cervantes", "Fue escrito por Miguel de Cervantes Saavedra."],
        ["Lope de Vega"],
    ], None),
    ("Кто написал «Войну и мир»?", [
        ["Лев Толстой", "Лев Николаевич Толстой", "Толстой", "Роман написал Лев Толстой."],
        ["Достоевский"],
    ], None),
    ("谁写了《红楼梦》？", [
        ["曹雪芹", "曹雪芹。", "《红楼梦》的作者是曹雪芹。"],
        ["吴承恩"],
    ], None),
    ("日本で一番高い山は何ですか？", [
        ["富士山", "富士山です。", "日本で一番高い山は富士山です。"],
        ["北岳"],
    ], None),
    ("세계에서 가장 높은 산은?", [
        ["에베레스트", "에베레스트입니다."],
        ["K2"],
    ], None),
    ("Chi ha dipinto la Gioconda?", [
        ["Leonardo da Vinci", "La Gioconda è stata dipinta da Leonardo da Vinci."],
        ["Raffaello"],
    ], None),
    ("Wer hat die Zauberflöte komponiert?", [
        ["Wolfgang Amadeus Mozart", "Mozart", "Die Zauberflöte wurde von Wolfgang Amadeus Mozart komponiert."],
        ["Beethoven"],
    ], None),
    ('Solve the puzzle. Answer in this JSON: {"reasoning": "", "solution": {"House 1": {"Name": ""}}}', [
        ['{"reasoning":"a","solution":{"House 1":{"Name":"Eric"},"House 2":{"Name":"Arnold"}}}',
         '```json\n{"reasoning":"longer","solution":{"House 1":{"Name":"eric"},"House 2":{"Name":"Arnold"}}}\n```'],
        ['{"reasoning":"a","solution":{"House 1":{"Name":"Arnold"},"House 2":{"Name":"Eric"}}}'],
    ], None),
    ("Write a Python function add(a, b) that returns the sum. Only code.", [
        ["```python\ndef add(a, b):\n    return a + b\n```", "def add(a,b):\n  return a+b",
         "```\ndef add(a, b):\n    # sum\n    return a + b\n```"],
        ["```python\ndef add(a, b):\n    return b + a\n```"],
    ], AnswerKind.CODE),
    ("What is the output of the following code?\nprint(3*'ab')", [
        ["ababab", "`ababab`", "```\nababab\n```", "The output is `ababab`.", "The answer is 'ababab'."],
        ["ab3"],
    ], None),
    ("What does len([1,2,3]) evaluate to?", [
        ["3", "`3`", "The answer is 3.", "It evaluates to `3`."],
        ["2"],
    ], None),
    ("How long is the flight?", [
        ["7 hours and 45 minutes", "7h 45m", "7.75 hours", "465 minutes"],
        ["8 hours"],
    ], None),
    ("What time is the meeting in UTC?", [
        ["14:00", "2 PM", "2:00 pm", "14:00 UTC"],
        ["15:00"],
    ], None),
    ("Um wie viel Uhr beginnt es?", [
        ["15:30 Uhr", "15:30", "Um 15:30 Uhr."],
        ["16 Uhr"],
    ], None),
    ("In welchem Jahr fiel die Berliner Mauer?", [
        ["1989", "Im Jahr 1989.", "Die Mauer fiel am 9. November 1989."],
        ["1990"],
    ], None),
    ("How old was he when he died?", [
        ["67", "67 years old", "He was 67.", "sixty-seven"],
        ["68"],
    ], None),
    ("What's the interest rate?", [
        ["5%", "5 percent", "5 %"],
        ["6%"],
    ], None),
    ("How many users?", [
        ["about 2.5 million", "2,500,000", "2.5 million users"],
        ["25 million"],
    ], None),
    ("How much does it weigh in pounds?", [
        ["10 lbs", "10 pounds", "10", "160 oz"],
        ["12 lb"],
    ], None),
    ("Can penguins fly?", [
        ["No, penguins cannot fly.", "No", "Penguins are birds, but they can't fly. So the answer is no.",
         "**No.** They swim instead."],
        ["Yes, they can."],
    ], None),
    ("Does the function terminate? Answer true or false.", [
        ["True", "true", "The answer is True.", "`True`"],
        ["False"],
    ], None),
    ("Stimmt es, dass Wale Fische sind?", [
        ["Nein", "Nein, Wale sind Säugetiere.", "Das ist falsch."],
        ["Ja"],
    ], None),
    ("A ball is thrown. What is its speed?\nA. 10 m/s\nB. 20 m/s\nC. 30 m/s\nD. 40 m/s", [
        ["Using energy conservation, v = 20 m/s. Therefore the correct option is B.", "20 m/s", "B. 20 m/s",
         "Let me compute. A is too slow. C is too fast. So B.", "The correct answer is **B**.",
         "**Answer:** B) 20 m/s", "I'd go with B.", "<answer>B</answer>", "B is correct because of conservation."],
        ["C", "The answer is 30 m/s."],
    ], None),
    ("Which three countries share a border with Luxembourg?", [
        ["Belgium, France and Germany", "Germany, Belgium, France",
         "Luxembourg borders Belgium, France, and Germany.", "1. Belgium\n2. Germany\n3. France",
         "The three countries are:\n\n- **Belgium** (west)\n- **France** (south)\n- **Germany** (east)"],
        ["Belgium, France, Netherlands"],
    ], None),
    ("List the steps of mitosis in order.", [
        ["Prophase, metaphase, anaphase, telophase",
         "1. Prophase: condense\n2. Metaphase: align\n3. Anaphase: separate\n4. Telophase: re-form"],
        ["Prophase, anaphase, metaphase, telophase"],
    ], None),
    ("Quels sont les trois pays baltes ?", [
        ["Estonie, Lettonie et Lituanie", "- Lituanie\n- Lettonie\n- Estonie",
         "Les trois pays baltes sont l'Estonie, la Lettonie et la Lituanie."],
        ["Estonie, Finlande et Lettonie"],
    ], None),
    ("列出三原色。", [
        ["红、黄、蓝", "蓝、红、黄", "1. 红\n2. 黄\n3. 蓝"],
        ["红、绿、蓝"],
    ], None),
]
# fmt: on
