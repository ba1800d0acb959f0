"""The panel asks consent first, unlocks answers after the sounds, saves each at once, resumes,
deletes; on ipywidgets 7 and 8.
"""
import re

import ipywidgets
import numpy as np
import pytest

from course_utils.listening import answer_log, panel
from course_utils.listening.design import Study, plan

SR = 8000


def tone(hertz):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(SR // 2) / SR)


SOUNDS = {name: [tone(hertz + 10 * n) for n in range(3)]
          for name, hertz in (("Bach", 200), ("LSTM", 300), ("random", 400))}
STUDY = Study("room", SOUNDS, SR, "Bach", "random", rounds={"rate": 1, "pick": 1}, repeats=1)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def shown_panel(tmp_path):
    made = panel.Panel(STUDY, tmp_path, Clock())
    made.code.value = "qxb42"
    return made


def shown(shown_panel):
    """Return the widgets on the page, in the order in which Tab visits them."""
    return [widget for child in shown_panel.box.children
            for widget in (child.children if hasattr(child, "children") else [child])]


def button(shown_panel, description):
    (found,) = [w for w in shown(shown_panel) if isinstance(w, ipywidgets.Button)
                and w.description == description]
    return found


def click(shown_panel, description):
    pressed = button(shown_panel, description)
    assert not pressed.disabled, "the browser does not send clicks on a locked button"
    pressed.click()


def hear(shown_panel):
    for place in shown_panel.session.trial.places:
        click(shown_panel, "Play" if shown_panel.session.trial.kind == "rate" else f"Play {place}")
        shown_panel._clock["clock"].now += 1


def choices(shown_panel):
    return [shown_panel.choices[value] for value in panel._answers(shown_panel.session.trial)]


def saved(tmp_path):
    return answer_log.read(tmp_path / "room_QXB42.csv")[0]


def test_consent_comes_first_and_nothing_is_written_before(shown_panel, tmp_path):
    assert "What is kept" in shown_panel.text.value and "delete" in shown_panel.text.value
    assert [type(w).__name__ for w in shown(shown_panel)] == ["HTML", "Text", "Button", "HTML"]
    assert not list(tmp_path.iterdir())
    click(shown_panel, "I agree, begin")
    assert [a.kind for a in saved(tmp_path)] == ["consent"]
    assert "Question 1 of 9" in shown_panel.text.value and "practice" in shown_panel.text.value
    assert "How good" in shown_panel.text.value


def test_a_code_is_suggested_and_a_name_is_refused(tmp_path):
    shown_panel = panel.Panel(STUDY, tmp_path)
    assert answer_log.check_code(shown_panel.code.value)
    shown_panel.code.value = "Ada <b> Lovelace"
    click(shown_panel, "I agree, begin")
    assert "Do not use your name" in shown_panel.status.value and "&lt;" in shown_panel.status.value
    assert not list(tmp_path.iterdir())


def test_answers_are_locked_until_every_sound_was_started(shown_panel):
    click(shown_panel, "I agree, begin")
    assert all(b.disabled for b in choices(shown_panel))
    assert not button(shown_panel, "Play").disabled
    hear(shown_panel)
    assert not any(b.disabled for b in choices(shown_panel))
    while shown_panel.session.trial.kind == "rate":
        if not shown_panel.session.started:
            hear(shown_panel)
        click(shown_panel, "3 fair")
    assert all(b.disabled for b in choices(shown_panel))
    click(shown_panel, "Play A")
    assert all(b.disabled for b in choices(shown_panel))
    click(shown_panel, "Play B")
    assert not any(b.disabled for b in choices(shown_panel))


def test_an_answer_before_the_end_of_the_sound_is_turned_down(shown_panel, tmp_path):
    click(shown_panel, "I agree, begin")
    click(shown_panel, "Play")
    click(shown_panel, "4 good")
    assert "to its end" in shown_panel.status.value and len(saved(tmp_path)) == 1
    shown_panel._clock["clock"].now += 1
    click(shown_panel, "4 good")
    assert [a.answer for a in saved(tmp_path)] == ["yes", "4"]
    assert "Answer 1 is saved" in shown_panel.status.value


def test_each_press_of_play_starts_the_sound_anew_and_names_nobody(shown_panel):
    click(shown_panel, "I agree, begin")
    pages = []
    for _ in range(2):
        click(shown_panel, "Play")
        pages.append(shown_panel.player.value)
    assert pages[0] != pages[1] and all("<audio autoplay controls" in page for page in pages)
    page = re.sub(r'base64,[^"]*', "", shown_panel.player.value + shown_panel.text.value)
    assert not re.search("Bach|LSTM|random", page)


def take(shown_panel, answer=lambda values: values[0]):
    while shown_panel.session.trial is not None:
        hear(shown_panel)
        click(shown_panel,
              shown_panel.choices[
            answer(list(panel._answers(shown_panel.session.trial)))].description)


def test_the_whole_test_is_taken_by_buttons_alone(shown_panel, tmp_path):
    click(shown_panel, "I agree, begin")
    take(shown_panel)
    answers = saved(tmp_path)
    assert [(a.trial, a.first, a.second) for a in answers[1:]] == [(t.number, t.first, t.second)
                                                                   for t in plan(STUDY, "QXB42")]
    assert "Thank you" in shown_panel.text.value and "QXB42" in shown_panel.text.value
    assert "room_QXB42.csv" in shown_panel.text.value


def test_every_button_says_the_answer_that_it_saves(shown_panel, tmp_path):
    click(shown_panel, "I agree, begin")
    given = []

    def answer(values):
        given.append(values[len(given) % len(values)])
        return given[-1]

    take(shown_panel, answer)
    assert [a.answer for a in saved(tmp_path)[1:]] == given and set(given) >= {"A", "B"}


def test_a_new_panel_goes_on_where_the_last_one_stopped(shown_panel, tmp_path):
    click(shown_panel, "I agree, begin")
    for _ in range(2):
        hear(shown_panel)
        click(shown_panel, "3 fair")
    again = panel.Panel(STUDY, tmp_path, Clock())
    again.code.value = "QXB42"
    click(again, "I agree, begin")
    assert "Question 3 of 9" in again.text.value
    take(again)
    assert [a.trial for a in saved(tmp_path)] == list(range(10))


def test_deleting_asks_once_more_and_then_removes_the_file(shown_panel, tmp_path):
    click(shown_panel, "I agree, begin")
    hear(shown_panel)
    click(shown_panel, "3 fair")
    click(shown_panel, "Delete my data")
    assert len(saved(tmp_path)) == 2
    click(shown_panel, "Really delete 1 answer")
    assert not list(tmp_path.iterdir()) and "Deleted: 1 answer," in shown_panel.status.value
    assert "What is kept" in shown_panel.text.value


def test_going_on_takes_the_question_about_deleting_back(shown_panel, tmp_path):
    click(shown_panel, "I agree, begin")
    click(shown_panel, "Delete my data")
    hear(shown_panel)
    click(shown_panel, "3 fair")
    assert button(shown_panel, "Delete my data") and len(saved(tmp_path)) == 2


def test_a_full_disk_is_explained_and_the_question_stays(shown_panel, tmp_path, monkeypatch):
    click(shown_panel, "I agree, begin")
    hear(shown_panel)
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync",
                       lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        click(shown_panel, "3 fair")
        assert "No space left" in shown_panel.status.value
        assert "Question 1 of 9" in shown_panel.text.value
    click(shown_panel, "3 fair")
    assert len(saved(tmp_path)) == 2 and "Question 2 of 9" in shown_panel.text.value


def test_two_windows_with_one_code_do_not_mix_their_questions(shown_panel, tmp_path):
    other = panel.Panel(STUDY, tmp_path, Clock())
    other.code.value = "QXB42"
    for window in (shown_panel, other):
        click(window, "I agree, begin")
    hear(other)
    click(other, "3 fair")
    click(shown_panel, "Play")
    assert "another window" in shown_panel.status.value
    assert "Question 2 of 9" in shown_panel.text.value and shown_panel.player.value == ""


def test_tab_goes_from_play_to_the_answers_and_the_player_comes_after(shown_panel):
    click(shown_panel, "I agree, begin")
    order = [w.description for w in shown(shown_panel) if isinstance(w, ipywidgets.Button)]
    assert order == ["Play", "1 bad", "2 poor", "3 fair", "4 good", "5 excellent", "Delete my data"]
    assert shown(shown_panel).index(shown_panel.player) > shown(shown_panel).index(
        shown_panel.choices["5"])
    assert "outline" in shown_panel.text.value and "listening-test" in shown_panel.box._dom_classes


@pytest.mark.parametrize("number,told", [(1, ["1 bad", "5 excellent", "How good", "practice"]),
                                         (9, ["Sound A", "Sound B", "by Bach"])])
def test_the_preview_shows_the_question_without_a_browser(number, told):
    page = panel.preview(STUDY, plan(STUDY, "QXB42")[number - 1]).data
    assert page.count("<audio controls") == len(plan(STUDY, "QXB42")[number - 1].places)
    assert all(text in page for text in [f"Question {number}", *told]) and "LSTM" not in page


def test_the_panel_comes_as_a_box_and_a_missing_folder_is_named(tmp_path):
    box = panel.listening_test(STUDY, tmp_path)
    assert isinstance(box, ipywidgets.VBox) and box.panel.box is box
    with pytest.raises(FileNotFoundError, match="Create it first"):
        panel.listening_test(STUDY, tmp_path / "gone")
