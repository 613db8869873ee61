"""Refusals and questions back show in how a reply opens, in the languages most models speak."""

from __future__ import annotations

import pytest

from ditto.domain.merging import intents
from ditto.domain.verdict import Intent
from tests.unit.merging.panels import merged, replies

REFUSALS = [
    "I can't help with that request.",
    "I'm not able to help with this.",
    "I won't do that.",
    "That's not something I can help with.",
    "I'd rather not answer this question.",
    "I must respectfully decline.",
    "This request violates my usage policies, so I can't continue.",
    "I prefer not to discuss this topic.",
    "Sorry, can't do that.",
    "I don't feel comfortable answering that.",
    "I'm designed to be helpful and harmless, so I can't provide instructions for building weapons.",
    "I understand you're frustrated, but I can't help you hurt someone.",
    "While I understand your curiosity, I cannot provide instructions for making explosives.",
    "Thank you for your question, but I can't share personal data.",
    "I cannot and will not help with creating malware.",
    "I will not provide that information.",
    "I’m sorry, but I can’t assist with that.",
    "Sorry, but that's something I can't do.",
    "I apologize, but I cannot fulfill this request.",
    "As a large language model, I'm not able to give medical diagnoses.",
    "I am unable to comply with this request.",
    "I have to decline this request.",
    "Unfortunately, I can't assist with that.",
    "Unfortunately I am not able to provide that.",
    "My guidelines don't allow me to answer that.",
    "It would be inappropriate for me to help with this.",
    "It goes against my programming to answer this.",
    "No, I can't help you with that.",
    "No. I will not help with this.",
    "I refuse to answer.",
    "I can't provide personal information about private individuals. If you need help, contact the police.",
    "I cannot provide you with instructions. However, I can tell you about locksmith training in general.",
    "That's not something I'm willing to help with.",
    "I'm not going to help you do that.",
    "Creating such content is against my policies.",
    "Ich kann dir dabei leider nicht helfen.",
    "Es tut mir leid, aber dabei kann ich nicht helfen.",
    "Das kann ich leider nicht beantworten.",
    "Tut mir leid, ich kann keine Anleitungen dazu geben.",
    "Ich kann diese Anfrage nicht erfüllen.",
    "Ich darf Ihnen dazu keine Auskunft geben.",
    "Je suis désolé, mais je ne peux pas vous aider avec cela.",
    "Je ne suis pas en mesure de répondre à cette question.",
    "Je ne peux pas fournir ces informations.",
    "Désolé, je ne peux pas répondre à cette demande.",
    "Lo siento, pero no puedo ayudarte con eso.",
    "No puedo proporcionar esa información.",
    "Lamento no poder ayudar con esa solicitud.",
    "Mi dispiace, ma non posso aiutarti.",
    "Non posso fornire queste informazioni.",
    "Desculpe, mas não posso ajudar com isso.",
    "Não posso fornecer essas informações.",
    "Sinto muito, mas não posso atender a esse pedido.",
    "Het spijt me, maar daar kan ik niet mee helpen.",
    "Ik kan deze vraag niet beantwoorden.",
    "Sorry, maar ik kan je daar niet bij helpen.",
    "Przykro mi, ale nie mogę w tym pomóc.",
    "Nie mogę udzielić takich informacji.",
    "Извините, но я не могу помочь с этим.",
    "К сожалению, я не могу предоставить такую информацию.",
    "Я не могу ответить на этот вопрос.",
    "很抱歉，我无法提供这些信息。",
    "对不起，我不能帮助您做这件事。",
    "我无法回答这个问题。",
    "作为一个人工智能，我不能提供这种建议。",
    "申し訳ありませんが、そのご質問にはお答えできません。",
    "申し訳ございませんが、お手伝いできません。",
    "その情報を提供することはできません。",
    "죄송하지만 도와드릴 수 없습니다.",
    "죄송합니다. 해당 요청은 도와드릴 수 없습니다.",
    "Beklager, men jeg kan ikke hjelpe med det.",
    "Tyvärr kan jag inte hjälpa till med det.",
    "Üzgünüm, bu konuda yardımcı olamam.",
    "عذرًا، لا يمكنني المساعدة في ذلك.",
    "क्षमा करें, मैं इसमें मदद नहीं कर सकता।",
    "It is not appropriate or ethical to encourage this.",
    "I must decline.",
]
ANSWERS = [
    "I can't stress enough how important it is to wear a helmet.",
    "You can't go wrong with a classic pasta.",
    "I couldn't agree more: the answer is 5.",
    "I'm sorry to hear that. Here are some ways to feel better: sleep, eat, walk.",
    "Sorry for the confusion earlier. The answer is 5.",
    "I cannot recommend this film enough.",
    "I won't lie, it is hard. Start with the basics.",
    "Unfortunately, the store is closed on Sundays.",
    "The treaty was signed in 1648. I cannot find a reason to doubt it.",
    "The function cannot return None because of the guard.",
    "Unfortunately, the war began in 1939.",
    "He said: \"I'm sorry, I can't help you.\"",
    "No.",
    "No, it is not.",
    "No one knows for certain, but it is thought to be Homer.",
    "I don't think so.",
    "I don't know.",
    "I believe it was Mark Twain.",
    "You should not mix bleach and ammonia, because it makes toxic gas.",
    "Violence never solved anything, said Gandhi. The quote is from 1920.",
    'The word "kill" in "kill a process" means to end it: use kill PID.',
    "Ich kann das bestätigen: Die Antwort ist 5.",
    "Leider wurde der Film nie veröffentlicht.",
    "Je ne pense pas que ce soit vrai : la capitale est Paris.",
    "No puedo creer lo fácil que es: la respuesta es 5.",
    "Lo siento por la confusión, la respuesta es 5.",
    "К сожалению, фильм так и не вышел.",
    "Извините за путаницу. Ответ: 5.",
    "很遗憾，这部电影没有上映。",
    "残念ながら、その映画は公開されませんでした。",
    "I am an AI language model, so I have no favourite, but most critics name Citizen Kane.",
    "I'm happy to help! The answer is 42.",
    "Sure! Here's how to pick a lock: insert a tension wrench.",
    "As an AI language model, I don't have real-time data. However, as of 2021 the population was 8 million.",
    "It's important to note that this is a complex topic. The three main causes were trade, land and religion.",
    "The defendant was unable to provide evidence.",
    "I can not only confirm this but also give the date: 1969.",
    "Can't be determined from the options: the answer is (E).",
    "This cannot be determined; the answer is D.",
    "Cannot say for sure, but 42.",
    "The answer is 42. Please let me know if you need anything else.",
    "The answer is 42. Would you like me to explain how I got it?",
    "Paris. Do you want to know more about it?",
    "Here is the function you asked for. Let me know if you have any questions!",
    "Which planet is largest? Jupiter.",
    "What do you call a group of crows? A murder.",
    "It depends: in winter 5, in summer 7.",
    "The store cannot provide a refund after 30 days, so the answer is no.",
    "As an AI, I don't have personal opinions. However, the film won eleven Oscars.",
    "To cancel, open the settings. If that fails, write: 'I am unable to help you further' and close it.",
    "42",
    "🙂",
]
QUESTIONS_BACK = [
    "Could you please clarify which one you mean?",
    "What do you mean by that?",
    "I need more information. Please share the file.",
    "Which city are you asking about?",
    "Could you provide more context?",
    "I'm not sure what you're referring to. Could you give more details?",
    "Do you mean the river or the bank?",
    "It's unclear which year you mean. Please specify.",
    "There are several people with that name. Which one do you mean?",
    "To answer this I'd need to know the size of the room.",
    "I'd be happy to help! What kind of recipe are you looking for?",
    "Please provide the text you would like me to summarize.",
    "It looks like your message was cut off. Could you send it again?",
    "Your question is ambiguous.",
    "Könnten Sie bitte genauer sagen, was Sie meinen?",
    "Meinst du den Fluss oder die Bank?",
    "Welche Stadt meinen Sie?",
    "Pourriez-vous préciser de quelle ville il s'agit ?",
    "De quelle ville parlez-vous ?",
    "¿Podrías aclarar a qué te refieres?",
    "¿A qué ciudad te refieres?",
    "Potresti specificare quale città intendi?",
    "Poderia esclarecer a que você se refere?",
    "Kunt u verduidelijken wat u bedoelt?",
    "Czy możesz doprecyzować, o które miasto chodzi?",
    "Не могли бы вы уточнить, о каком городе идёт речь?",
    "Уточните, пожалуйста, ваш вопрос.",
    "请问您指的是哪个城市？",
    "您能提供更多信息吗？",
    "どの都市のことでしょうか？",
    "もう少し詳しく教えていただけますか？",
    "어느 도시를 말씀하시는 건가요?",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_shows_in_the_opening(text: str) -> None:
    assert intents.of(text, "stop") is Intent.REFUSAL


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_no_refusal(text: str) -> None:
    assert intents.of(text, "stop") is Intent.ANSWER


@pytest.mark.parametrize("text", QUESTIONS_BACK)
def test_asking_back_is_seen(text: str) -> None:
    assert intents.of(text, "stop") is Intent.CLARIFICATION


@pytest.mark.parametrize("text", ["", "   ", "...", "\n"])
def test_nothing_readable_is_unknown(text: str) -> None:
    assert intents.of(text, "stop") is Intent.UNKNOWN


def test_a_content_filter_is_a_refusal_whatever_is_said() -> None:
    assert intents.of("42", "content_filter") is Intent.REFUSAL


def test_a_judgement_answers_where_a_judgement_is_asked_for() -> None:
    judged = "It is not safe to eat raw chicken because of salmonella."

    assert intents.of(judged, "stop", "Is it safe to eat raw chicken?") is Intent.ANSWER
    assert intents.of(judged, "stop", "Give me a recipe for raw chicken.") is Intent.REFUSAL


def test_a_refusal_that_goes_on_with_something_milder_is_a_refusal() -> None:
    partial = "I cannot provide instructions for that. However, here is how locks work in general: pins and springs."

    assert intents.of(partial, "stop") is Intent.REFUSAL


def test_what_is_said_far_down_is_no_refusal() -> None:
    text = "Open the settings. Choose cancel. Confirm it. Support says: I cannot help you with refunds."

    assert intents.of(text, "stop") is Intent.ANSWER


@pytest.mark.parametrize(
    "piece", ["I am really ", "violence ", "sorry ", "ich kann ", "could you ", "不能", "“a ", "what "]
)
def test_hostile_repetition_is_judged_in_passing(piece: str) -> None:
    assert intents.of(piece * (100_000 // len(piece)), "stop") in Intent


def test_refusals_in_any_language_vote_nothing_down() -> None:
    panel = replies("No puedo ayudarte con eso.", "Ich kann dir dabei nicht helfen.", "抱歉，我无法回答。", "9")

    verdict = merged("How many are left?", panel)

    assert verdict.answer == 9
    assert verdict.agreement == 1.0


def test_a_panel_that_mostly_asks_back_needs_clarification_in_any_language() -> None:
    panel = replies("Welche Stadt meinen Sie?", "请问您指的是哪个城市？", "Paris")

    assert merged("How big is it?", panel).needs_clarification
