"""The letters of the formulas: docs/symbols.md gives each of them one meaning a notebook, or says
which sections have which.
"""
import re
from pathlib import Path

import pytest

from tools import notebooks

TABLE = (Path(__file__).parents[2] / "docs" / "symbols.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\$.+\$) \| (.+) \| (\d\d.*) \|$", re.MULTILINE)
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$]+)\$", re.DOTALL)
NO_SYMBOL = re.compile(r"\\(?:text|mathrm|operatorname|begin|end)\s*\{[^{}]*\}")
SYMBOL = re.compile(r"\\[a-zA-Z]+|sr|d[a-zUW](?![a-z])|[a-zA-Z]")
LETTERS = set(re.findall(r"\\\w+", r"""\alpha\beta\gamma\delta\epsilon\zeta\eta\theta\kappa\lambda
    \mu
    \nu\xi\pi\rho\sigma\tau\phi\varphi\chi\psi\omega\Gamma\Delta\Theta\Lambda\Xi\Pi\Sigma\Phi\Psi
    \Omega\ell"""))
CHAPTERS = {path.name[:2]: path for path in notebooks.chapters()}


def symbols(text):
    """Return the letters of the formulas in a text, without the words among them."""
    formulas = (NO_SYMBOL.sub(" ", first or second) for first, second in FORMULA.findall(text))
    found = {symbol for formula in formulas for symbol in SYMBOL.findall(formula)}
    return {symbol for symbol in found if not symbol.startswith("\\") or symbol in LETTERS}


def by_section(number):
    """Return the symbols of a notebook, section by section; what has no number counts by its
    heading.
    """
    text = re.sub(r"```.*?```|`[^`]*`", "", notebooks.markdown(notebooks.read(CHAPTERS[number])),
                  flags=re.DOTALL)
    parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {re.split(r"[.\n]", part)[0]: symbols(part) for part in parts}


def meanings():
    """Return for each symbol and notebook the rows about it: their meaning, and the sections that
    they name.
    """
    found = {}
    for names, meaning, places in ROW.findall(TABLE):
        for symbol in symbols(names):
            for number, sections in re.findall(r"(\d\d)(?: \(([^)]*)\))?", places):
                found.setdefault((symbol, number), []).append(
                    (meaning, set(filter(None, sections.split(", ")))))
    return found


MEANINGS = meanings()


def test_every_row_is_read():
    assert len(ROW.findall(TABLE)) == len(
        [line for line in TABLE.splitlines() if line.startswith("| $")]) > 80


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_symbol_has_one_meaning_where_it_stands(number):
    for section, used in by_section(number).items():
        for symbol in used:
            rows = MEANINGS.get((symbol, number), [])
            named = [meaning for meaning, sections in rows if section in sections]
            told = named or [meaning for meaning, sections in rows if not sections]
            assert len(told) == 1, (f"docs/symbols.md says of ${symbol}$ in notebook {number}, "
                                    f"section {section}: {told}")


def test_the_table_names_only_what_is_used():
    for (symbol, number), rows in MEANINGS.items():
        sections = by_section(number)
        for meaning, named in rows:
            places = named or set(sections) - set().union(*(others for _, others in rows))
            assert any(symbol in sections.get(place, ())
                       for place in places), ((symbol, meaning, number))
            assert all(symbol in sections.get(place, ())
                       for place in named), ((symbol, meaning, number, named))


@pytest.mark.parametrize("text,found",
                         [(r"$x_t=\tanh(W\,x)$", {"x", "t", "W"}),
                          (r"$$\frac{\partial L}{\partial w}$$ and `$y$`", {"L", "w", "y"}),
                          (r"$\text{steps}=n/sr$", {"n", "sr"}),
                          (r"$dw[k]=\sum dy$", {"dw", "k", "dy"}), (r"no formula", set()),
                          (r"$\mathrm{relu}(x), \hat x, \bar\sigma$", {"x", r"\sigma"})])
def test_symbols_are_found_in_formulas(text, found):
    assert symbols(text) == found
