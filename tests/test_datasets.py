"""The shipped data: what the table promises, and that its builder makes it again."""
import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from course_utils import datasets, environment
from course_utils.scores import REST, transpose

NO_FERMATAS = ("BWV 1.6", "BWV 79.3", "BWV 112.5")  # the corpus has none there
ALL = [(split, score) for split in datasets.SPLITS for score in datasets.chorales(split)]


def test_sizes_follow_the_benchmark_split():
    table = json.loads((environment.data_folder() / "jsb_split_bwv.json").read_text())
    for split in ("valid", "test"):
        files = {p["file"] for p in table[split] if p["file"]}
        assert len(datasets.chorales(split)) == len(files)
    assert len(datasets.chorales("train")) > 200


def test_no_piece_stands_in_two_splits_and_near_duplicates_stay_out_of_training():
    titles = [score.title for _, score in ALL]
    assert len(set(titles)) == len(titles)
    table = json.loads((environment.data_folder() / "jsb_split_bwv.json").read_text())
    banned = {"BWV " + f.removeprefix("bwv").rsplit(".", 1)[0]
              for f in table["keep_out_of_training"] if f.endswith(".mxl")}
    later = {score.title for split, score in ALL if split != "train"}
    assert not (banned - later) & {score.title for score in datasets.chorales("train")}
    assert "BWV 414" in {score.title for score in datasets.chorales("valid")}


def test_no_training_piece_repeats_a_held_out_one_in_another_key():
    def texture(score):
        moves = np.diff(score.pitches[::4].astype(int), axis=0)
        return {moves[i : i + 8].tobytes() for i in range(len(moves) - 8)}

    train = set().union(*(texture(s) for s in datasets.chorales("train")))
    shared = [len(texture(s) & train) / max(1, len(texture(s))) for split in ("valid", "test")
              for s in datasets.chorales(split)]
    assert max(shared) < 0.5


@pytest.mark.parametrize("split", datasets.SPLITS)
def test_every_score_is_four_voices_on_a_metric_grid(split):
    for score in datasets.chorales(split):
        sounding = score.pitches != REST
        assert score.pitches.shape[1] == 4 and sounding.any(axis=1).mean() > 0.85
        assert sounding[0].any() and sounding[-1].any()
        assert score.pitches[sounding].min() >= 36 and score.pitches[sounding].max() <= 81
        assert score.fermata.any() or score.title in NO_FERMATAS
        steps_on = (np.diff(score.beat.astype(int)) == 1) | (score.beat[1:] == 0)
        assert steps_on.mean() > 0.97, score.title


def test_notes_begin_on_beats_far_more_often_than_between():
    on = np.concatenate([s.onsets[s.beat % 4 == 0].mean(axis=1) for _, s in ALL])
    off = np.concatenate([s.onsets[s.beat % 4 == 1].mean(axis=1) for _, s in ALL])
    assert on.mean() > 0.8 and off.mean() < 0.02


def test_pickups_are_counted_from_the_end_of_the_bar():
    first_beats = {score.title: int(score.beat[0]) for _, score in ALL}
    assert first_beats["BWV 385"] == 12
    assert first_beats["BWV 360"] == 0


def test_repeats_are_written_out():
    score = next(s for _, s in ALL if s.title == "BWV 360")
    bars = [i for i, (a, b) in enumerate(pairwise(score.beat.tolist())) if b <= a]
    assert len(bars) >= 10
    half = 64
    assert (score.pitches[:half] == score.pitches[half : 2 * half]).mean() > 0.9


def test_fermatas_lie_under_long_or_final_notes():
    ends = [score.fermata[-8:].any() for _, score in ALL]
    assert np.mean(ends) > 0.9


def test_keys_agree_with_the_last_bass_note():
    agree = [score.pitches[-1, 3] % 12 == score.key % 12 for _, score in ALL]
    assert np.mean(agree) > 0.8


def test_scores_can_not_be_changed_by_accident():
    with pytest.raises(ValueError):
        datasets.chorales("test")[0].pitches[0, 0] = 60
    datasets.chorales("test").clear()
    assert datasets.chorales("test")


def test_transposed_up_and_down_is_the_same():
    score = datasets.chorales("test")[0]
    back = transpose(transpose(score, 5), -5)
    assert (back.pitches == score.pitches).all() and back.key == score.key


@pytest.mark.parametrize("split", ["validation", "", None, 3])
def test_unknown_split(split):
    with pytest.raises(ValueError, match="train, valid, test"):
        datasets.chorales(split)


def test_loading_is_quick_and_needs_neither_music21_nor_tensorflow():
    code = ("import sys, time; t = time.perf_counter(); from course_utils import datasets; "
             "datasets.chorales('train'); print(time.perf_counter() - t); assert not {'music21', "
             "'tensorflow'} & set(sys.modules)")
    seconds = float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                                   check=True).stdout)
    assert seconds < 3


def test_manifest_names_origin_licence_and_checksum_of_every_file():
    folder = environment.data_folder()
    files = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))["files"]
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert set(files) == found - {"MANIFEST.json"}
    for name, entry in files.items():
        assert entry["origin"] and entry["licence"] and entry["what"]
        assert entry["bytes"] == environment.shipped(name).stat().st_size
    assert all(entry["bytes"] <= 8e6 for entry in files.values())


@pytest.mark.slow
def test_the_builder_reproduces_the_shipped_table_byte_for_byte(tmp_path):
    import music21

    if music21.VERSION_STR != "10.5.1":
        pytest.skip("The table was built from the corpus of music21 10.5.1.")
    subprocess.run([sys.executable, "-m", "tools.build_chorales", str(tmp_path / "again.npz")],
                   check=True, capture_output=True)
    assert environment.sha256(tmp_path / "again.npz") == environment.sha256(
        environment.shipped("chorales.npz"))
