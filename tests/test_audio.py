"""Checking, loading, saving, playing and resampling waveforms."""
import base64
import io
import os
import re
import struct
import traceback

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils import audio
from course_utils.checks import SR

TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(SR) / SR)).astype(np.float32)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """A folder with good and bad files, by name."""
    folder = tmp_path_factory.mktemp("sounds") / "süß und leise"
    folder.mkdir()
    soundfile.write(folder / "tone.wav", TONE, SR)
    soundfile.write(folder / "tone.flac", TONE, SR)
    soundfile.write(folder / "tone.mp3", TONE, SR)
    soundfile.write(folder / "tone.aiff", TONE, SR)
    soundfile.write(folder / "tone.ogg", TONE, SR)
    soundfile.write(folder / "tone.opus", TONE, SR, format="OGG", subtype="OPUS")
    soundfile.write(folder / "tone.au", TONE, SR)
    for name in ("wav", "flac", "mp3", "aiff", "au"):
        content = (folder / f"tone.{name}").read_bytes()
        (folder / f"cut.{name}").write_bytes(content[:len(content) * 6 // 10])
    flac = bytearray((folder / "tone.flac").read_bytes())
    flac[len(flac) // 2:len(flac) // 2 + 40] = bytes(40)
    (folder / "scratched.flac").write_bytes(flac)
    flac = bytearray((folder / "tone.flac").read_bytes())
    flac[21:26] = (int.from_bytes(flac[21:26], "big") >> 36 << 36 | 36000 * SR).to_bytes(5, "big")
    (folder / "ten hours.flac").write_bytes(flac)
    (folder / "zero bytes.wav").touch()
    (folder / "words.wav").write_text("This is no sound.", encoding="utf-8")
    (folder / "noise.mp3").write_bytes(b"\x00" * 5000)
    (folder / "noise.raw").write_bytes(b"\x01" * 5000)
    (folder / "half header.wav").write_bytes((folder / "tone.wav").read_bytes()[:20])
    (folder / "ten hours.wav").write_bytes(_header(44100 * 36000 * 2))
    (folder / "slow clock.wav").write_bytes(_header(2000, sr=3) + b"\0" * 2000)
    (folder / "folder.wav").mkdir()
    soundfile.write(folder / "no samples.wav", np.zeros(0), SR)
    for name, value in (("nan", np.nan), ("inf", np.inf)):
        soundfile.write(folder / f"{name}.wav", np.array([0.1, value, 0.2]), SR, subtype="FLOAT")
    return folder


def _header(size: int, sr: int = 44100) -> bytes:
    return (b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt "
             + struct.pack("<IHHIIHH", 16, 1, 1, sr, 2 * sr, 2, 16) + b"data"
             + struct.pack("<I", size))


BAD_FILES = [
    ("missing.wav", {}, FileNotFoundError, "Check the spelling"),
    ("https://example.org/a.wav", {}, FileNotFoundError, "downloaded first"),
    ("folder.wav", {}, IsADirectoryError, "one sound file in it"),
    ("zero bytes.wav", {}, ValueError, "empty"),
    ("words.wav", {}, ValueError, "convert it to wav"),
    ("noise.mp3", {}, ValueError, "convert it to wav"),
    ("noise.raw", {}, ValueError, "convert it to wav"),
    ("half header.wav", {}, ValueError, "convert it to wav|no samples"),
    ("no samples.wav", {}, ValueError, "only a header"),
    ("ten hours.wav", {}, ValueError, "only a header"),
    ("ten hours.wav", {"duration": 5.0}, ValueError, "only a header"),
    ("slow clock.wav", {}, ValueError, "sample rate"),
    ("cut.wav", {}, OSError, "cut off"),
    ("cut.flac", {}, OSError, "cut off"),
    ("cut.mp3", {}, OSError, "cut off"),
    ("cut.aiff", {}, OSError, "cut off"),
    ("cut.au", {}, OSError, "cut off"),
    ("scratched.flac", {}, OSError, "damaged"),
    ("ten hours.flac", {}, OSError, "cut off"),
    ("nan.wav", {}, ValueError, "NaN"),
    ("inf.wav", {}, ValueError, "infinity"),
    ("tone.wav", {"sr": 0}, ValueError, "sample rate"),
    ("tone.wav", {"sr": -16000}, ValueError, "sample rate"),
    ("tone.wav", {"sr": 10**9}, ValueError, "sample rate"),
    ("tone.wav", {"sr": 22050.5}, ValueError, "Round it"),
    ("tone.wav", {"sr": "16 kHz"}, ValueError, "sample rate"),
    ("tone.wav", {"sr": float("nan")}, ValueError, "sample rate"),
    ("tone.wav", {"sr": True}, ValueError, "sample rate"),
    ("tone.wav", {"offset": -1}, ValueError, "offset"),
    ("tone.wav", {"offset": 2.0}, ValueError, "offset below"),
    ("tone.wav", {"offset": "1"}, ValueError, "offset"),
    ("tone.wav", {"duration": 0}, ValueError, "duration"),
]


@pytest.mark.parametrize(("name", "how", "error", "advice"), BAD_FILES)
def test_bad_files_raise_one_clear_error(sounds, name, how, error, advice):
    with pytest.raises(error, match=advice) as caught:
        audio.load(name if ":" in name else sounds / name, **how)
    _is_ours(caught)


def _is_ours(caught):
    assert "course_utils" in traceback.extract_tb(caught.tb)[-1].filename
    assert not isinstance(caught.value, soundfile.SoundFileError)


BAD_WAVEFORMS = [
    ([], "empty"),
    (np.zeros((0, 2)), "empty"),
    (np.float32(0.5), "shape"),
    (np.zeros((2, 1000)), r"y\.T"),
    (np.zeros((10, 2, 2)), "shape"),
    ([[0.1, 0.2], [0.3]], "same length"),
    ([0.0, np.nan], "NaN"),
    ([0.0, -np.inf], "infinity"),
    ([0.0, 1e300], "no sound has"),
    ([0.0, 1e30], "no sound has"),
    (np.array([0, 1, 2]), "full scale"),
    (np.array([0, 1], np.uint16), "full scale"),
    (np.array([True, False]), "full scale"),
    (np.array([1j, 0]), "full scale"),
    (["loud", "quiet"], "full scale"),
    (None, "shape"),
]


@pytest.mark.parametrize(("y", "advice"), BAD_WAVEFORMS)
def test_what_is_no_waveform_is_refused_everywhere_and_leaves_no_file(tmp_path, y, advice):
    for use in (audio.waveform, audio.to_mono, lambda y: audio.save(tmp_path / "a.wav", y, SR),
                lambda y: audio.play(y, SR), lambda y: audio.resample(y, SR, 8000)):
        with pytest.raises(ValueError, match=advice) as caught:
            use(y)
        _is_ours(caught)
    assert not list(tmp_path.iterdir())


BAD_TARGETS = [
    ("music", {}, ValueError, "ends in none of"),
    ("music.m4a", {}, ValueError, "ends in none of"),
    ("nowhere/music.wav", {}, FileNotFoundError, "Create it first"),
    ("music.mp3", {"sr": 10000}, ValueError, "44100"),
    ("music.mp3", {"y": np.zeros((100, 3))}, ValueError, "one or two channels"),
    ("music.flac", {"y": np.zeros((100, 9))}, ValueError, r"Use \.wav"),
    ("music.flac", {"sr": 700_000}, ValueError, r"Use \.wav"),
    ("music.wav", {"sr": 0}, ValueError, "sample rate"),
    ("music.wav", {"sr": 768_001}, ValueError, "sample rate"),
]


@pytest.mark.parametrize(("name", "how", "error", "advice"), BAD_TARGETS)
def test_bad_targets_raise_one_clear_error_and_leave_no_file(tmp_path, name, how, error, advice):
    with pytest.raises(error, match=advice) as caught:
        audio.save(tmp_path / name, **{"y": TONE, "sr": SR, **how})
    _is_ours(caught)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = audio.save(tmp_path / "music.wav", TONE, SR)
    before = path.read_bytes()

    def full_disk(*_):
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", full_disk)
    with pytest.raises(OSError, match="disk full"):
        audio.save(path, -TONE, SR)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["music.wav"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"),
                    reason="needs a folder that nobody can write to")
def test_a_read_only_folder_is_named():
    with pytest.raises(OSError, match="Choose another place"):
        audio.save("/proc/self/music.wav", TONE, SR)


def test_arguments_in_the_wrong_order_are_explained():
    with pytest.raises(ValueError, match="in this order"):
        audio.save(TONE, SR, "music.wav")
    with pytest.raises(ValueError, match="path of a sound file"):
        audio.load(TONE)


@pytest.mark.parametrize("name", ["tone.wav", "tone.flac", "tone.mp3", "tone.aiff", "tone.ogg",
                                  "tone.opus", "tone.au"])
def test_formats_load_with_pitch_and_length(sounds, name):
    y, sr = audio.load(sounds / name)
    assert sr == SR
    assert y.dtype == np.float32
    assert abs(len(y) - SR) <= 16
    assert np.argmax(np.abs(np.fft.rfft(y[:SR]))) == 440


def test_load_accepts_text_paths_and_opened_files(sounds):
    expected, _ = audio.load(sounds / "tone.wav")
    np.testing.assert_array_equal(audio.load(str(sounds / "tone.wav"))[0], expected)
    np.testing.assert_array_equal(audio.load(io.BytesIO((sounds / "tone.wav").read_bytes()))[0],
                                  expected)
    with pytest.raises(ValueError, match="The opened file could not be decoded"):
        audio.load(io.BytesIO(b"nothing"))


def test_load_resamples_and_keeps_pitch(sounds):
    y, sr = audio.load(sounds / "tone.wav", sr=8000)
    assert (sr, len(y)) == (8000, 8000)
    assert np.argmax(np.abs(np.fft.rfft(y))) == 440


def test_load_reads_the_part_asked_for(sounds):
    whole, _ = audio.load(sounds / "tone.wav")
    part, _ = audio.load(sounds / "tone.wav", offset=0.25, duration=0.5)
    np.testing.assert_array_equal(part, whole[4000:12000])
    rest, _ = audio.load(sounds / "tone.wav", offset=0.75, duration=10)
    np.testing.assert_array_equal(rest, whole[12000:])


def test_a_part_of_a_cut_off_file_can_be_rescued(sounds):
    y, _ = audio.load(sounds / "cut.wav", duration=10)
    np.testing.assert_allclose(y, TONE[:len(y)], atol=1e-4)
    assert 0.5 * SR < len(y) < 0.7 * SR


def test_a_stream_of_unknown_length_is_whole(tmp_path):
    path = tmp_path / "pipe.wav"
    header = bytearray(_header(0))
    header[4:8] = header[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(header) + (TONE * 32767).astype("<i2").tobytes())
    assert len(audio.load(path)[0]) == len(TONE)


@pytest.mark.parametrize("channels", [2, 8])
def test_channels_are_mixed_or_kept(tmp_path, channels):
    y = np.zeros((1000, channels), np.float32)
    y[:, 0] = 0.5
    path = audio.save(tmp_path / "many.wav", y, 200_000)
    mixed, sr = audio.load(path)
    assert sr == 200_000
    np.testing.assert_allclose(mixed, 0.5 / channels, atol=1e-4)
    np.testing.assert_allclose(audio.load(path, mono=False)[0], y, atol=1e-4)


def test_too_long_to_load_at_once_is_refused_early(sounds, monkeypatch):
    monkeypatch.setattr(audio, "MAX_SAMPLES", 1000)
    with pytest.raises(ValueError, match="Load a part"):
        audio.load(sounds / "tone.wav")
    with pytest.raises(ValueError, match="Resample it in parts"):
        audio.resample(TONE, SR, 48000)


SAMPLES = st.floats(-1, 1, width=32)


@given(arrays(np.float32,
              st.one_of(st.integers(1, 300), st.tuples(st.integers(1, 300), st.integers(2, 4))),
              elements=SAMPLES), st.sampled_from(["wav", "flac", "WAV"]),
       st.sampled_from([8000, 44100, 192000]))
def test_saving_and_loading_keeps_samples_within_quantization(tmp_path_factory, y, ending, sr):
    path = audio.save(tmp_path_factory.mktemp("round") / f"trip.{ending}", y, sr)
    once, rate = audio.load(path, mono=False)
    assert rate == sr
    assert np.abs(once - y).max() <= 1 / 32768
    audio.save(path, once, sr)
    np.testing.assert_array_equal(audio.load(path, mono=False)[0], once)


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_compressed_formats_sound_alike(tmp_path, name):
    y, sr = audio.load(audio.save(tmp_path / name, TONE, SR))
    assert (sr, len(y)) == (SR, len(TONE))
    inner = slice(2000, -2000)
    assert np.sqrt(np.mean((y[inner] - TONE[inner]) ** 2)) < 0.02


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_comments_are_kept_in_the_file(tmp_path, name):
    path = audio.save(tmp_path / name, TONE, SR, comment="generated, seed 3")
    with soundfile.SoundFile(path) as file:
        assert file.comment == "generated, seed 3"


def test_what_exceeds_full_scale_is_turned_down_and_not_clipped(tmp_path):
    y, _ = audio.load(audio.save(tmp_path / "loud.wav", 4 * TONE, SR))
    np.testing.assert_allclose(y, TONE / np.abs(TONE).max(), atol=1e-4)


def test_quiet_sound_stays_quiet(tmp_path):
    y, _ = audio.load(audio.save(tmp_path / "quiet.wav", 0.01 * TONE, SR))
    np.testing.assert_allclose(y, 0.01 * TONE, atol=1 / 32768)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.flac"])
def test_long_sounds_have_no_holes(tmp_path, name):
    tone = np.tile(TONE, 12)
    y, _ = audio.load(audio.save(tmp_path / name, tone, SR))
    assert len(y) == len(tone)
    assert np.abs(y - tone)[2000:-2000].max() < 0.02
    part, _ = audio.load(tmp_path / name, offset=5, duration=2)
    np.testing.assert_allclose(part, y[5 * SR:7 * SR], atol=1e-4)


def test_a_long_ogg_is_written(tmp_path):
    path = audio.save(tmp_path / "long.ogg", np.tile(TONE, 300), SR)
    assert soundfile.info(path).frames == 300 * SR


@pytest.mark.parametrize(("dtype", "loudest"),
                         [(np.int8, 127 / 128), (np.int16, 32767 / 32768), (np.int32, 1.0),
                          (np.uint8, 127 / 128)])
def test_integers_are_scaled_by_their_full_scale(dtype, loudest):
    info = np.iinfo(dtype)
    y = audio.waveform(np.array([info.min, info.max], dtype))
    np.testing.assert_allclose(y, [-1, loudest], rtol=1e-6)


def test_one_column_becomes_one_dimension_and_more_are_refused_where_one_is_needed():
    assert audio.waveform(TONE[:, None]).shape == TONE.shape
    with pytest.raises(ValueError, match="to_mono"):
        audio.waveform(np.zeros((10, 2)), mono=True)


def _decoded(player) -> tuple[np.ndarray, int]:
    content = re.search(r'src="data:audio/mpeg;base64,([^"]+)"', player.data)[1]
    return soundfile.read(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize(("sr", "encoded"),
                         [(16000, 16000), (44100, 44100), (10000, 11025), (96000, 48000),
                          (2000, 8000)])
def test_the_player_plays_the_sound(sr, encoded):
    y = 0.5 * np.sin(2 * np.pi * 330 * np.arange(2 * sr) / sr)
    heard, rate = _decoded(audio.play(y, sr))
    assert rate == encoded
    assert abs(len(heard) / rate - 2) < 0.01
    assert np.argmax(np.abs(np.fft.rfft(heard))) * rate / len(heard) == pytest.approx(330, abs=1)
    assert np.abs(heard).max() == pytest.approx(0.5, abs=0.05)


def test_the_player_has_an_escaped_label_and_is_the_same_twice():
    player = audio.play(TONE, SR, label='Bach, "Air" <slow> & quiet')
    assert 'aria-label="Bach, &quot;Air&quot; &lt;slow&gt; &amp; quiet (1.0 s)"' in player.data
    assert "<audio controls" in player.data
    assert player.data == audio.play(TONE, SR, label='Bach, "Air" <slow> & quiet').data
    assert "(250 ms)" in audio.play(TONE[:4000], SR).data


def test_half_a_minute_of_noise_fits_into_a_notebook():
    noise = np.random.default_rng(0).normal(scale=0.1, size=30 * 44100)
    assert len(audio.play(noise, 44100).data) < 350_000


def test_the_player_takes_stereo_more_channels_and_a_single_sample():
    stereo = np.stack([TONE, np.zeros_like(TONE)], axis=1)
    heard, _ = _decoded(audio.play(stereo, SR))
    assert np.abs(heard).max(axis=0) == pytest.approx([0.5, 0], abs=0.05)
    mixed, _ = _decoded(audio.play(np.repeat(TONE[:, None], 5, axis=1), SR))
    assert mixed.ndim == 1
    assert len(_decoded(audio.play(TONE[:1], SR))[0]) == 1


def test_the_player_refuses_what_a_notebook_cannot_hold():
    with pytest.raises(ValueError, match="Play a part"):
        audio.play(np.zeros(601 * 1000), 1000)


@given(st.integers(1, 2000), st.sampled_from([100, 8000, 16000, 44100]),
       st.sampled_from([100, 16000, 22050, 48000]))
def test_resampling_keeps_the_duration(samples, sr, new_sr):
    y = audio.resample(np.full(samples, 0.5), sr, new_sr)
    assert len(y) == max(1, round(samples * new_sr / sr))
    assert y.dtype == np.float32
    assert np.isfinite(y).all()


def test_resampling_removes_what_would_alias():
    high = np.sin(2 * np.pi * 7000 * np.arange(SR) / SR)
    assert np.abs(audio.resample(high, SR, 8000)[500:-500]).max() < 0.001
