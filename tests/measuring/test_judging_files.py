"""A folder of files: each is judged, what does not fit is told with what to do, and costs no
other.
"""
import dataclasses

import numpy as np
import pytest

from course_utils import __main__, audio, datasets, scores
from course_utils.measuring import judging_files
from course_utils.scores import score_files

TEST = datasets.chorales("test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("music")
    (place / "below").mkdir()
    for number, score in enumerate(TEST[:3]):
        score_files.to_midi(score, place / f"bach{number}.mid")
    score_files.to_musicxml(scores.transpose(datasets.chorales("train")[3], 2),
                            place / "below" / "copied.musicxml")
    solo = dataclasses.replace(TEST[0], pitches=TEST[0].pitches[:, :1],
                               onsets=TEST[0].onsets[:, :1])
    score_files.to_midi(solo, place / "solo.mid")
    score_files.to_midi(scores.excerpt(TEST[0], 0, 20), place / "short.mid")
    score_files.to_midi(scores.transpose(scores.excerpt(TEST[0], 0, 64), 24), place / "high.mid")
    (place / "broken.mid").write_bytes(b"MThd, or not")
    (place / "notes.txt").write_text("not music")
    y = np.sin(np.arange(16000) / 6) * np.exp(-np.arange(16000) / 4000)
    audio.save(place / "below" / "tone.wav", y.astype(np.float32) / 2, 16000)
    audio.save(place / "silent.wav", np.zeros(16000, np.float32), 16000)
    return place


def test_one_bad_file_costs_no_other(folder, capsys):
    assert __main__.main(["evaluate", str(folder)]) == 0
    told, refused = capsys.readouterr()
    assert all(name in told for name in ("bach0.mid", "bach1.mid", "bach2.mid", "copied.musicxml",
                                         "tone.wav"))
    assert refused.count("not judged") == 6 and "Traceback" not in refused
    for name, why in {"solo.mid": "has 1 voice;", "short.mid": "two bars", "high.mid": "Transpose",
                      "broken.mid": "not a MIDI file", "silent.wav": "silent",
                      "notes.txt": "could not be decoded as sound"}.items():
        line = next(line for line in refused.splitlines() if name in line)
        assert why in line and name not in told
    assert "too few for distances" in told


def test_a_copy_is_told_and_a_chorale_is_not_accused(folder):
    judged, _ = judging_files.judge_folder(folder)
    copies = {judged[i][-12:]: next(line for line in judged[i:] if "longest passage" in line)
              for i in range(len(judged)) if judged[i].endswith((".mid", ".musicxml"))}
    accused = {name for name, line in copies.items() if "more than unrelated" in line}
    assert len(copies) == 4
    assert [name for name in accused if "xml" in name] == [name for name in copies if "xml" in name]


def test_unusual_values_are_marked():
    still = scores.from_grid(np.tile([72, 67, 64, 48], (128, 1)))
    marked = [line for line in judging_files.judge_score(still) if "unusual" in line]
    assert any("note density" in line for line in marked)
    assert any("repeated steps" in line for line in marked)
    assert len([line for line in judging_files.judge_score(TEST[5]) if "unusual" in line]) <= 4


def test_enough_pieces_are_judged_as_a_set(tmp_path):
    for number, score in enumerate(TEST[:10]):
        score_files.to_midi(scores.excerpt(score, 0, 64), tmp_path / f"{number}.mid")
    judged, refused = judging_files.judge_folder(tmp_path)
    assert not refused and any("All 10 pieces together, 64 sixteenths" in line for line in judged)
    assert sum("held-out Bach" in line for line in judged) == len(judging_files.SHOWN)


def test_folders_that_cannot_be_judged(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("not music")
    (tmp_path / "empty.mid").write_bytes(b"")
    for place, why in ((tmp_path / "nowhere", "There is no folder"),
                       (tmp_path / "notes.txt", "is a file")):
        assert __main__.main(["evaluate", str(place)]) == 2
        assert why in capsys.readouterr().err
    assert __main__.main(["evaluate", str(tmp_path)]) == 2  # nothing in it could be judged
    assert "empty.mid" in capsys.readouterr().err
    (tmp_path / "empty.mid").unlink()
    assert __main__.main(["evaluate", str(tmp_path)]) == 2
    assert "nothing to judge" in capsys.readouterr().err
