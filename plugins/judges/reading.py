"""Which option of a multiple-choice question a reply chooses, by rules alone.

A wrong reading would pass for a measurement, a missing one is seen and counted: what is not plain is not
read. Replies that name several options, contradict themselves, only negate, or tell the options again
choose none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from .options import LONE, Options
from .words import plain

LONGEST = 20_000
"""Characters; a longer reply is no answer, whatever it says."""
Found = set[int | None]
"""Places of options; None among them stands for words about an option that cannot be told."""

_MARKS = re.compile(r"[*_`#$]+|^[ \t]*[->][ \t]+", re.MULTILINE)
_STYLED = re.compile(r"\\(?:text|mathbf|mathrm|textbf)\s*\{([^{}]*)\}")
_TAGGED = re.compile(r"<answer>(.*?)</answer>|\\boxed\s*\{+([^{}]*)\}+", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"[\"“”«»「」『』]|(?<!\w)['‘]([A-Za-z])['’](?!\w)")

# A letter by itself; one that is an answer has no further word right behind it and no second letter.
_LETTER = r"(?<![^\W_\u0e00-\U0010ffff])([A-Za-z])(?![^\W_\u0e00-\U0010ffff])(?!['’])"
_AND = r"(?:[,/&+、]|(?:or|and|und|oder|et|ou|y|o|e|и|или)\b|或者?|和|と|か)"
_ANSWER = re.compile(
    rf"\s*[(\[{{<]*\s*{_LETTER}[)\]}}>]*"
    rf"(?!\s*{_AND}\s*(?:option\s+)?[(\[]*[A-Za-z](?![A-Za-z]))"
    r"(?=\s*$|\s*[.,;:!(–—\n。|}]|\s+-|\s+(?:because|since|as|for|due|given|weil|da|car|porque|ya|pois)\b"
    r"|\s*(?:です|입니다|选项|项))"
)
_WORDS = r"answer|option|choice|antwort|réponse|respuesta|opción|risposta|resposta|ответ"
_IS = (
    r"(?:\s*(?:(?:is|was|are|must be|should be|would be|ist|est|es|é|è|lautet)(?!\w)"
    r"|是|为|為|は|는|은|[:=]))+"
    r"(?:\s*(?:the|option|choice|letter|clearly|indeed|most|likely|probably)\b)*"
)
_SAYING = re.compile(
    rf"(?:(?:\bfinal\s+|\bcorrect\s+|\bbest\s+|\bright\s+)*\b(?:{_WORDS})['’]?(?:\s+\w+){{0,3}}?"
    rf"|答案|答え|正解|回答|정답|답){_IS}(?=(?P<said>[^\n]{{0,400}}))",
    re.IGNORECASE,
)
_CHOOSING = re.compile(
    r"(?:\b(?:i|i'd|i’d|i'll|would|will|i would|i will)\s+(?:choose|pick|select|say|go with|go for)"
    r"|\b(?:i think|i believe|i would say|i'd say)(?:\s+that)?(?:\s+(?:it|this)(?:'s|’s| is| must be))?"
    r"|\b(?:it|this|that)(?:'s|’s| is| must be)"
    r"|(?:\bnot|n['’]t)\s+(?:option\s+)?\(?[A-Za-z]\)?,?\s+but|选择?|選択?)"
    r"(?:\s*(?:the|option|choice|letter|answer|rather)\b)*(?=(?P<said>[^\n]{0,400}))",
    re.IGNORECASE,
)
_CORRECT = re.compile(
    rf"{_LETTER}\)?\s+is\s+(?:the\s+)?(?:only\s+|most\s+)?(?:correct|right|best|answer|accurate)\b"
)
_FINAL = re.compile(r"\bfinal(?:ly)?\b|\bin conclusion\b", re.IGNORECASE)

_HEAD = re.compile(rf"\s*\(?{_LETTER}(?:\s*[.:;)、](?!\w\.)|,(?=\s)|\s+[–—-](?=\s))")
_MENTION = re.compile(rf"\b(?i:option|choice|letter)\s+\(?(?!a\s+\w){_LETTER}|\(\s*([A-Za-z])\s*\)")
_BARE = re.compile(rf"(?=[B-HJ-Z]){_LETTER}|(?=A){_LETTER}(?=\s*(?:$|[^\w\s]|or\b|and\b))")

_DOUBT = re.compile(
    r"\b(?:not|never|cannot|neither|nor|no|nobody|none|without|unable|except|rather|instead|unlike|wrong|incorrect"
    r"|false|if|whether|unless|suppose|assuming|doubt|hardly|unclear|unsure|uncertain|either|maybe|perhaps|might"
    r"|may|could|far from|stop\w*|lack\w*|fail\w*|refus\w*|avoid\w*|den(?:y|ies|ied)|pretend\w*"
    r"|eliminat\w+|exclud\w+|rule[sd]?|ruling|discard\w*|nicht|kein\w*|ne|pas|não|не)\b|n['’]t\b|不|没|非|ない",
    re.IGNORECASE,
)
_TURN = re.compile(r"\b(?:before|after|when|while|until|since|as|then|but|than|opposite)\b", re.IGNORECASE)
_SILENT = """
it its is are was were be this that these there here i we you can see seen saw he she they her his their all
in on at of to for from by with video clip scene image picture frame frames footage shows show shown depicts
depicted displays features has have appears appear looks look seems seem person man woman people subject
object color colour number total answer so therefore thus clearly doing happens happening
视 频 中 有 一 辆 个 只 是 在 这 里 了 人 で す は が
"""
"""Words that may stand beside an option's text without turning it."""
_CLAUSE = re.compile(r"[.!?;,:\n。]|\b(?:so|therefore|thus|hence|but|then)\b", re.IGNORECASE)
_END = re.compile(r"[.!?\n。]")
_SENTENCE = re.compile(r"(?<=[.!?。])(?:\s|$)|\n")


def read_choice(reply: str, choices: Sequence[str], question: str = "") -> int | None:
    """The place of the option that ``reply`` to ``question`` chooses, from 0; None unless that is plain."""
    options, text = Options(choices), _bared(reply)
    for rule in (_whole, _stated, _headed, _mentioned):
        found = rule(text, options)
        if found:
            break
    else:
        found = _told(text, options, question)
    return found.pop() if len(found) == 1 else None


def _bared(reply: str) -> str:
    """The reply without thoughts, markup and quotation marks; nothing of thoughts without an end."""
    text = unicodedata.normalize("NFKC", reply).replace("\r", "")
    end = text.lower().rfind("</think")
    text = text[end:].partition(">")[2] if end >= 0 else text
    if "<think" in text.lower() or len(text) > LONGEST:
        return ""
    text = _STYLED.sub(r"\1", text)
    text = _TAGGED.sub(
        lambda match: f"\nanswer: {_MARKS.sub('', match[1] or match[2] or '').strip(' {}')}\n", text
    )
    return _QUOTED.sub(lambda match: match[1] or "", _MARKS.sub(" ", text)).strip()


def _whole(text: str, options: Options) -> Found:
    """The reply is a letter, an option's text, or both, and nothing else."""
    lone = LONE.fullmatch(text)
    if lone:
        letter = options.lettered(lone[1])
        return {letter} if lone[1].upper() in options.letters else options.equal(text) or {None}
    if _HEAD.match(text):
        return set()
    spaced = text[1:2].isspace() and options.lettered(text[0]) in options.equal(text[2:])
    return options.equal(text) or ({options.lettered(text[0])} if spaced else set())


def _stated(text: str, options: Options) -> Found:
    """The options that are said to be the answer; of several the one that is called final."""
    found: list[tuple[int, int | None, bool]] = []
    for pattern in (_SAYING, _CHOOSING):
        for match in pattern.finditer(text):
            before = _before(text, match)
            contrast = re.search(r"(?:\bnot|n['’]t)\b.*\bbut\b", match[0], re.IGNORECASE)
            if _asked(text, match.start()) or (_DOUBT.search(f"{before} {match[0]}") and not contrast):
                continue
            place, clear = _said(match["said"], options, by_text=pattern is _SAYING)
            if clear:
                found.append((match.end(), place, bool(_FINAL.search(f"{before} {match[0]}"))))
    found += [
        (match.start(), options.lettered(match[1]), False)
        for match in _CORRECT.finditer(text)
        if not _asked(text, match.start()) and not _DOUBT.search(_before(text, match))
    ]
    if not found:
        return set()
    _, last, final = max(found, key=lambda item: item[0])
    return {last} if final else {place for _, place, _ in found}


def _said(said: str, options: Options, by_text: bool) -> tuple[int | None, bool]:
    """The option that follows "the answer is", and whether it says anything at all."""
    letter = _ANSWER.match(said)
    if letter:
        place = options.lettered(letter[1])
        return (None if _contradicts(said[letter.end() :], place, options) else place), True
    equal = (options.equal(said) or options.equal(_SENTENCE.split(said)[0])) if by_text else set()
    return (next(iter(equal)), True) if len(equal) == 1 else (None, False)


def _headed(text: str, options: Options) -> Found:
    """A first or last line that is a letter or begins with one; several such letters tell the options."""
    lines = [line for line in text.splitlines() if line.strip()]
    lone = [options.lettered(match[1]) for line in lines if (match := LONE.fullmatch(line))]
    if lone:
        edges = {match[1] for line in (lines[0], lines[-1]) if (match := LONE.fullmatch(line))}
        return {options.lettered(letter) for letter in edges} if edges and len(set(lone)) == 1 else {None}
    heads = [(match, line) for line in lines if (match := _HEAD.match(line))]
    heads = [(match, line) for match, line in heads if options.lettered(match[1]) is not None]
    if not heads:
        return set()
    match, line = heads[0]
    place, rest = options.lettered(match[1]), line[match.end() :]
    if len({head[1].upper() for head, _ in heads}) > 1 or line not in (lines[0], lines[-1]):
        return {None}
    doubt = re.match(r"\W*(?:is\s+|are\s+)?(?:not|wrong|incorrect|false)\b", rest, re.IGNORECASE)
    others = {options.lettered(letter[1] or letter[2]) for letter in _BARE.finditer(rest)} - {place}
    return {None} if doubt or others or _contradicts(rest, place, options) else {place}


def _mentioned(text: str, options: Options) -> Found:
    """The options whose letters are mentioned as such; {None} in doubt."""
    mentions = [(match.start(), options.lettered(match[1] or match[2])) for match in _MENTION.finditer(text)]
    mentions = [(start, place) for start, place in mentions if place is not None]
    if not mentions:
        return set()
    if _DOUBT.search(options.without(text)) or any(_asked(text, start) for start, _ in mentions):
        return {None}
    bare = {options.lettered(match[1] or match[2]) for match in _BARE.finditer(text)} - {None}
    return {place for _, place in mentions} | bare | options.within(text)


def _told(text: str, options: Options, question: str) -> Found:
    """The option whose text is the reply but for words that say nothing of their own; {None} in doubt.

    Sentences turn what they hold into its opposite in more ways than can be listed ("far from red",
    "supposed to be red"), so what else they may say is listed instead. Long texts carry themselves.
    """
    found = options.within(text)
    place = next(iter(found), None)
    if place is None:
        return found
    bare = {options.lettered(match[1] or match[2]) for match in _BARE.finditer(text)} - {None}
    if len(found | bare) > 1 or "?" in text:
        return {None}
    if options.equal(_CLAUSE.split(text)[0]) == found:
        return found
    rest = options.beside(text, place)
    own = len(plain(options.texts[place]).split())
    long = own >= 4 and len(rest) <= own and not _TURN.search(options.without(text))
    known = set(_SILENT.split()) | set(plain(question).split())
    silent = known.issuperset(rest) and not _labels(text, place, options)
    return found if (silent or long) and not _DOUBT.search(options.without(text)) else {None}


def _labels(text: str, place: int, options: Options) -> bool:
    """Whether the option is a number behind a noun, as in "door 2", which counts nothing."""
    own, words = plain(options.texts[place]), plain(text).split()
    before = words[words.index(own) - 1] if own in words[1:] else ""
    return own.isdigit() and bool(before) and before not in _SILENT.split()


def _contradicts(rest: str, place: int | None, options: Options) -> bool:
    """Whether right after an option's letter stands the text of another one."""
    sentence = next((part for part in _SENTENCE.split(rest) if part.strip(" \t.:,;)-—–")), "").strip(
        " .:,;)-—–"
    )
    found = (options.equal(sentence) or options.within(sentence)) - {None}
    return bool(found) and place not in found


def _before(text: str, match: re.Match[str]) -> str:
    """What its clause says before a match."""
    return _CLAUSE.split(text[max(0, match.start() - 200) : match.start()])[-1]


def _asked(text: str, start: int) -> bool:
    """Whether the sentence at ``start`` is a question."""
    end = _END.search(text, start)
    return end is not None and end[0] == "?"
