"""Every notebook keeps to the rules of hygiene.py; and each rule notices a notebook that breaks it.
"""
import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.course import hygiene, taught
from tools import notebooks

NOTEBOOKS = notebooks.all_notebooks()


def short_name(path):
    return str(path.relative_to(notebooks.NOTEBOOKS))


def test_the_course_begins_with_its_welcome():
    assert NOTEBOOKS and NOTEBOOKS[0].name == "00_welcome.ipynb"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=short_name)
def test_notebook_keeps_the_rules(path):
    assert hygiene.complaints(path) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=short_name)
def test_what_is_taught_is_what_is_imported(path):
    name = short_name(path).removesuffix(".ipynb")  # worked answers promise nothing
    assert taught.differences(notebooks.read(path), name, notebooks.ROOT / "course_utils") == []


def test_all_notebooks_together_stay_small():
    assert sum(path.stat().st_size for path in NOTEBOOKS) <= hygiene.LARGEST_TOGETHER


def test_solutions_belong_to_chapters():
    assert {p.name for p in NOTEBOOKS if hygiene.is_solution(p)} <= {p.name for p in NOTEBOOKS
                                                                     if not hygiene.is_solution(p)}


QUESTION = """**{}. What is a rest?**

<details><summary>a) Silence</summary>Right. Nobody sings during a rest.</details>
<details><summary>b) A pitch</summary>No. A pitch is what sounds, not what is silent.</details>
<details><summary>c) A chord</summary>No. A chord is several pitches at once.</details>
"""
LATER = "{}<details>{}<details>{}<details>{}".format(
    *(QUESTION.split("<details>")[part] for part in (0, 2, 1, 3)))
SOUND = '<audio controls src="data:audio/mpeg;base64,/home/abcd/opt/xyz=="></audio>'


def say(text):
    return [new_output("stream", name="stdout", text=text)]


def exercise(number, answer, told):
    """Return the statement of an exercise, and the cell that checks it."""
    code = f"{notebooks.COMPARED}\nexercises.check('{number}', {answer})"
    return (new_markdown_cell(f"> **Exercise {number}** Count."),
            new_code_cell(code, outputs=say(f"{number} {told}\n")))


def chapter():
    """Return a small notebook that keeps all rules."""
    prose = ("word " * 1200 + "\n\n```\n# not a heading\n```\n![A wave](wave.png) "
             "[ours](wave.png#top)")
    cells = [new_markdown_cell(f"# Example\n\n{notebooks.badge('05_example.ipynb')}"),
             new_markdown_cell("> You will be **able to** count. You **need** nothing. It takes 3 "
                               "minutes."), new_code_cell(notebooks.setup_cell()),
             new_code_cell("from course_utils import audio, exercises"),
             new_markdown_cell(f"## A sound\n\n{prose}"),
             new_code_cell("audio.play(y, sr)",
                           outputs=[new_output("execute_result",
                                               {"text/html": SOUND, "text/plain": "<Audio>"})]),
             new_markdown_cell("## Summary\n\nWe counted.\n\n## Exercises"),
             *(cell for k in (1, 2, 3) for cell in exercise(f"05.{k}", "...", "is still open.")),
             new_markdown_cell("## Quiz\n\n"
                               + "\n".join([QUESTION.format(1),
                                            *(LATER.format(k) for k in range(2, 6))])),
             new_markdown_cell("## Going further\n\n[The next](06_next.ipynb), [the "
                               "web](https://example.org)")]
    return stored(new_notebook(cells=cells))


def solutions():
    """Return the worked answers to `chapter`."""
    cells = [
        new_markdown_cell(
        f"# Example: solutions\n\n{notebooks.badge('solutions/05_example.ipynb')}"),
        new_code_cell(notebooks.setup_cell()),
        *(cell for k in (1, 2, 3) for cell in exercise(f"05.{k}", k, "PASS"))]
    return stored(new_notebook(cells=cells))


def stored(notebook):
    """Number the cells as if they had run."""
    for number, cell in enumerate(notebooks.code_cells(notebook), 1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    notebook.metadata["course"] = {"code": notebooks.code_hash(notebook), "helpers": ""}
    return notebook


@pytest.fixture
def folder(tmp_path):
    """Return a folder with one chapter and its solutions, which keep all rules."""
    (tmp_path / "solutions").mkdir()
    for name in ("wave.png", "06_next.ipynb"):
        (tmp_path / name).touch()
    nbformat.write(chapter(), tmp_path / "05_example.ipynb")
    nbformat.write(solutions(), tmp_path / "solutions" / "05_example.ipynb")
    return tmp_path


def test_the_example_keeps_all_rules(folder):
    assert hygiene.complaints(folder / "05_example.ipynb") == []
    assert hygiene.complaints(folder / "solutions" / "05_example.ipynb") == []


def cell_with(notebook, text):
    return next(cell for cell in notebook.cells if text in cell.source)


def replace(old, new):
    def change(notebook):
        cell = cell_with(notebook, old)
        cell.source = cell.source.replace(old, new)

    return change


def output(text):
    return lambda notebook: cell_with(notebook, "audio.play").outputs.extend(say(text))


def add_code(source):
    return lambda notebook: notebook.cells.append(new_code_cell(source))


def cell_to(text, attribute, value):
    return lambda notebook: setattr(cell_with(notebook, text), attribute, value)


def error(notebook):
    cell_with(notebook, "audio.play").outputs.append(new_output("error", ename="ValueError",
                                                                evalue="no", traceback=[]))


def stderr(notebook):
    cell_with(notebook, "audio.play").outputs.append(new_output("stream", name="stderr", text="oh"))


def same_ids(notebook):
    notebook.cells[1].id = notebook.cells[0].id


def drawn(metadata):
    figure = new_output("display_data", {"image/png": "iVBORw0KGgo="}, metadata=metadata)
    return lambda notebook: cell_with(notebook, "audio.play").outputs.append(figure)


def outputs_of(text, told):
    return cell_to(text, "outputs", say(told))


CHAPTER = {"ids": (hygiene.valid, same_ids, "id of their own"),
           "field": (hygiene.valid, lambda nb: nb.cells[0].update(outputs=[]),
                     "not a valid notebook"), "large": (hygiene.small, output("x" * 1_100_000),
                                                        "takes 1.1"),
           "error": (hygiene.clean_outputs, error, "an error"),
           "stderr": (hygiene.clean_outputs, stderr, "stderr"),
           "warning": (hygiene.clean_outputs, output("x.py:3: FutureWarning: soon gone"),
                       "a warning"), "log": (hygiene.clean_outputs,
                                             output("WARNING:tensorflow:retracing"), "a warning"),
           "tqdm": (hygiene.clean_outputs, output(" 50%|█████     | 5/10 [00:01<00:01, 4.9it/s]"),
                    "a progress bar"), "keras bar": (hygiene.clean_outputs,
                                                     output("3/3 - 0s - 12ms/step - loss: 1"),
                                                     "a progress bar"),
           "carriage return": (hygiene.clean_outputs, output("10%\r20%"), "a progress bar"),
           "address": (hygiene.clean_outputs,
                       output("[<matplotlib.lines.Line2D at 0x7f3b5c0a1d90>]"), "memory address"),
           "linux path": (hygiene.clean_outputs, output("saved /home/ada/music.wav"),
                          "machine's path"), "mac path": (hygiene.clean_outputs,
                                                          output("saved '/Users/ada/music.wav'"),
                                                          "machine's path"),
           "windows path": (hygiene.clean_outputs, output("saved C:\\Users\\ada\\music.wav"),
                            "machine's path"), "own path": (hygiene.clean_outputs,
                                                            output(
    f"saved {notebooks.ROOT}/music.wav"), "machine's path"),
    "source path": (hygiene.portable_source, add_code("open('/tmp/x.wav')"), "machine's path"),
    "prose path": (hygiene.portable_source, replace("We counted.", "Look into /opt/music."),
                   "machine's path"), "two titles": (hygiene.one_title,
                                                     replace("## A sound", "# A sound"),
                                                     "2 headings of the first level"),
    "no title": (hygiene.one_title, replace("# Example", "Example"), "0 headings"),
    "late title": (hygiene.one_title, lambda nb: nb.cells.insert(0, new_markdown_cell("## Before")),
                   "at the top"), "skipped level": (hygiene.one_title,
                                                    replace("We counted.", "#### Deep"), "skips"),
    "set-up cell": (hygiene.setup, replace("import sys", "import os"), "set-up cell"),
    "late set-up": (hygiene.setup, lambda nb: nb.cells.insert(0, new_code_cell("1")),
                    "set-up cell"), "badge": (hygiene.setup,
                                              replace("05_example.ipynb", "04_example.ipynb"),
                                              "badge"),
    "edited": (hygiene.executed, replace("audio.play(y, sr)", "audio.play(y, 2 * sr)"),
               "changed since"), "added": (hygiene.executed, add_code("1"), "top to bottom"),
    "out of order": (hygiene.executed, cell_to("audio.play", "execution_count", 9),
                     "top to bottom"), "compared cells": (hygiene.compared,
                                                          replace(notebooks.COMPARED, "#"),
                                                          "has 2 cells"),
    "nothing to compare": (hygiene.compared, cell_to("05.1', ...)", "outputs", []),
                           "no output to compare"),
    "long cells": (hygiene.readable_code,
                   lambda nb: [add_code("x = 1\n" * 21)(nb) for _ in range(3)], "long cells"),
    "much code": (hygiene.readable_code,
                  lambda nb: [add_code("x = 1\n" * 20)(nb) for _ in range(15)], "lines of code"),
    "much wrapped code":
    (hygiene.readable_code, lambda nb: [add_code("if x:\n    y = (1,\n         2)\n" * 5)(nb)
                                        for _ in range(28)], "has 285 lines of code"),
    "wide": (hygiene.narrow_code, add_code(f"x = '{'x' * 80}'"), "a line of 86 characters"),
    "wide comment": (hygiene.narrow_code, add_code(f"x = 1\n# {'x' * 83}"), "85 characters"),
    "many names": (hygiene.few_names,
                   add_code(f"from course_utils.scores.scores import {', '.join('abcdefghi')}"),
                   "9 names from course_utils.scores.scores"),
    "many names in two lines":
    (hygiene.few_names, add_code("from course_utils.gan.losses import a, b, c, d, e\n"
                                 "from course_utils.gan.losses import f, g, h, i"),
     "9 names from course_utils.gan.losses"),
    "little prose": (hygiene.prose, replace("word " * 1200, "word " * 600), "words of prose"),
    "much prose": (hygiene.prose, replace("word " * 1200, "word " * 2600), "words of prose"),
    "more code than prose": (hygiene.prose, add_code("x = 1\n\n" * 500), "at least 4 a line"),
    "alt text": (hygiene.alt_texts, replace("![A wave]", "![]"), "without alt text"),
    "html alt text": (hygiene.alt_texts, replace("We counted.", '<img src="wave.png" alt="">'),
                      "without alt text"),
    "figure without text": (hygiene.alt_texts, drawn({}), "without alt text"),
    "wordless figure": (hygiene.alt_texts, drawn({"image/png": {"alt": "A figure without words."}}),
                        "without alt text"), "dead link": (hygiene.links,
                                                           replace("06_next", "07_gone"),
                                                           "'07_gone.ipynb', which is not there"),
    "dead picture": (hygiene.links, replace("(wave.png)", "(gone.png)"), "'gone.png'"),
    "no objectives": (hygiene.objectives, replace("able to", "glad to"), "be able to do"),
    "no needs": (hygiene.objectives, replace("**need**", "want"), "needed first"),
    "no minutes": (hygiene.objectives, replace("3 minutes", "a while"), "the minutes"),
    "no box": (hygiene.objectives, replace("> You will", "You will"), "Markdown quote"),
    "no summary": (hygiene.sections, replace("## Summary", "## The end"), "Summary"),
    "sections out of order": (hygiene.sections, replace("## Going further", "## Summary"),
                              "Going further"),
    "four questions": (hygiene.quiz, replace("**5.", "5."), "4 quiz questions"),
    "two rights": (hygiene.quiz, replace("No. A chord", "Right. A chord"), "one \"Right\""),
    "no verdict": (hygiene.quiz, replace("No. A chord", "A chord"), "one \"Right\""),
    "two answers":
    (hygiene.quiz, lambda nb: setattr(cell_with(nb, "## Quiz"), "source",
                                      "## Quiz\n"
                                      + "\n".join(QUESTION.format(k).rpartition("<details>")[0]
                                                  for k in range(1, 6))), "three or more"),
    "always the first":
    (hygiene.quiz, lambda nb: setattr(cell_with(nb, "## Quiz"), "source",
                                      "## Quiz\n" + "\n".join(QUESTION.format(k)
                                                              for k in range(1, 6))), "same place"),
    "unexplained": (hygiene.quiz, replace("No. A chord is several pitches at once.", "No."),
                    "not explained"), "foreign number": (hygiene.exercises,
                                                         replace("'05.3'", "'06.3'"), "05.1, 05.2"),
    "left-out number": (hygiene.exercises, replace("'05.2'", "'05.4'"), "three to five"),
    "few exercises": (hygiene.exercises, replace("exercises.check('05.3', ...)", "pass"),
                      "three to five"), "no exercise box": (hygiene.exercises,
                                                            replace("**Exercise 05.2**",
                                                                    "**Task**"), "Exercise 05.2"),
    "given away": (hygiene.exercises, outputs_of("05.1', ...)", "05.1 PASS"), "still open"),
    "sound": (hygiene.heard, cell_to("audio.play", "outputs", []), "no sound")}
SOLUTIONS = {"wrong": (hygiene.exercises, outputs_of("05.2', 2)", "05.2 NOT YET. You gave 2."),
                       "\"PASS\" under exercise 05.2"),
             "not compared": (hygiene.exercises,
                              cell_to("05.3', 3)", "source", "exercises.check('05.3', 3)"),
                              "on exercise 05.3"),
             "nothing compared": (hygiene.compared,
                                  lambda nb: [replace(notebooks.COMPARED, "#")(nb)
                                              for _ in range(3)], "has 0 cells"),
             "badge of the chapter": (hygiene.setup,
                                      replace("solutions/05_example.ipynb", "05_example.ipynb"),
                                      "badge"), "edited": (hygiene.executed,
                                                           replace("05.2', 2)", "05.2', 3)"),
                                                           "changed since")}


def test_every_rule_is_broken_by_some_example():
    broken = {rule for rule, _, _ in [*CHAPTER.values(), *SOLUTIONS.values()]}
    assert broken | {hygiene.twin} == {*hygiene.RULES, *hygiene.CHAPTER_RULES}


@pytest.mark.parametrize("case", CHAPTER)
def test_rule_notices_a_broken_chapter(folder, case):
    rule, break_it, complaint = CHAPTER[case]
    assert_noticed(rule, break_it, complaint, chapter(), folder / "05_example.ipynb")


@pytest.mark.parametrize("case", SOLUTIONS)
def test_rule_notices_broken_solutions(folder, case):
    rule, break_it, complaint = SOLUTIONS[case]
    assert_noticed(rule, break_it, complaint, solutions(),
                   folder / "solutions" / "05_example.ipynb")


def assert_noticed(rule, break_it, complaint, notebook, path):
    broken = copy.deepcopy(notebook)
    break_it(broken)
    assert broken != notebook
    assert complaint in "\n".join(rule(broken, path))
    assert not list(rule(notebook, path))


def test_wrapping_and_comments_are_no_more_code_but_lengthen_a_cell(folder):
    wrapped = chapter()
    for _ in range(30):
        add_code("%matplotlib inline\nx = [\n" + "    1,  # one\n" * 8 + "]\n# an aside\n")(wrapped)
    assert not list(hygiene.readable_code(wrapped, folder / "05_example.ipynb"))
    add_code("x = [\n" + "    1,\n" * 30 + "]")(wrapped)
    assert not list(hygiene.readable_code(wrapped, folder / "05_example.ipynb"))
    for _ in range(4):
        add_code("x = [\n" + "    1,\n" * 30 + "]")(wrapped)
    assert "long cells" in "".join(hygiene.readable_code(wrapped, folder / "05_example.ipynb"))


@pytest.mark.parametrize("code", [
    f"x = '{'x' * 78}'", "from course_utils.scores.scores import " + ", ".join("abcdefgh"),
    "from course_utils.gan.losses import a, b, c, d, e\n"
    "from course_utils.gan.bar_gan import f, g, h, i",
    "from numpy import " + ", ".join("abcdefghi")],
    ids=["84 characters", "eight names", "two places", "elsewhere"])
def test_what_just_fits_is_no_fault(folder, code):
    good = chapter()
    add_code(code)(good)
    assert not [*hygiene.narrow_code(good, folder), *hygiene.few_names(good, folder)]


def test_twin_notices_missing_and_different_solutions(folder):
    answers = folder / "solutions" / "05_example.ipynb"
    other = solutions()
    replace("'05.3'", "'05.4'")(other)
    nbformat.write(other, answers)
    assert any("answers ['05.1', '05.2', '05.4']" in c
               for c in hygiene.twin(chapter(), folder / "05_example.ipynb"))
    answers.unlink()
    assert any("no worked answers" in c
               for c in hygiene.twin(chapter(), folder / "05_example.ipynb"))


def test_notebooks_from_scratch_need_no_sound(folder):
    silent = chapter()
    cell_to("audio.play", "outputs", [])(silent)
    assert not list(hygiene.heard(silent, folder / "06_recurrence_from_scratch.ipynb"))


HELD = '''
"""A module."""
def mean(values, start: float = 0.0) -> float:
    """Return the mean.

    Notebook: 05_example (written out)
    """
    total: float = start
    for value in values:
        total += value  # one by one
    return total / len(values)


class Counter(Base):
    """Count.

    Notebook: 05_example
    """
    step: int = 1

    def add(self, number: int) -> None:
        """Add a number."""
        self.total += self.step * number

    def read(self):
        return self.total
'''
TAUGHT = ["""
def mean(values, start=0.0):
    total = start
    for value in values:
        total += value
    return total / len(values)
""", """
class Counter(Base):
    step = 1

    def add(self, number):
        self.total += self.step * number
""", """
class Counter(Counter):
    def read(self):
        'Read it.'
        return self.total

def other():
    return 1
"""]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a package's folder with a room that holds a function and a class."""
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    room = tmp_path / "course_utils" / "room"
    room.mkdir(parents=True)
    (room / "held.py").write_text(HELD)
    return room.parent


def differences(package, cells, name="05_example", imports="from course_utils.room import held"):
    cells = [imports, *cells]
    return taught.differences(new_notebook(cells=[new_code_cell(source) for source in cells]), name,
                              package)


def test_code_without_docstrings_and_annotations_is_the_same(package):
    assert differences(package, ["%matplotlib inline\nx = 1", *TAUGHT]) == []


@pytest.mark.parametrize("old,new,named",
                         [("len(values)", "(len(values) - 1)", "mean"),
                          ("start=0.0", "start=1.0", "mean"),
                          ("values, start", "xs, start", "mean"),
                          ("step = 1", "step = 2", "Counter"),
                          ("return self.total", "return -self.total", "Counter"),
                          ("(Base)", "(Other)", "Counter"), ("class Counter(Counter)",
                                                             "class More(Counter)", "Counter")])
def test_other_code_under_the_same_name_is_noticed(package, old, new, named):
    assert differences(package, [cell.replace(old, new)
                                 for cell in TAUGHT]) == [f"'{named}' differs from course_utils"]


def test_a_class_that_is_not_finished_is_noticed(package):
    assert differences(package, TAUGHT[:2]) == ["'Counter' differs from course_utils"]


@pytest.mark.parametrize("imports,noticed",
                         [("from course_utils.room import audio, held", True),
                          ("from course_utils.room.held import other", True),
                          ("import course_utils.room.held", True),
                          ("from course_utils import audio", False),
                          ("from elsewhere import held", False), ("import held", False)])
def test_only_what_the_notebook_imports_from_has_a_say(package, imports, noticed):
    differ = differences(package, ["class Counter:\n    pass"], "06_other", imports)
    assert differ == ["'Counter' differs from course_utils"] * noticed


def test_code_that_should_be_written_out_is_missed(package):
    assert differences(package, TAUGHT[1:]) == ["'mean' is not written out, though course_utils "
                                                "says so"]
    assert differences(package, [], "06_other") == []


def test_a_function_that_two_modules_hold_may_be_either(package):
    (package / "other.py").write_text("def mean(values):\n    return sum(values) / len(values)\n")
    both = "from course_utils.room import held\nfrom course_utils import other"
    assert differences(package, ["def mean(values):\n    return sum(values) / len(values)"],
                       "06_other", both) == []
