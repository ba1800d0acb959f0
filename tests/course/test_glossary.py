"""The glossary's words: each is used in the notebook that it names, and in no notebook before
that.
"""
import re
from pathlib import Path

import pytest

from tools import notebooks

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| \[(\d\d)\]\(\.\./notebooks/(\d\d_\w+\.ipynb)\) \|$",
                 re.MULTILINE)
ROWS = [match.groups() for match in ROW.finditer(GLOSSARY.read_text(encoding="utf-8"))]
CHAPTERS = {path.name[:2]: path for path in notebooks.chapters()}


def prose(path):
    """Return a notebook's prose without code, formulas and addresses, and without the outlook at
    its end.
    """
    text = notebooks.markdown(notebooks.read(path)).partition("\n## Going further")[0]
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`]*`|\]\([^)]*\)", " ", text,
                  flags=re.DOTALL)
    return text.replace("*", "").replace("\n> ", "\n")


PROSE = {number: prose(path) for number, path in CHAPTERS.items()}


def uses(text, term):
    """Tell whether a text uses a term, also at a line's end, in the plural, or capitalised."""
    pattern = r"\s+".join(map(re.escape, term.split()))
    return re.search(rf"(?<![\w-]){pattern}(?:s|es)?(?![\w-])", text,
                     0 if term.isupper() else re.IGNORECASE)


def without_references(text, number):
    """Return a text without the sentences that send the reader to a notebook."""
    return " ".join(sentence for sentence in re.split(r"(?<=[.!?:])\s", text)
                    if not re.search(rf"notebook\s+{number}", sentence))


def test_every_row_is_read_and_the_terms_are_in_order():
    table = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines()
             if line.startswith("| ")]
    assert len(ROWS) == len(table) - 1 > 40
    terms = [term.lower().replace("é", "e") for term, *_ in ROWS]
    assert terms == sorted(set(terms))


@pytest.mark.parametrize("term,_,number,file", ROWS, ids=[row[0] for row in ROWS])
def test_a_term_is_explained_where_it_says_and_not_used_before(term, _, number, file):
    assert CHAPTERS[number].name == file and uses(PROSE[number], term), f"'{term}' is not in {file}"
    # The welcome shows the whole way, with words that are explained on it; a sentence may say which
    # notebook explains a word.
    earlier = [other for other in PROSE if "00" < other < number
               and uses(without_references(PROSE[other], number), term)]
    assert earlier == [], f"'{term}' is used before {file} explains it"


@pytest.mark.parametrize("text,term,found",
                         [("Two logits here", "logit", True),
                          ("The Sample\nrate is", "sample rate", True),
                          ("resample rates", "sample rate", False), ("RMS of it", "RMS", True),
                          ("rms of it", "RMS", False), ("phase-locked", "phase", False),
                          ("epochs", "epoch", True)])
def test_terms_are_found_as_words(text, term, found):
    assert bool(uses(text, term)) is found


def test_a_sentence_may_point_ahead():
    text = "Take the MFCC, which notebook 03 explains. Then sum."
    assert not uses(without_references(text, "03"), "MFCC")
    assert uses(without_references(text, "04"), "MFCC")
    assert uses(without_references("See notebook 03. An MFCC is short.", "03"), "MFCC")


def test_prose_leaves_code_and_outlook_out(tmp_path):
    from nbformat.v4 import new_markdown_cell, new_notebook

    sources = ("A `dropout` in $alias$.\n```\nleak\n```\n[link](phase.ipynb)", "> *back*\n> off",
               "## Going further\nLSTM")
    cells = [new_markdown_cell(source) for source in sources]
    notebooks.nbformat.write(new_notebook(cells=cells), tmp_path / "a.ipynb")
    text = prose(tmp_path / "a.ipynb")
    assert "link" in text and uses(text, "back off")
    assert not [word for word in ("dropout", "alias", "leak", "phase", "LSTM") if word in text]
