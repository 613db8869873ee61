"""A reply without the blocks of reasoning in it: what a model thinks aloud between tags is no answer.

A tag counts where a line begins with it, or where it follows on another block's end; in the middle of a line it is
talk about tags. A block that is never closed goes to the end: the reply was cut off while it still thought.
"""

from __future__ import annotations

import re

_NAMES = r"think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis"
_OPENING = re.compile(rf"(?:^|(?<=>))[ \t]*(?:<(?P<tag>{_NAMES})>|◁think▷|\[THINK\])", re.MULTILINE | re.IGNORECASE)


def removed(text: str) -> str:
    """Returns what a reply says once it has thought."""
    if "<" not in text and "◁" not in text and "[THINK]" not in text:
        return text
    kept, position = [], 0
    while (opening := _OPENING.search(text, position)) is not None:
        kept.append(text[position : opening.start()])
        closing = f"</{opening['tag']}>" if opening["tag"] else "◁/think▷" if "◁" in opening[0] else "[/THINK]"
        end = text.lower().find(closing.lower(), opening.end())
        if end < 0:
            return "".join(kept).strip()
        position = end + len(closing)
    kept.append(text[position:])
    return "".join(kept).strip() if len(kept) > 1 else text
