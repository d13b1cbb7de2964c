"""How is a number, a digest or a foreign text written for a person to read?

Feature names, category levels and reasons come from data that anybody may have written. Escaping is
the template's work; here texts are made *visible*: control characters and the marks that reverse
the direction of reading are spelled out, and nothing is longer than a page can show.
"""

import math
import re
from collections.abc import Sequence

__all__ = [
    "MINUS",
    "count",
    "datum",
    "decimals_for",
    "declared",
    "distance",
    "interval",
    "listing",
    "moment",
    "number",
    "p_value",
    "percent",
    "plural",
    "sentence",
    "short_digest",
    "shorten",
    "signed",
    "span",
    "visible",
]

MINUS = "\N{MINUS SIGN}"
"""A hyphen is too short to be seen before a digit."""

NO_BREAK = "\N{NO-BREAK SPACE}"

LONGEST_TEXT = 1500
"""Characters of a sentence that a page shows; the record holds the rest."""

LARGEST_PLAIN = 1e12
MOST_DECIMALS = 7

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Control characters, direction marks, zero-width characters and lone surrogates."""


def visible(text: str) -> str:
    r"""Spell out the characters that could hide or reverse the rest of a text.

    >>> visible("pay\u202eroll"), visible("two\x00")
    ('pay\\u202eroll', 'two\\x00')
    """
    return _HIDDEN.sub(lambda found: ascii(found.group())[1:-1], text)


def shorten(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return the text, its middle left out where it is longer than ``longest`` characters.

    >>> shorten("abcdefghijkl", 7)
    'abc…jkl'
    """
    if len(text) <= longest:
        return text
    head = longest // 2
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"


def sentence(text: str) -> str:
    """Return a clause as a sentence: a capital in front, a full stop behind.

    >>> sentence("no gain shown"), sentence("Why?")
    ('No gain shown.', 'Why?')
    """
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def short_digest(digest: str) -> str:
    """Return enough of a digest to recognise it.

    >>> short_digest("sha256:e3b0c44298fc1c149afbf4c8996fb924")
    'e3b0c44298fc'
    """
    return shorten(digest.removeprefix("sha256:")[:12])


def count(value: int) -> str:
    """Return a whole number with thousands apart.

    >>> count(1234567)
    '1,234,567'
    """
    return f"{value:,}".replace("-", MINUS)


def plural(value: int, noun: str, nouns: str | None = None) -> str:
    """Return a count with its noun.

    >>> plural(1, "row"), plural(2000, "row"), plural(0, "entry", "entries")
    ('1 row', '2,000 rows', '0 entries')
    """
    return f"{count(value)} {noun if value == 1 else nouns or noun + 's'}"


def decimals_for(scale: float, *, digits: int = 3) -> int:
    """Return the decimals at which a quantity of this size shows ``digits`` digits.

    >>> decimals_for(0.0123), decimals_for(1234.5), decimals_for(0.0)
    (4, 0, 2)
    """
    if scale == 0:
        return digits - 1
    return min(max(digits - 1 - math.floor(math.log10(abs(scale))), 0), 300)


def number(value: float, *, digits: int = 3, decimals: int | None = None) -> str:
    """Return a number at reading precision.

    Args:
        value: finite.
        digits: significant digits to show at least; whole parts are never rounded away.
        decimals: decimals instead, where several numbers must line up.

    >>> number(0.012345), number(12345.678), number(-0.5), number(3e-12), number(7e15)
    ('0.0123', '12,346', '−0.500', '3.00e−12', '7.00e+15')
    """
    if value == 0 and decimals is None:
        return "0"
    places = decimals_for(value, digits=digits) if decimals is None else decimals
    if places > MOST_DECIMALS or abs(value) >= LARGEST_PLAIN:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    text = f"{value:,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: float, *, decimals: int | None = None) -> str:
    """Return a number with its sign, plus included.

    >>> signed(0.25), signed(-0.25, decimals=1), signed(0.0)
    ('+0.250', '−0.2', '0')
    """
    text = number(value, decimals=decimals)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def interval(estimate: float, lower: float | None, upper: float | None) -> tuple[str, str, str]:
    """Return estimate, lower and upper bound with common decimals; an open end is ``not known``.

    The decimals follow the width: a digit beyond it says nothing.

    >>> interval(0.01234, 0.0051, 0.0199)
    ('+0.0123', '+0.0051', '+0.0199')
    >>> interval(0.01234, None, 0.0199)
    ('+0.0123', 'not known', '+0.0199')
    """
    ends = [bound for bound in (lower, upper) if bound is not None]
    width = max((abs(bound - estimate) for bound in ends), default=abs(estimate))
    places = decimals_for(width or abs(estimate), digits=2)
    if not ends:
        places += 1

    def end(bound: float | None) -> str:
        return "not known" if bound is None else signed(bound, decimals=places)

    return signed(estimate, decimals=places), end(lower), end(upper)


def datum(value: float) -> str:
    """Return a value of the data itself: whole ones as they are, the others rounded.

    Whole to within rounding, since an edge between bins may lie one ulp beside a value.

    >>> datum(4.0), datum(4.000000000000001), datum(1234.5678), datum(0.25)
    ('4', '4', '1,235', '0.250')
    """
    is_whole = abs(value) < 1e9 and abs(value - round(value)) <= 1e-12 * abs(value)
    return number(value, decimals=0 if is_whole else None)


def declared(value: float) -> str:
    """Return a margin, threshold or level of error: three digits, and no zeros behind them.

    >>> declared(0.1), declared(0.0658415), declared(1500.0), declared(-2.0)
    ('0.1', '0.0658', '1,500', '−2')
    """
    if abs(value) >= 1000:
        return number(value)
    return f"{value:.3g}".replace("-", MINUS)


def distance(value: float) -> str:
    """Return a dimensionless distance between windows; thousandths are as fine as any threshold.

    >>> distance(0.31), distance(0.00001), distance(2.4)
    ('0.310', '0.000', '2.400')
    """
    return number(value, decimals=3)


def percent(share: float) -> str:
    r"""Return a share as a percentage whose spaces do not break.

    >>> percent(0.5), percent(0.0), percent(0.00001)
    ('50.0\xa0%', '0\xa0%', '<\xa00.1\xa0%')
    """
    if share in (0.0, 1.0):
        text = f"{100 * share:.0f} %"
    elif 0 < share < 0.0005:
        text = "< 0.1 %"
    else:
        text = f"{100 * share:,.1f} %".replace("-", MINUS)
    return text.replace(" ", NO_BREAK)


def p_value(value: float) -> str:
    r"""Return a p-value; a tiny one is only said to be tiny.

    >>> p_value(0.03456), p_value(0.00001), p_value(1.0)
    ('p\xa0=\xa00.035', 'p\xa0<\xa00.0001', 'p\xa0=\xa01.00')
    """
    if value < 0.0001:
        text = "p < 0.0001"
    else:
        text = f"p = {value:.2f}" if value >= 0.1 else f"p = {value:.2g}"
    return text.replace(" ", NO_BREAK)


def listing(names: Sequence[str], *, longest: int = 5) -> str:
    """Return names as one phrase, the rest counted.

    >>> listing(["a", "b", "c"], longest=2)
    'a, b and 1 more'
    """
    shown = ", ".join(shorten(name, 60) for name in names[:longest])
    rest = len(names) - longest
    return f"{shown} and {rest} more" if rest > 0 else shown


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?(Z|\+00:00)")


def moment(text: str) -> str:
    """Return an ISO 8601 instant in UTC to the minute; any other text stays as it is.

    >>> moment("2026-03-01T10:15:03.25Z"), moment("tomorrow")
    ('2026-03-01 10:15 UTC', 'tomorrow')
    """
    found = _MOMENT.fullmatch(text)
    return text if found is None else f"{found[1]} {found[2]} UTC"


def span(bounds: str) -> str:
    """Return the bounds of a window, in time or in rows, as a person says them.

    >>> span("1996-09-01T00:00:00Z..1996-11-01T00:00:00Z"), span("0:500")
    ('1996-09-01 00:00 UTC to 1996-11-01 00:00 UTC', '0:500')
    """
    return " to ".join(moment(end) for end in bounds.split("..")) if ".." in bounds else bounds
