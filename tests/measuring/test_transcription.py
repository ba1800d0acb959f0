"""The ear from outside: it hears the notes that are played, where it is installed, and says how to
install it where it is not.
"""
import numpy as np
import pytest

from course_utils import synth
from course_utils.measuring import transcription
from course_utils.scores.melodies import parse_melody

installed = pytest.mark.skipif(bool(transcription.missing()),
                               reason=f"an optional extra: {transcription.missing()}")


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(transcription.importlib.util, "find_spec", lambda name: None)
    transcription._network.cache_clear()
    with pytest.raises(ModuleNotFoundError, match="pip install onnxruntime.*--no-deps basic-pitch"):
        transcription.hear(np.ones(1000, np.float32), 16000)


@installed
def test_it_hears_the_notes_that_are_played():
    y = synth.render(parse_melody("C4 E4 G4 C5"), sr=16000, quarter_bpm=60)
    heard = transcription.hear(y, 16000)
    assert {name: values.shape[1] for name, values in heard.items()} == {"notes": 88, "onsets": 88,
                                                                         "contours": 264}
    struck = [21 + heard["onsets"][int((second - 0.1) * 86) if second
                                   else 0 : int((second + 0.3) * 86)].max(axis=0).argmax()
              for second in range(4)]
    assert struck == [60, 64, 67, 72]


@installed
def test_an_embedding_tells_music_from_noise():
    y = synth.render(parse_melody("C4 E4 G4 C5"), sr=16000, quarter_bpm=120)
    noise = np.random.default_rng(0).normal(0, 0.1, len(y)).astype(np.float32)
    tune, louder, hiss = (transcription.embed(x, 16000) for x in (y, 0.8 * y, noise))
    assert tune.shape == (48,) and np.linalg.norm(tune - louder) < 0.2 * np.linalg.norm(tune - hiss)
