"""From notes to sound: scores, MIDI and single notes, played by the sampled instruments of a sound
font.
"""
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from course_utils import audio
from course_utils.outside import fonts
from course_utils.scores import Score, score_files

FONT_RATE = 48000  # what the renderer gives, in Hz
# samples; it lets notes begin at every 64th only, so they are asked for half-way, where no rounding
# moves them
TICK = 32
LONGEST = 1200  # seconds of music rendered at a time, about 1.2 GB of memory
TAIL = 1.5  # seconds for the last note to die away
GAP = 1.4  # seconds after which nothing of an instrument's chorus and reverberation is left
# ticks of one swing of the renderer's chorus (2.5 s): notes that many apart sound the same
CHORUS = 3750
CHUNK = 100  # single notes rendered at a time
PEAK = 10 ** (-1 / 20)  # -1 dBFS


def render(score: Score, *, sr: int = 44100, quarter_bpm: float = 80,
           programs: int | Sequence[int] | None = None, velocity: int = 80,
           soundfont: str | Path | None = None, stereo: bool = False) -> np.ndarray:
    """Play a score.

    Notebook: 08_lstm_composes_chorales

    Args:
        score: the music.
        sr: sample rate of the result, 8000..192000 Hz.
        quarter_bpm: tempo, quarter notes a minute, 10..400.
        programs: General MIDI program 0..127, one for all voices or one for each; by default a wind
            quartet.
        velocity: loudness of every note, 1..127.
        soundfont: path of a sound font (.sf2); by default the one that comes with pretty_midi.
        stereo: keep both channels.

    Returns:
        float32 (n,), or (n, 2) in stereo, with a peak of -1 dBFS, 1.5 seconds longer than the
        music; rests alone are silence.

    Raises:
        ValueError: if an argument is out of range, the music longer than 20 minutes, or the sound
            font damaged.
        OSError: if the sound font cannot be read.
    """
    file = io.BytesIO()
    score_files.to_midi(score, quarter_bpm=quarter_bpm, programs=programs,
                        velocity=velocity).write(file)
    return render_midi(file.getvalue(), sr=sr, soundfont=soundfont, stereo=stereo)


def render_midi(midi: bytes | str | Path, *, sr: int = 44100, soundfont: str | Path | None = None,
                stereo: bool = False) -> np.ndarray:
    """Play a MIDI file, given by its path or its content; the rest is as in `render`."""
    sr = _checked_rate(sr)
    music, seconds = _with_tail(midi)
    y = _play(music, seconds, soundfont)
    y = audio.resample(y if stereo else y.mean(axis=1), FONT_RATE, sr)
    y = _fade(y, round(0.001 * sr), round(sr * TAIL / 3))
    peak = np.abs(y).max()
    return y * np.float32(PEAK / peak) if peak > 0 else y


def render_notes(notes: Sequence[tuple[int, int, int, float]], *, length: float | None = None,
                 sr: int = 16000, soundfont: str | Path | None = None) -> np.ndarray:
    """Play single notes, each for itself, without reverberation.

    Notebook: 05_cnn_hears_timbre

    Args:
        notes: (program 0..127, MIDI pitch 0..127, velocity 1..127, seconds until the key is let
            go), at least one.
        length: seconds kept of every note; by default the longest note's.
        sr: sample rate of the result, 8000..192000 Hz.
        soundfont: path of a sound font (.sf2); by default the one that comes with pretty_midi.

    Returns:
        float32 (notes, samples), as loud as the sound font has them (peaks from 0.02 to 0.3).

    Raises:
        ValueError: if a note is out of range, or the sound font damaged or without a sound for a
            note.
        OSError: if the sound font cannot be read.
    """
    sr, notes = _checked_rate(sr), [_checked_note(*note) for note in notes]
    if not notes:
        raise ValueError("There are no notes to play. Give at least one (program, pitch, velocity, "
                         "seconds).")
    length = max(seconds for *_, seconds in notes) if length is None else length
    if not 0.01 <= length <= 60:
        raise ValueError(f"length is 0.01 to 60 seconds, not {length}.")
    slot = math.ceil(_ticks(length + GAP) / CHORUS) * CHORUS
    rows = []
    for first in range(0, len(notes), CHUNK):
        chunk = notes[first : first + CHUNK]
        y = _play(_notes_as_midi(chunk, length, slot), len(chunk) * slot * TICK / FONT_RATE,
                  soundfont).mean(axis=1)
        # (notes, samples)
        kept = y.reshape(len(chunk), slot * TICK)[:, : round(length * FONT_RATE)]
        for note, row in zip(chunk, kept):
            if not row.any():
                raise ValueError(f"Nothing is heard of program {note[0]} at pitch {note[1]} and "
                                 f"velocity {note[2]}: the sound font has no sample there, or it "
                                 "is too soft. Choose another note.")
            rows.append(_fade(audio.resample(row, FONT_RATE, sr), 0, round(0.005 * sr)))
    return np.stack(rows)


def _checked_rate(sr: int) -> int:
    if not 8000 <= audio.check_rate(sr) <= 192000:
        raise ValueError(f"The synthesizer works at 8000 to 192000 Hz, not {sr}. 44100 suits "
                         "music, 16000 the networks.")
    return int(sr)


def _checked_note(program: int, pitch: int, velocity: int,
                  seconds: float) -> tuple[int, int, int, float]:
    whole = all(isinstance(number, int | np.integer) for number in (program, pitch, velocity))
    if not (whole and 0 <= program <= 127 and 0 <= pitch <= 127 and 1 <= velocity <= 127
            and 0 < seconds <= 60):
        raise ValueError("A note is (program 0..127, pitch 0..127, velocity 1..127, seconds up to "
                         f"60), not {(program, pitch, velocity, seconds)}.")
    return int(program), int(pitch), int(velocity), float(seconds)


def _notes_as_midi(notes: list[tuple], length: float, slot: int) -> bytes:
    """Lay notes out one after the other, each in a slot of so many ticks, silenced at its end."""
    import mido

    events = [(0, mido.Message("control_change", control=91, value=0))]  # reverberation off
    for number, (program, pitch, velocity, seconds) in enumerate(notes):
        begin = number * slot + 1
        # all sound off
        events += [(begin, mido.Message("program_change", program=program)),
                   (begin, mido.Message("note_on", note=pitch, velocity=velocity)),
                   (begin + _ticks(min(seconds, length)), mido.Message("note_off", note=pitch)),
                   (begin + _ticks(length), mido.Message("control_change", control=120))]
    events.append((len(notes) * slot, mido.MetaMessage("end_of_track")))
    times = [time for time, _ in events]
    track = mido.MidiTrack(event.copy(time=now - before)
                           for (now, event), before in zip(events, [0, *times]))
    tempo = 500000
    return _bytes(mido.MidiFile(ticks_per_beat=round(tempo / 1e6 * FONT_RATE / TICK),
                                tracks=[track]))


def _ticks(seconds: float) -> int:
    return 2 * math.ceil(seconds * FONT_RATE / TICK / 2)


def _bytes(midi) -> bytes:
    file = io.BytesIO()
    midi.save(file=file)
    return file.getvalue()


def _with_tail(midi: bytes | str | Path) -> tuple[bytes, float]:
    """Move the end of a MIDI file back, since the renderer stops there; return it with its new
    length in seconds.
    """
    import mido

    if not isinstance(midi, bytes):
        midi = score_files.read_bytes(midi)
    try:
        music = mido.MidiFile(file=io.BytesIO(midi))
        music = mido.MidiFile(type=0, ticks_per_beat=music.ticks_per_beat,
                              tracks=[music.merged_track])
        tempo = next((event.tempo for event in reversed(music.tracks[0])
                      if event.type == "set_tempo"), 500000)
        music.tracks[0][-1].time += round(mido.second2tick(TAIL, music.ticks_per_beat, tempo))
        seconds = music.length
    except Exception as error:
        raise ValueError(
            "This is not MIDI, or is damaged. Give the path or content of a .mid file.") from error
    if not TAIL * 0.9 < seconds <= LONGEST:
        raise ValueError(f"This music lasts {seconds:.0f} s. Up to {LONGEST} s can be played at a "
                         "time: render it in parts.")
    return _bytes(music), seconds


def _play(midi: bytes, seconds: float, soundfont: str | Path | None) -> np.ndarray:
    """Render MIDI of known length as float32 (samples, 2) at 48 kHz."""
    path = fonts.path(soundfont)
    font = fonts.read(path)
    try:
        y = _render(midi, font, path)
    except ImportError:
        raise
    except BaseException as error:
        # The renderer's own fault comes as a PanicException, which is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise ValueError(f"The sound font '{path}' is damaged ({error}). Download it again, or "
                         "leave soundfont out.") from error
    length = round(seconds * FONT_RATE)
    return np.pad(y[:length], [(0, max(0, length - len(y))), (0, 0)])


def _render(midi: bytes, font: bytes, path: Path) -> np.ndarray:
    import soundfile

    try:
        import midirenderer
    except ImportError:
        return _render_with_fluidsynth(midi, path)
    return soundfile.read(io.BytesIO(midirenderer.render_wave_from(font, midi)), dtype="float32",
                          always_2d=True)[0]


def _render_with_fluidsynth(midi: bytes, path: Path) -> np.ndarray:
    """Stand in where midirenderer has no wheel (Linux on ARM); one channel, given twice."""
    import pretty_midi

    music = pretty_midi.PrettyMIDI(io.BytesIO(midi))
    try:
        y = (music.fluidsynth(fs=FONT_RATE, synthesizer=str(path), normalize=False)
             * len(music.instruments))
    except (ImportError, AttributeError) as error:
        raise ImportError("No synthesizer is installed. Install midirenderer (pip install "
                          "midirenderer); where it has no wheel, install pyfluidsynth and the "
                          "system's FluidSynth library.") from error
    return np.repeat(y.astype(np.float32)[:, None], 2, axis=1)


def _fade(y: np.ndarray, rise: int, fall: int) -> np.ndarray:
    """Begin from and end in silence over so many samples, since a jump at either end is heard as a
    click.
    """
    gain = np.ones(len(y), np.float32)
    rise, fall = min(rise, len(y)), min(fall, len(y))
    gain[:rise] = np.linspace(0, 1, rise, endpoint=False)
    gain[len(y) - fall :] *= np.linspace(1, 0, fall) ** 2
    return y * (gain if y.ndim == 1 else gain[:, None])
