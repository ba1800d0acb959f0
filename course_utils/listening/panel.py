"""The panel in which people take a listening test, and a plain function that shows a trial of it
without a browser.
"""
import html
from pathlib import Path

from course_utils import audio
from course_utils.listening.design import SCALE, Study, Trial
from course_utils.listening.sessions import CONSENT, Session, new_code

# Buttons of the page are reached by Tab; what has the focus must be seen.
STYLE = """<style>
.listening-test button:focus {outline: 3px solid #0072B2 !important; outline-offset: 2px}
.listening-test p {margin: 0.3em 0; line-height: 1.4; max-width: 45em; white-space: normal}
</style>"""
KEYS = """Keys: Tab goes to the next button, Enter or the space bar presses it. Stop whenever you
like; with the same code you go on where you stopped."""
SIDES = {"A": "A", "B": "B"}


def preview(study: Study, trial: Trial):
    """Show a trial as the listener sees it, with both players open.

    Notebook: 13_listening_test

    Args:
        study: what is asked.
        trial: one of `design.plan`.

    Returns:
        An `IPython.display.HTML`; its buttons do nothing.
    """
    from IPython.display import HTML

    players = "".join(_player(study, trial, place) for place in trial.places)
    buttons = " ".join(f"<button disabled>{html.escape(name)}</button>"
                       for name in _answers(trial).values())
    question = html.escape(study.question(trial.kind))
    return HTML(f"<p>{_heading(trial)}</p><p><b>{question}</b></p>{players}<p>{buttons}</p>")


def _heading(trial: Trial, of: int | None = None) -> str:
    number = f"Question {trial.number}" + (f" of {of}" if of else "")
    return number + (" · practice, does not count" if trial.role == "practice" else "")


def _answers(trial: Trial) -> dict[str, str]:
    """Return what the buttons of a trial say, by the answer they give."""
    return ({value: f"{value} {word}" for value, word in SCALE.items()} if trial.kind == "rate"
            else SIDES)


def _player(study: Study, trial: Trial, place: str) -> str:
    # The label says where a sound stands, and nothing about who made it.
    label = "Sound" if trial.kind == "rate" else f"Sound {place}"
    return audio.play(study.sound(trial.places[place]), study.sr, label).data


def _count(answers: int) -> str:
    return f"{answers} answer{'' if answers == 1 else 's'}"


def _row(widgets):
    import ipywidgets

    # The margin leaves room for the mark around what has the focus, which a row would cut off.
    return ipywidgets.HBox(list(widgets),
                           layout={"flex_flow": "row wrap", "padding": "5px",
                                   "overflow": "visible"})


class Panel:
    """The pages of a test: consent, one trial after the other, the end. `panel` makes one."""

    def __init__(self, study: Study, folder: str | Path, clock=None):
        import ipywidgets

        self.study, self.folder, self.session, self.trial = study, folder, None, None
        self._clock = {} if clock is None else {"clock": clock}
        self.code = ipywidgets.Text(value=new_code(), description="Your code")
        self.begin = self._button("I agree, begin", self._on_begin, "primary")
        self.plays = {place: self._button(f"Play {place}", lambda _, p=place: self._on_play(p),
                                          "info") for place in "AB"}
        self.choices = {value: self._button("", lambda _, v=value: self._on_answer(v))
                        for value in (*SIDES, *SCALE)}
        self.remove = self._button("Delete my data", self._on_remove)
        self.text, self.player, self.status = (ipywidgets.HTML() for _ in range(3))
        self.box = ipywidgets.VBox()
        self.box.add_class("listening-test")
        self._show_consent()

    def _button(self, description: str, do, style: str = ""):
        import ipywidgets

        button = ipywidgets.Button(description=description, button_style=style,
                                   layout={"width": "auto", "min_width": "6em"})
        button.on_click(do)
        return button

    def _show_consent(self) -> None:
        self.text.value = f"{STYLE}<p><b>A listening test</b></p><p>{CONSENT}</p><p>{KEYS}</p>"
        self.box.children = (self.text, _row([self.code]), _row([self.begin]), self.status)

    def _on_begin(self, _) -> None:
        try:
            self.session = Session(self.study, self.code.value, self.folder, **self._clock)
            self.session.agree()
        except (ValueError, OSError) as error:
            self._say(error)
        else:
            self._show_next(f"Your code is {self.session.participant}.")

    def _say(self, message) -> None:
        self.status.value = f'<p role="status"><b>{html.escape(str(message))}</b></p>'

    def _show_next(self, message: str) -> None:
        self.trial = trial = self.session.trial
        self.player.value = ""
        self.remove.description = "Delete my data"
        self._say(message)
        if trial is None:
            self.text.value = (f"{STYLE}<p><b>That was the last question. Thank "
                               f"you!</b></p><p>{self._kept()}</p>")
            self.box.children = (self.text, _row([self.remove]), self.status)
            return
        self.text.value = (f"{STYLE}<p>{_heading(trial, len(self.session.trials))}</p>"
                           f"<p><b>{html.escape(self.study.question(trial.kind))}</b></p>")
        self.plays["A"].description = "Play" if trial.kind == "rate" else "Play A"
        for value, name in _answers(trial).items():
            self.choices[value].description = name
        self._unlock()
        # The player comes last: its six controls would stand between Play and the answers for
        # whoever goes by Tab.
        plays, choices = (self.plays[place] for place in trial.places), (self.choices[value]
                                                                         for value
                                                                         in _answers(trial))
        self.box.children = (self.text, _row(plays), _row(choices), self.status, self.player,
                             _row([self.remove]))
        self._focus(self.plays["A"])

    def _kept(self) -> str:
        code, name = self.session.participant, html.escape(self.session.path.name)
        return f"Your answers are in the file {name}. Your code, {code}, finds them again."

    @staticmethod
    def _focus(button) -> None:
        if hasattr(button, "focus"):  # ipywidgets 7 has no such method
            button.focus()

    def _unlock(self) -> None:
        started = self.session.started
        for button in self.choices.values():
            button.disabled = not started

    def _on_play(self, place: str) -> None:
        if self.session.trial != self.trial:
            self._show_next("The last question was answered in another window.")
            return
        try:
            self.session.play(place)
        except ValueError as error:
            self._say(error)
            return
        player = _player(self.study, self.session.trial, place).replace("<audio ",
                                                                        "<audio autoplay ")
        # Another text each time, or a second start of the same sound would change nothing on the
        # page.
        self.player.value = f"{player}<!-- {self.session.plays} -->"
        self._unlock()
        self._say(f"Playing {place}." if len(self.session.trial.places) > 1 else "Playing.")

    def _on_answer(self, value: str) -> None:
        try:
            saved = self.session.answer(value)
        except (ValueError, OSError) as error:
            self._say(error)
        else:
            self._show_next(f"Answer {saved.trial} is saved.")

    def _on_remove(self, _) -> None:
        try:
            if not self.remove.description.startswith("Really"):
                count = _count(sum(a.trial > 0 for a in self.session.answers()))
                self.remove.description = f"Really delete {count}"
                return
            count = _count(self.session.delete())
        except OSError as error:
            self._say(error)
        else:
            self.session, self.player.value = None, ""
            self._show_consent()
            self._say(f"Deleted: {count}, and the file.")


def listening_test(study: Study, folder: str | Path):
    """Offer a listening test in the notebook.

    Notebook: 13_listening_test

    `sessions.run` leads a function through the same session without a browser, and `preview`
    shows a trial.

    Args:
        study: what is asked.
        folder: where each listener's file is written; it has to exist.

    Returns:
        An `ipywidgets.VBox`; its attribute `panel` is the `Panel` behind it.

    Raises:
        FileNotFoundError: if there is no such folder.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"There is no folder '{folder}'. Create it first, or choose "
                                "another place.")
    panel = Panel(study, folder)
    panel.box.panel = panel
    return panel.box
