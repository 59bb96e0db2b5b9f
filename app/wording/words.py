"""Texts from outside, as Streamlit's markdown shows them letter by letter."""

import re

from recovery.words.printable import printable

_READ_LATER = re.compile(
    r":(?=[\w+/-]*[A-Za-z][\w+/-]*:|\+1:|-1:|100:|1234:)"  # :material/home:, :smile:
    r"|(?<=(?<!\S)<)-(?=>?(?!\S))|(?<!\S)-(?=[->](?!\S))|(?<=(?<!\S)[<>~])=(?!\S)"  # <-> <- -> -- <= >= ~=
    r"|(?<=[wW]{3})\.(?=\w)|(?<=[a-zA-Z]):(?=//)|(?<=\w)@(?=[-\w]+\.\w)"  # www.a.b, https://a.b, a@b.c
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def as_markdown(text: str) -> str:
    """A text from outside, shown letter by letter by Streamlit's markdown.

    Backslashes keep markdown off. What Streamlit looks for after that (icons, emoji, arrows, addresses) it looks for
    in one run of text: an empty color directive, which changes nothing, makes two runs of it.
    """
    shown, done = re.sub(" {2,}", " ", printable(text)).strip(), 0
    escaped = []
    for found in _READ_LATER.finditer(shown):
        escaped += [_escaped(shown[done : found.start()]), f":color[{_escaped(found[0])}]"]
        done = found.end()
    return "".join((*escaped, _escaped(shown[done:])))


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)
