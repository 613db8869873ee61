"""The report of a batch as one page that needs nothing else: no script, no other host, everything escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

_STYLE = "page.css"


def page(title: str, told: Mapping[str, Any]) -> str:
    """Returns the page of what `Summary.told` tells."""
    style = (files("ditto.batching") / _STYLE).read_text(encoding="utf-8")
    parts = (
        _header(title, told),
        _confidence(told),
        _models(told),
        _agreement(told),
        _labels(told),
        _wrong(told),
        _review(told),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main>"
        + "".join(parts)
        + "</main></body></html>\n"
    )


def _header(title: str, told: Mapping[str, Any]) -> str:
    models = told["models"].values()
    latency = told["latencyMs"]
    facts = [
        ("rows", f"{told['rows']:,}"),
        ("complete", f"{told['complete']:,}"),
        ("failed", f"{told['failed']:,}"),
        ("to review", f"{told['needsReview']:,} ({_share(told['needsReview'], told['complete'])})"),
        ("calls", f"{sum(model['calls'] for model in models):,}"),
        ("tokens in", f"{sum(model['inputTokens'] for model in models):,}"),
        ("tokens out", f"{sum(model['outputTokens'] for model in models):,}"),
        ("half of the rows took", _ms(latency["p50"])),
        ("99 of 100 took", _ms(latency["p99"])),
        ("the slowest", _ms(latency["slowest"])),
    ]
    shown = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    passes = ""
    if told["passes"]:
        questions = told["passes"]["questions"]
        passes = f"<p>Merged twice: {questions:,} of the rows taught how good each model is, without labels.</p>"
    return f'<h1>{escape(title)}</h1><dl class="facts">{shown}</dl>{passes}'


def _confidence(told: Mapping[str, Any]) -> str:
    bins, none = told["confidence"]["bins"], told["confidence"]["none"]
    most = max([*bins, 1])
    columns = "".join(
        f'<div class="column"><b>{count or ""}</b><i style="height:{100 * count / most:.1f}%"></i>'
        f"<span>{place * 10}<u>–{place * 10 + 10}</u></span></div>"
        for place, count in enumerate(bins)
    )
    without = f"<p>{none:,} rows have no confidence: there is no ground for one.</p>" if none else ""
    return _section("Confidence", f'<div class="columns">{columns}</div><p class="axis">percent</p>{without}')


def _models(told: Mapping[str, Any]) -> str:
    kinds = sorted({kind for model in told["models"].values() for kind in model["skills"]})
    head = ["model", "replies", "failed", "with the verdict", *(f"skill: {kind}" for kind in kinds)]
    rows = []
    for name, model in told["models"].items():
        failed = sum(model["failed"].values())
        why = ", ".join(f"{kind} {count:,}" for kind, count in model["failed"].items())
        rows.append(
            [
                escape(name),
                f"{model['rows'] - failed:,}",
                f"{failed:,}" + (f"<small>{escape(why)}</small>" if why else ""),
                _bar(model["withVerdict"], model["votes"]),
                *(f"{model['skills'][kind]:+.2f}" if kind in model["skills"] else "" for kind in kinds),
                f"{model['inputTokens']:,}",
                f"{model['outputTokens']:,}",
            ]
        )
    note = "<p>A skill is the log-odds of being right where a question is of average ease.</p>" if kinds else ""
    return _section("Models", _table([*head, "tokens in", "tokens out"], rows) + note) if rows else ""


def _agreement(told: Mapping[str, Any]) -> str:
    names = sorted({name for pair in told["agreement"] for name in pair["models"]})
    if not 2 <= len(names) <= 20:
        return ""
    shares = {tuple(pair["models"]): pair["same"] / pair["rows"] for pair in told["agreement"] if pair["rows"]}
    rows = []
    for one in names:
        cells = [escape(one)]
        for other in names:
            share = shares.get((min(one, other), max(one, other)))
            cells.append("" if one == other or share is None else _shade(share))
        rows.append(cells)
    text = "<p>How often two models gave the same answer, in percent of the rows on which both voted.</p>"
    return _section("Agreement", text + _table(["", *names], rows))


def _labels(told: Mapping[str, Any]) -> str:
    labels = told["labels"]
    if labels is None:
        return ""
    rows = [["the verdicts" if labels["firstPass"] is None else "second pass", *_measured(labels)]]
    if labels["firstPass"] is not None:
        rows.append(["first pass", *_measured(labels["firstPass"])])
    bins = [
        [f"{place * 10}–{place * 10 + 10} %", f"{each['rows']:,}", _percent(each["stated"]), _percent(each["right"])]
        for place, each in enumerate(labels["bins"])
        if each["rows"]
    ]
    text = "<p>Confidences are corrected by labels of other rows only.</p>"
    return _section(
        "Labels",
        text
        + _table(["", "labelled rows", "right", "calibration error"], rows)
        + _table(["confidence", "rows", "stated", "right"], bins),
    )


def _wrong(told: Mapping[str, Any]) -> str:
    if not told["errors"]:
        return ""
    kinds = [[escape(kind), f"{count:,}"] for kind, count in told["errors"].items()]
    rows = [
        [escape(_place(row)), escape(str(row["id"])), escape(str(row["type"])), escape(str(row["message"]))]
        for row in told["wrongRows"]
    ]
    return _section(
        "Rows that failed",
        _table(["why", "rows"], kinds) + _table(["where", "id", "why", "what is said"], rows),
    )


def _review(told: Mapping[str, Any]) -> str:
    if not told["review"]:
        return _section("To review", "<p>No row needs a person's review, and no two models disagreed.</p>")
    return _section("To review, the least sure first", "".join(_reviewed(row) for row in told["review"]))


def _reviewed(row: Mapping[str, Any]) -> str:
    sure = "no confidence" if row["confidence"] is None else f"{row['confidence'] * 100:.0f} % sure"
    sure = f"{sure} · needs review" if row["needsReview"] else sure
    label = f" · label: {escape(row['label'])}" if row["label"] else ""
    question = f"<blockquote>{escape(row['question'])}</blockquote>" if row["question"] else ""
    answers = "".join(
        f'<div class="{"won" if each["won"] else "lost"}"><h4>{escape(each["model"])}</h4>'
        f"<p>{escape(each['answer'] or 'no answer to compare')}</p>"
        + (f"<pre>{escape(each['reply'])}</pre>" if each["reply"] else "")
        + "</div>"
        for each in row["answers"]
    )
    return (
        f"<article><h3>{escape(str(row['id']))} <small>{escape(_place(row))} · {sure}{label}</small></h3>{question}"
        f'<div class="side">{answers}</div></article>'
    )


def _place(row: Mapping[str, Any]) -> str:
    line = f"line {row['line']}"
    return f"{row['file']}, {line}" if row.get("file") else line


def _measured(labels: Mapping[str, Any]) -> list[str]:
    ece = "" if labels["ece"] is None else f"{labels['ece']:.3f}"
    return [f"{labels['rows']:,}", _percent(labels["accuracy"]), ece]


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; cells are markup, heads are text."""
    heads = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>'


def _bar(part: int, whole: int) -> str:
    width = 100 * part / whole if whole else 0.0
    return f'<span class="bar"><i style="width:{width:.1f}%"></i></span> {_share(part, whole)}'


def _shade(share: float) -> str:
    return f'<span class="shade" style="--share:{share:.2f}">{share * 100:.0f}</span>'


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}\u00a0%" if whole else "–"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.1f}\u00a0%"


def _ms(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"
