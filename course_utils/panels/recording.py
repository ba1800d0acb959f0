"""Panels to play with in the notebooks. Beside each stands a plain function that shows the same
without a browser.
"""
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np

from course_utils import audio, plots
from course_utils.checks import check_rate, to_mono, waveform
from course_utils.environment import in_colab
from course_utils.sound import preparing

LARGEST_STEP = 16
ZOOM_SECONDS = 0.01
PLAYED_SECONDS = 30


def explain(y: np.ndarray, sr: int) -> list[str]:
    """Say in words what is wrong with a recording.

    Notebook: 01_loading_audio

    Args:
        y: (samples,) or (samples, channels).
        sr: sample rate in Hz.

    Returns:
        One sentence or two for each finding: silence, clipping, a low level, DC, channels that
        cancel, a low rate.
    """
    y, found = waveform(y), preparing.describe(y, sr)
    if found["peak_dbfs"] < -120:
        return ["It is silent. Check the microphone and the recording's input, then record again."]
    findings = ({f"{found['clipped']:.2%} of the samples lie in flat tops: it is clipped, recorded "
                 "too loud. Nothing brings the tops back; record again, softer.": found["clipped"]
                 > 0,
                 "It exceeds full scale. audio.play and audio.save turn it down until it fits.":
                 found["peak_dbfs"] > 0.01, f"Its peak is only {found['peak_dbfs']:.0f} dBFS. Turn "
                 "it up with preparing.normalize_peak (notebook 02); the noise will grow as well.":
                 found["peak_dbfs"] < -30, f"Its mean is {found['dc']:.3f}, not 0 (DC): the "
                 "recording device is off balance. preparing.remove_dc repairs that (notebook 02).":
                 abs(found["dc"]) > 0.01, f"At {found['sample_rate']} Hz nothing above "
                 f"{found['sample_rate'] / 2:g} Hz can be in it: expect a dull sound. Look for a "
                 "recording at a higher rate.": found["sample_rate"] < 16000, "Its channels cancel "
                 "when they are mixed to mono. Use one of them, such as y[:, 0].": _cancels(y)})
    return [text for text, holds in findings.items() if holds] or ["Nothing wrong was found."]


def _cancels(y: np.ndarray) -> bool:
    return bool(y.ndim == 2 and np.std(to_mono(y)) < 0.1 * np.std(y, axis=0).max())


def examine(y: np.ndarray, sr: int, label: str = "Sound"):
    """Show a sound's waveform and spectrogram, its measures, what they tell, and a player.

    Notebook: 01_loading_audio

    Args:
        y: (samples,) or (samples, channels).
        sr: sample rate in Hz.
        label: what is heard.

    Returns:
        An `IPython.display.HTML` with the measures and a player of the first 30 seconds; the
        picture is shown before it.
    """
    return _shown(*_examination(y, sr, label))


def _examination(y: np.ndarray, sr: int, label: str) -> tuple:
    import matplotlib.pyplot as plt

    y, sr = waveform(y), check_rate(sr)
    figure, (top, bottom) = plt.subplots(2, figsize=(7, 3.6), sharex=True, layout="constrained")
    plots.waveform(y, sr, top).set(xlabel="")
    plots.spectrogram(to_mono(y), sr, bottom)
    found = preparing.describe(y, sr)
    measures = {"duration": f"{found['duration']:.2f} s = {found['samples']} samples / "
                f"{found['sample_rate']} Hz",
                "highest frequency it can hold": f"{found['sample_rate'] / 2:g} Hz",
                "channels": f"{found['channels']}", "peak": f"{found['peak_dbfs']:.1f} dBFS",
                "RMS": f"{found['rms_dbfs']:.1f} dBFS"}
    rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in measures.items())
    sentences = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in explain(y, sr))
    heard = label if len(y) <= PLAYED_SECONDS * sr else f"{label}, its beginning"
    player = audio.play(y[:PLAYED_SECONDS * sr], sr, heard).data
    return figure, f"<table>{rows}</table>{sentences}{player}"


def load_upload(value: Sequence[Mapping] | Mapping[str, Mapping]) -> tuple[np.ndarray, int, str]:
    """Load the sound that a file-upload button holds.

    Notebook: 01_loading_audio

    Args:
        value: the button's `value`: a sequence of files in ipywidgets 8, files by name in
            ipywidgets 7 (Colab).

    Returns:
        y, float32 (samples,) or (samples, channels); its sample rate in Hz; the file's name.

    Raises:
        ValueError: if no file has been chosen, or the file is no sound that can be decoded.
        OSError: if it is damaged.
    """
    if not value:
        raise ValueError("No file has been chosen yet. Click the button and choose a sound file.")
    name, entry = (list(value.items())[-1] if isinstance(value, Mapping)
                   else (value[-1]["name"], value[-1]))
    try:
        y, sr = audio.load(io.BytesIO(entry["content"]), mono=False)
    except (ValueError, OSError) as error:
        raise type(error)(str(error).replace("The opened file", f"'{name}'")) from error
    return y, sr, name


def upload_sound(y: np.ndarray, sr: int):
    """Offer a button that takes a sound file from the learner's computer, and `examine` it.

    Notebook: 01_loading_audio

    Args:
        y: the sound shown until a file is chosen, (samples,) or (samples, channels).
        sr: its sample rate in Hz.

    Returns:
        An `ipywidgets.VBox`; its attribute `sound` is the waveform shown and its sample rate.
    """
    import ipywidgets

    # Beyond these the message from the browser is lost without a word (ipywidgets issues 2522 and
    # 3452).
    limit = "1 MB in Colab" if in_colab() else "10 MB"
    button = ipywidgets.FileUpload(accept="audio/*,.flac,.opus,.aif", description="Choose a file")
    note = ipywidgets.HTML(
        f"wav, flac, ogg or mp3, up to about {limit}; larger files by their path")
    page = ipywidgets.HTML(_page(*_examination(y, sr, "An example, until you choose a file")))
    panel = ipywidgets.VBox([ipywidgets.HBox([button, note]), page])
    panel.sound = y, sr

    def take(change):
        page.value = "Reading it …"
        try:
            *sound, name = load_upload(change["new"])
            page.value = _page(*_examination(*sound, name))
            panel.sound = tuple(sound)
        except (ValueError, OSError) as error:
            page.value = f"<p><b>{html.escape(str(error))}</b></p>"

    button.observe(take, names="value")
    return panel


def degrade(y: np.ndarray, sr: int, new_sr: int, bits: int, filtered: bool = True) -> np.ndarray:
    """Take fewer samples a second, and round them to fewer bits.

    Notebook: 01_loading_audio

    Args:
        y: (samples,).
        sr: its sample rate in Hz.
        new_sr: sample rate wanted, in Hz; it has to divide `sr`.
        bits: bits a sample, 2 to 24.
        filtered: remove first what the new rate cannot hold; without it, that folds back as
            aliases.

    Returns:
        float32 (samples * new_sr / sr,).

    Raises:
        ValueError: if the new rate does not divide the old one, or another argument is out of
            range.
    """
    y, sr, new_sr = waveform(y, mono=True), check_rate(sr), check_rate(new_sr)
    if sr % new_sr:
        raise ValueError(f"Every k-th sample of {sr} Hz is kept, so the new rate divides it: "
                         f"{', '.join(map(str, rates(sr)))}.")
    fewer = audio.resample(y, sr, new_sr) if filtered else y[::sr // new_sr]
    return preparing.quantize(fewer, bits)


def rates(sr: int) -> list[int]:
    """Return the sample rates of every, every second ... every 16th sample, as far as they are
    whole numbers from 1000 Hz on.
    """
    return [sr // step for step in range(1, LARGEST_STEP + 1) if step == 1
            or (sr % step == 0 and sr // step >= 1000)]


def rate_and_bits(y: np.ndarray, sr: int, new_sr: int, bits: int, filtered: bool = True):
    """Show and play a sound at another sample rate and bit depth; the arguments are those of
    `degrade`.

    Notebook: 01_loading_audio

    Returns:
        An `IPython.display.HTML` with the player; the picture is shown before it.
    """
    return _shown(*_degradation(y, sr, new_sr, bits, filtered))


def _degradation(y: np.ndarray, sr: int, new_sr: int, bits: int, filtered: bool) -> tuple:
    import matplotlib.pyplot as plt

    y, worse = waveform(y), degrade(y, sr, new_sr, bits, filtered)
    figure, (top, bottom) = plt.subplots(2, figsize=(7, 4), layout="constrained")
    begin = max(0, np.abs(y).argmax() / sr - ZOOM_SECONDS / 2)
    for sound, rate, look in ((y, sr, {"color": plots.COLORS[5], "label": "original"}),
                              (worse, new_sr, {"color": plots.COLORS[3], "marker": "o",
                                               "markersize": 3, "label": "now"})):
        part = slice(round(begin * rate), round((begin + ZOOM_SECONDS) * rate) + 1)
        top.plot(np.arange(len(sound))[part] / rate, sound[part], **look)
    top.set(xlabel="time in s", ylabel="amplitude")
    top.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    plots.spectrogram(worse, new_sr, bottom).set(ylim=(0, sr / 2))
    bottom.set_facecolor("#eeeeee")
    label = f"{new_sr} Hz, {bits} bits, {'filtered first' if filtered else 'not filtered'}"
    size = f"{new_sr * bits / 1000:.0f} kbit/s; nothing above {new_sr / 2:g} Hz."
    return figure, f"<p>{size}</p>{audio.play(worse, new_sr, label).data}"


def explore_rate_and_bits(y: np.ndarray, sr: int):
    """Offer sliders for sample rate and bit depth while you listen; `rate_and_bits` shows the same.

    Notebook: 01_loading_audio

    Args:
        y: (samples,).
        sr: sample rate in Hz.

    Returns:
        An `ipywidgets.VBox`.
    """
    import ipywidgets

    y = waveform(y, mono=True)
    slow = {"continuous_update": False}
    rate = ipywidgets.SelectionSlider(options=[(f"{r} Hz", r) for r in reversed(rates(sr))],
                                      value=sr, description="rate", **slow)
    bits = ipywidgets.IntSlider(value=8, min=2, max=16, description="bits", **slow)
    filtered = ipywidgets.Checkbox(value=True, description="filter first (no aliases)")
    page = ipywidgets.HTML()

    def show(_=None):
        page.value = _page(*_degradation(y, sr, rate.value, bits.value, filtered.value))

    for control in (rate, bits, filtered):
        control.observe(show, names="value")
    show()
    return ipywidgets.VBox([rate, bits, filtered, page])


def _shown(figure, text: str):
    """Show a figure, and return the text under it."""
    import matplotlib.pyplot as plt
    from IPython.display import HTML, display

    display(figure)
    plt.close(figure)
    return HTML(text)


def _page(figure, text: str) -> str:
    """Return a figure and the text under it as one piece of HTML, which a widget can show."""
    return plots.picture(figure, "Waveform above, spectrogram below") + text
