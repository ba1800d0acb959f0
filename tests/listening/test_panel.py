"""The panel asks consent first, unlocks answers after the sounds, saves each at once, resumes, deletes; on ipywidgets 7 and 8."""
import re

import ipywidgets
import numpy as np
import pytest

from course_utils import answer_log, listening_test
from course_utils.listening_design import Study, plan

SR = 8000


def tone(hertz):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(SR // 2) / SR)


SOUNDS = {name: [tone(hertz + 10 * n) for n in range(3)] for name, hertz in (("Bach", 200), ("LSTM", 300), ("random", 400))}
STUDY = Study("room", SOUNDS, SR, "Bach", "random", rounds={"rate": 1, "pick": 1}, repeats=1)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def panel(tmp_path):
    made = listening_test.Panel(STUDY, tmp_path, Clock())
    made.code.value = "qxb42"
    return made


def shown(panel):
    """Return the widgets on the page, in the order in which Tab visits them."""
    return [widget for child in panel.box.children for widget in (child.children if hasattr(child, "children") else [child])]


def button(panel, description):
    (found,) = [w for w in shown(panel) if isinstance(w, ipywidgets.Button) and w.description == description]
    return found


def click(panel, description):
    pressed = button(panel, description)
    assert not pressed.disabled, "the browser does not send clicks on a locked button"
    pressed.click()


def hear(panel):
    for place in panel.session.trial.places:
        click(panel, "Play" if panel.session.trial.kind == "rate" else f"Play {place}")
        panel._clock["clock"].now += 1


def choices(panel):
    return [panel.choices[value] for value in listening_test._answers(panel.session.trial)]


def saved(tmp_path):
    return answer_log.read(tmp_path / "room_QXB42.csv")[0]


def test_consent_comes_first_and_nothing_is_written_before(panel, tmp_path):
    assert "What is kept" in panel.text.value and "delete" in panel.text.value
    assert [type(w).__name__ for w in shown(panel)] == ["HTML", "Text", "Button", "HTML"] and not list(tmp_path.iterdir())
    click(panel, "I agree, begin")
    assert [a.kind for a in saved(tmp_path)] == ["consent"]
    assert "Question 1 of 9" in panel.text.value and "practice" in panel.text.value and "How good" in panel.text.value


def test_a_code_is_suggested_and_a_name_is_refused(tmp_path):
    panel = listening_test.Panel(STUDY, tmp_path)
    assert answer_log.check_code(panel.code.value)
    panel.code.value = "Ada <b> Lovelace"
    click(panel, "I agree, begin")
    assert "Do not use your name" in panel.status.value and "&lt;" in panel.status.value and not list(tmp_path.iterdir())


def test_answers_are_locked_until_every_sound_was_started(panel):
    click(panel, "I agree, begin")
    assert all(b.disabled for b in choices(panel)) and not button(panel, "Play").disabled
    hear(panel)
    assert not any(b.disabled for b in choices(panel))
    while panel.session.trial.kind == "rate":
        if not panel.session.started:
            hear(panel)
        click(panel, "3 fair")
    assert all(b.disabled for b in choices(panel))
    click(panel, "Play A")
    assert all(b.disabled for b in choices(panel))
    click(panel, "Play B")
    assert not any(b.disabled for b in choices(panel))


def test_an_answer_before_the_end_of_the_sound_is_turned_down(panel, tmp_path):
    click(panel, "I agree, begin")
    click(panel, "Play")
    click(panel, "4 good")
    assert "to its end" in panel.status.value and len(saved(tmp_path)) == 1
    panel._clock["clock"].now += 1
    click(panel, "4 good")
    assert [a.answer for a in saved(tmp_path)] == ["yes", "4"] and "Answer 1 is saved" in panel.status.value


def test_each_press_of_play_starts_the_sound_anew_and_names_nobody(panel):
    click(panel, "I agree, begin")
    pages = []
    for _ in range(2):
        click(panel, "Play")
        pages.append(panel.player.value)
    assert pages[0] != pages[1] and all("<audio autoplay controls" in page for page in pages)
    page = re.sub(r'base64,[^"]*', "", panel.player.value + panel.text.value)
    assert not re.search("Bach|LSTM|random", page)


def take(panel, answer=lambda values: values[0]):
    while panel.session.trial is not None:
        hear(panel)
        click(panel, panel.choices[answer(list(listening_test._answers(panel.session.trial)))].description)


def test_the_whole_test_is_taken_by_buttons_alone(panel, tmp_path):
    click(panel, "I agree, begin")
    take(panel)
    answers = saved(tmp_path)
    assert [(a.trial, a.first, a.second) for a in answers[1:]] == [(t.number, t.first, t.second) for t in plan(STUDY, "QXB42")]
    assert "Thank you" in panel.text.value and "QXB42" in panel.text.value and "room_QXB42.csv" in panel.text.value


def test_every_button_says_the_answer_that_it_saves(panel, tmp_path):
    click(panel, "I agree, begin")
    given = []

    def answer(values):
        given.append(values[len(given) % len(values)])
        return given[-1]

    take(panel, answer)
    assert [a.answer for a in saved(tmp_path)[1:]] == given and set(given) >= {"A", "B"}


def test_a_new_panel_goes_on_where_the_last_one_stopped(panel, tmp_path):
    click(panel, "I agree, begin")
    for _ in range(2):
        hear(panel)
        click(panel, "3 fair")
    again = listening_test.Panel(STUDY, tmp_path, Clock())
    again.code.value = "QXB42"
    click(again, "I agree, begin")
    assert "Question 3 of 9" in again.text.value
    take(again)
    assert [a.trial for a in saved(tmp_path)] == list(range(10))


def test_deleting_asks_once_more_and_then_removes_the_file(panel, tmp_path):
    click(panel, "I agree, begin")
    hear(panel)
    click(panel, "3 fair")
    click(panel, "Delete my data")
    assert len(saved(tmp_path)) == 2
    click(panel, "Really delete 1 answer")
    assert not list(tmp_path.iterdir()) and "Deleted: 1 answer," in panel.status.value and "What is kept" in panel.text.value


def test_going_on_takes_the_question_about_deleting_back(panel, tmp_path):
    click(panel, "I agree, begin")
    click(panel, "Delete my data")
    hear(panel)
    click(panel, "3 fair")
    assert button(panel, "Delete my data") and len(saved(tmp_path)) == 2


def test_a_full_disk_is_explained_and_the_question_stays(panel, tmp_path, monkeypatch):
    click(panel, "I agree, begin")
    hear(panel)
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        click(panel, "3 fair")
        assert "No space left" in panel.status.value and "Question 1 of 9" in panel.text.value
    click(panel, "3 fair")
    assert len(saved(tmp_path)) == 2 and "Question 2 of 9" in panel.text.value


def test_two_windows_with_one_code_do_not_mix_their_questions(panel, tmp_path):
    other = listening_test.Panel(STUDY, tmp_path, Clock())
    other.code.value = "QXB42"
    for window in (panel, other):
        click(window, "I agree, begin")
    hear(other)
    click(other, "3 fair")
    click(panel, "Play")
    assert "another window" in panel.status.value and "Question 2 of 9" in panel.text.value and panel.player.value == ""


def test_tab_goes_from_play_to_the_answers_and_the_player_comes_after(panel):
    click(panel, "I agree, begin")
    order = [w.description for w in shown(panel) if isinstance(w, ipywidgets.Button)]
    assert order == ["Play", "1 bad", "2 poor", "3 fair", "4 good", "5 excellent", "Delete my data"]
    assert shown(panel).index(panel.player) > shown(panel).index(panel.choices["5"])
    assert "outline" in panel.text.value and "listening-test" in panel.box._dom_classes


@pytest.mark.parametrize("number,told", [(1, ["1 bad", "5 excellent", "How good", "practice"]),
                                         (9, ["Sound A", "Sound B", "by Bach"])])
def test_the_preview_shows_the_question_without_a_browser(number, told):
    page = listening_test.preview(STUDY, plan(STUDY, "QXB42")[number - 1]).data
    assert page.count("<audio controls") == len(plan(STUDY, "QXB42")[number - 1].places)
    assert all(text in page for text in [f"Question {number}", *told]) and "LSTM" not in page


def test_the_panel_comes_as_a_box_and_a_missing_folder_is_named(tmp_path):
    box = listening_test.listening_test(STUDY, tmp_path)
    assert isinstance(box, ipywidgets.VBox) and box.panel.box is box
    with pytest.raises(FileNotFoundError, match="Create it first"):
        listening_test.listening_test(STUDY, tmp_path / "gone")
