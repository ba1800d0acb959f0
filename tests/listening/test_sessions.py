"""A study is level and balanced; a session hears before it asks, saves at once and resumes;
simulated listeners are found out.
"""
import collections
import itertools

import numpy as np
import pytest
from scipy.stats import norm

from course_utils.listening import analysis, answer_log, sessions
from course_utils.listening.design import Study, load_sounds, match_loudness, plan, save_sounds
from course_utils.listening.sessions import Session, simulate, simulated_listener, simulated_room
from course_utils.sound import preparing

SR = 8000
SYSTEMS = ("Bach", "LSTM", "Markov", "random")
TYPES = {"rate": 2, "prefer": 2, "pick": 2}


def tone(level=0.3, seconds=1.0, hertz=440.0):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SR)) / SR)


def make(systems=SYSTEMS, items=4, seconds=1.0, **changes):
    sounds = {s: [tone(0.02 * (k + 1) * (n + 1), seconds) for n in range(items)]
              for k, s in enumerate(systems)}
    return Study(
        **({"name": "room", "sounds": sounds, "sr": SR, "reference": systems[0],
            "anchor": systems[-1]} | changes))


STUDY = make()


class Clock:
    """A clock that goes on when told to."""
    now = 100.0

    def __call__(self):
        return self.now


def session(folder=None, study=STUDY, code="QXB42"):
    clock = Clock()
    begun = Session(study, code, folder, clock)
    begun.agree()
    return begun, clock


def hear(begun, clock):
    for place in begun.trial.places:
        begun.play(place)
        clock.now += 1.0


def test_all_sounds_have_one_loudness_and_none_is_clipped():
    levels = [preparing.loudness(y, SR) for excerpts in STUDY.sounds.values() for y in excerpts]
    assert max(levels) - min(levels) < 0.1 and abs(np.mean(levels) + 23) < 0.2


def test_a_sound_whose_peak_allows_no_more_sets_the_level_for_all():
    click = 0.001 * tone()
    click[4000] = 1.0
    levelled = match_loudness({"a": [tone()], "b": [click], "c": [tone(0.1)]}, SR)
    levels = [preparing.loudness(made[0], SR) for made in levelled.values()]
    assert max(levels) - min(levels) < 0.2 and levels[1] < -30
    assert np.abs(levelled["b"][0]).max() <= 1


@pytest.mark.parametrize("bad,told",
                         [({"name": "a room"}, "name"), ({"name": ""}, "name"),
                          ({"reference": "Liszt"}, "two of the systems"),
                          ({"anchor": "Bach"}, "two of"), ({"rounds": {}}, "rounds"),
                          ({"rounds": {"sing": 1}}, "rounds"), ({"rounds": {"pick": 0}}, "rounds"),
                          ({"repeats": 9}, "half"), ({"repeats": -1}, "half"),
                          ({"sr": 8000.5}, "whole number"), ({"systems": ("Bach", "random")},
                                                             "trial at least"),
                          ({"items": 1}, "at least two"), ({"seconds": 0.1}, "Loudness")])
def test_a_study_that_cannot_be_is_refused(bad, told):
    with pytest.raises(ValueError, match=told):
        make(**bad)


@pytest.mark.parametrize("bad,told", [([tone(), 0 * tone()], "silent"), ([tone()], "as many"),
                                      ([tone(), np.zeros((SR, 2))], "one channel")])
def test_sounds_that_cannot_be_judged_are_refused(bad, told):
    with pytest.raises(ValueError, match=told):
        make(sounds={"Bach": [tone(), tone()], "LSTM": bad, "random": [tone(), tone()]}, repeats=0)


def test_the_order_belongs_to_the_code():
    assert plan(STUDY, "QXB42") == plan(make(), "QXB42")
    assert len({tuple(plan(STUDY, f"L{n:02}")) for n in range(50)}) == 50


@pytest.mark.parametrize("code", [f"L{n:02}" for n in range(20)])
def test_every_listener_gets_a_balanced_order(code):
    trials = plan(STUDY, code)
    assert [t.number for t in trials] == list(range(1, len(trials) + 1))
    assert [*dict.fromkeys(t.kind for t in trials)] == list(TYPES)
    for kind in TYPES:
        block = [t for t in trials if t.kind == kind]
        tested = [t for t in block if t.role == "test"]
        assert [t.role for t in block] == ["practice"] + ["test"] * len(tested) + ["repeat"] * 2
        size = len(tested) // 2
        rounds = [sorted(tuple(sorted(map(answer_log.system_of, t.places.values()))) for t in part)
                  for part in (tested[:size], tested[size:])]
        assert rounds[0] == rounds[1] and len({*rounds[0]}) == size
        for sounds in (t.places.values() for t in block if t.role == "practice"):
            assert all(sound.endswith("/3") for sound in sounds)
        assert not any(sound.endswith("/3") for t in tested for sound in t.places.values())


@pytest.mark.parametrize("kind", ["prefer", "pick"])
def test_each_system_stands_first_in_half_of_its_pairs(kind):
    firsts = collections.Counter()
    for code in (f"L{n:02}" for n in range(30)):
        for t in plan(STUDY, code):
            if t.kind == kind and t.role == "test":
                pair = tuple(sorted(map(answer_log.system_of, t.places.values())))
                firsts[pair] += 1 if answer_log.system_of(t.first) == pair[0] else -1
    assert len(firsts) == 3 and set(firsts.values()) == {0}


def test_no_excerpt_comes_twice_before_all_have_come():
    study = make(rounds={"rate": 5}, repeats=0)
    for code in ("LAA", "LBB", "LCC"):
        items = [t.first for t in plan(study, code) if t.role == "test"
                 and t.first.startswith("LSTM")]
        assert len(set(items[:3])) == 3 and len(items) == 5


def test_excerpts_are_heard_about_equally_often_over_listeners():
    heard = collections.Counter(sound for n in range(200) for t in plan(STUDY, f"L{n:03}")
                                if t.role == "test" for sound in t.places.values())
    by_system = [[heard[f"{s}/{k}"] for k in range(3)] for s in SYSTEMS]
    assert all(max(counts) < 1.25 * min(counts) for counts in by_system)


def test_repeats_turn_pairs_round_and_follow_later():
    for code in ("LAA", "LBB", "LCC"):
        trials = plan(STUDY, code)
        for again in (t for t in trials if t.role == "repeat"):
            first = (again.second, again.first) if again.second else (again.first, "")
            (original,) = [t for t in trials if t.role == "test" and t.kind == again.kind
                           and (t.first, t.second) == first]
            assert again.number - original.number >= 3


def test_other_sounds_have_another_checksum():
    assert make().checksum == STUDY.checksum != make(seconds=1.1).checksum


def test_saved_sounds_make_the_same_study_in_every_room(tmp_path):
    folder = save_sounds(tmp_path / "sounds", STUDY.sounds, SR)
    rooms = [make(sounds=load_sounds(folder, SR), reference="Bach", anchor="random")
             for _ in range(2)]
    assert rooms[0].checksum == rooms[1].checksum and list(rooms[0].sounds) == list(SYSTEMS)
    assert rooms[0].items == 3
    np.testing.assert_allclose(rooms[0].sounds["LSTM"][2], STUDY.sounds["LSTM"][2], atol=1e-3)
    assert [t.first for t in plan(rooms[0], "QXB42")] == [t.first for t in plan(STUDY, "QXB42")]


def test_files_that_are_no_sounds_are_left_out_and_an_empty_folder_is_named(tmp_path):
    for place in (tmp_path / "Bach", tmp_path / "notes"):
        place.mkdir()
        (place / "read me.txt").write_text("la")
    with pytest.raises(FileNotFoundError, match="no sounds in"):
        load_sounds(tmp_path, SR)
    with pytest.raises(FileNotFoundError, match="no sounds in"):
        load_sounds(tmp_path / "gone", SR)
    save_sounds(tmp_path, {"Bach": [tone()]}, SR)
    assert list(load_sounds(tmp_path, SR)) == ["Bach"]


@pytest.mark.parametrize("system", ["", "../up", "a/b", ".hidden"])
def test_a_system_whose_name_is_no_folder_is_refused(tmp_path, system):
    with pytest.raises(ValueError, match="name that a folder can have"):
        save_sounds(tmp_path, {system: [tone()]}, SR)


def test_nothing_can_be_played_or_answered_before_the_consent():
    begun = Session(STUDY, "QXB42")
    for forbidden in (lambda: begun.play("A"), lambda: begun.answer("3")):
        with pytest.raises(ValueError, match="not consented"):
            forbidden()
    assert begun.answers() == []


def test_no_answer_counts_before_the_sound_was_heard_to_its_end():
    begun, clock = session()
    with pytest.raises(ValueError, match="Play sound A first"):
        begun.answer("3")
    begun.play("A")
    clock.now += 0.3
    with pytest.raises(ValueError, match="to its end, 1 s to go"):
        begun.answer("3")
    assert len(begun.answers()) == 1
    clock.now += 0.6
    assert begun.answer("3").answer == "3"


def pair_session():
    study = make(rounds={"pick": 2})
    return session(study=study)


def test_both_sounds_of_a_pair_have_to_be_heard():
    begun, clock = pair_session()
    begun.play("B")
    clock.now += 2
    with pytest.raises(ValueError, match="Play sound A first"):
        begun.answer("A")
    begun.play("A")
    clock.now += 0.4
    begun.play("B")
    clock.now += 0.1
    with pytest.raises(ValueError, match="Sound A was cut short"):
        begun.answer("A")
    begun.play("A")
    clock.now += 1
    saved = begun.answer("A")
    assert saved.plays == 4 and saved.milliseconds == 3500


def test_two_halves_are_not_a_whole():
    begun, clock = session()
    for _ in range(3):
        begun.play("A")
        clock.now += 0.5
    with pytest.raises(ValueError, match="to its end"):
        begun.answer("3")


def test_hearing_one_trial_does_not_unlock_the_next():
    begun, clock = pair_session()
    hear(begun, clock)
    begun.answer("A")
    assert not begun.started
    with pytest.raises(ValueError, match="Play sound A first"):
        begun.answer("A")


@pytest.mark.parametrize("value", ["A", "0", "6", "", "3.5", None, "good"])
def test_what_is_no_answer_to_the_question_is_refused(value):
    begun, clock = session()
    hear(begun, clock)
    with pytest.raises(ValueError, match="Answer with one of 1, 2, 3, 4, 5"):
        begun.answer(value)
    assert begun.trial.number == 1


def test_a_place_without_sound_is_refused():
    with pytest.raises(ValueError, match="Sounds are at A in this trial"):
        session()[0].play("B")


def test_every_answer_is_in_the_file_before_the_next_trial(tmp_path):
    begun, clock = session(tmp_path)
    for number in range(1, 5):
        hear(begun, clock)
        saved = begun.answer("4")
        assert answer_log.read(begun.path)[0][-1] == saved and saved.trial == number


def test_a_second_kernel_goes_on_where_the_first_was_killed(tmp_path):
    begun, clock = session(tmp_path)
    for _ in range(5):
        hear(begun, clock)
        begun.answer("4")
    data = begun.path.read_bytes()
    begun.path.write_bytes(data[:-9])  # the fifth answer was being written
    again, clock = session(tmp_path, code="qxb42")
    assert again.agreed and again.trial.number == 5
    rest = Session(STUDY, "QXB42", tmp_path, itertools.count(step=60).__next__)
    sessions.run(rest, simulated_listener(dict.fromkeys(SYSTEMS, 3)))
    answers, problems = answer_log.read(begun.path)
    assert [a.trial for a in answers] == list(range(len(plan(STUDY, "QXB42")) + 1))
    assert len(problems) == 1


def test_two_open_sessions_never_answer_one_trial_twice(tmp_path):
    (one, clock_one), (two, clock_two) = session(tmp_path), session(tmp_path)
    for begun, clock in ((one, clock_one), (two, clock_two), (one, clock_one)):
        hear(begun, clock)
        begun.answer("2")
    assert [a.trial for a in one.answers()] == [0, 1, 2, 3]


def test_the_first_of_two_answers_to_a_trial_counts(tmp_path):
    begun, clock = session(tmp_path)
    hear(begun, clock)
    saved = begun.answer("2")
    answer_log.append(begun.path, saved._replace(answer="5"))
    assert [a.answer for a in begun.answers()] == ["yes", "2"]


def test_the_sounds_heard_belong_to_the_trial_that_is_answered(tmp_path):
    (one, clock_one), (two, clock_two) = session(tmp_path), session(tmp_path)
    hear(one, clock_one)
    hear(two, clock_two)
    two.answer("2")
    with pytest.raises(ValueError, match="Play sound A first"):
        one.answer("2")


def test_a_full_disk_leaves_the_trial_open(tmp_path, monkeypatch):
    begun, clock = session(tmp_path)
    hear(begun, clock)
    with monkeypatch.context() as broken:
        broken.setattr("os.fsync",
                       lambda handle: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space left"):
            begun.answer("4")
    assert begun.trial.number == 1 and begun.answer("4").trial == 1


def test_a_changed_study_does_not_go_on_in_an_old_file(tmp_path):
    begun, clock = session(tmp_path)
    hear(begun, clock)
    begun.answer("4")
    with pytest.raises(ValueError, match="another plan of trials"):
        Session(make(rounds={"pick": 2}), "QXB42", tmp_path)


def test_after_the_last_trial_the_session_is_over():
    begun = Session(STUDY, "QXB42", clock=itertools.count(step=60).__next__)
    sessions.run(begun, simulated_listener(dict.fromkeys(SYSTEMS, 3)))
    assert begun.trial is None and len(begun.answers()) == len(plan(STUDY, "QXB42")) + 1
    with pytest.raises(ValueError, match="finished"):
        begun.play("A")


def test_what_was_answered_can_be_deleted(tmp_path):
    begun, clock = session(tmp_path)
    hear(begun, clock)
    begun.answer("4")
    assert begun.delete() == 1 and not list(tmp_path.iterdir())
    assert not begun.agreed and begun.delete() == 0


def test_the_file_holds_a_code_and_nothing_personal(tmp_path):
    begun, clock = session(tmp_path)
    hear(begun, clock)
    begun.answer("4")
    header, consent, line = begun.path.read_text().splitlines()
    kept = ("study sounds participant trial of kind role first second answer plays milliseconds "
            "check")
    assert header.split(",") == kept.split() and len(line.split(",")) == len(kept.split())
    assert begun.path.name == "room_QXB42.csv"


def test_a_missing_folder_and_a_name_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="Create it first"):
        Session(STUDY, "QXB42", tmp_path / "gone")
    with pytest.raises(ValueError, match="Do not use your name"):
        Session(STUDY, "Ada Lovelace", tmp_path)


def test_codes_are_valid_and_seldom_the_same():
    rng = np.random.default_rng(0)
    codes = [sessions.new_code(rng) for _ in range(30)]
    assert len(set(codes)) == 30 and all(answer_log.check_code(code) == code for code in codes)


SMALL = make(("Bach", "LSTM", "random"), rounds={"rate": 3, "pick": 3}, repeats=2)


def test_simulated_listeners_give_valid_answers_in_files(tmp_path):
    answers = simulate(SMALL, simulated_room(dict.fromkeys(SMALL.sounds, 3.0), 4), tmp_path)
    read = [a for path in sorted(tmp_path.iterdir()) for a in answer_log.read(path)[0]]
    assert sorted(read) == sorted(answers) and len(answers) == 4 * (1 + len(plan(SMALL, "QXB42")))


@pytest.mark.parametrize("better", [0.0, 0.5, 1.5])
def test_a_known_bias_is_recovered_and_the_interval_holds_it(better):
    truth, quality = norm.cdf(better / np.sqrt(2)), {"Bach": 3 + better, "LSTM": 3.0, "random": 1.0}
    found, held = [], 0
    for seed in range(40):
        answers = simulate(SMALL, simulated_room(quality, 12, seed=seed))
        hits, n = analysis.wins(answers, "pick", "Bach", "LSTM")
        low, high = analysis.listener_interval(hits, n)
        found.append(hits.sum() / n.sum())
        held += low <= truth <= high
    assert np.mean(found) == pytest.approx(truth, abs=0.03) and held >= 35


def test_a_lean_to_the_first_sound_cancels_between_the_sides_and_shows_between_the_places():
    quality = {"Bach": 3.0, "LSTM": 3.0, "random": 1.0}
    room = simulated_room(quality, 60, lean=1.0, seed=1)
    answers = [a for a in simulate(SMALL, room) if (a.kind, a.role) == ("pick", "test")
               and "random" not in a.first + a.second]
    assert np.mean([a.answer == "A" for a in answers]) == pytest.approx(norm.cdf(1 / np.sqrt(2)),
                                                                        abs=0.09)
    assert np.mean([answer_log.chosen(a).startswith("Bach")
                    for a in answers]) == pytest.approx(0.5, abs=0.09)


def test_ratings_of_simulated_listeners_follow_the_quality():
    quality = {"Bach": 4.0, "LSTM": 3.0, "random": 2.0}
    tables = analysis.ratings(simulate(SMALL, simulated_room(quality, 40, noise=0.7, seed=2)))
    assert {name: round(float(np.nanmean(table))) for name, table in tables.items()} == quality


def test_lapses_make_a_listener_guess():
    quality = {"Bach": 5.0, "LSTM": 1.0, "random": 1.0}
    shares = []
    for lapses in (0.0, 1.0):
        answers = simulate(SMALL, simulated_room(quality, 30, lapses=lapses, seed=3))
        hits, n = analysis.wins(answers, "pick", "Bach", "LSTM")
        shares.append(hits.sum() / n.sum())
    assert shares[0] > 0.97 and shares[1] == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("spread,sure", [(0.0, False), (4.0, True)])
def test_listeners_of_different_taste_differ_in_what_they_prefer(spread, sure):
    room = simulated_room({"Bach": 3.0, "LSTM": 3.0, "random": 3.0}, 40, spread=spread, noise=0.5,
                          seed=4)
    hits, trials = analysis.wins(simulate(SMALL, room), "pick", "Bach", "LSTM")
    assert (np.mean((hits == 0) | (hits == trials)) > 0.6) == sure
