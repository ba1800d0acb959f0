"""Figures of the course: one style, and helpers that take an `ax` and return it."""
import base64
import html
import io
from collections.abc import Mapping, Sequence

import numpy as np

from course_utils import checks, environment
from course_utils.sound import features

# Okabe and Ito's palette: told apart under every common form of colour blindness.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")


def use_style() -> None:
    """Set the course's figure style: small, light, colour-blind-safe."""
    import matplotlib.pyplot as plt

    plt.rcParams.update({"axes.prop_cycle": plt.cycler(color=COLORS), "axes.spines.top": False,
                         "axes.spines.right": False, "figure.constrained_layout.use": True,
                         "figure.dpi": 80, "figure.figsize": (8, 3), "font.size": 10,
                         "image.cmap": "cividis", "legend.frameon": False,
                         "savefig.facecolor": "white"})


def picture(figure, alt: str) -> str:
    """Return a matplotlib figure as an HTML picture that holds itself, with a text for those who do
    not see it.
    """
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" '
            'style="max-width:100%">')


def plain(name: object) -> str:
    """Return a name from outside as a label that stands in a figure as it is written: matplotlib
    would read a formula between two dollar signs.
    """
    return environment.printable(name, 100).replace("$", r"\$")


def _axes(ax, **figure):
    import matplotlib.pyplot as plt

    return ax if ax is not None else plt.subplots(**figure)[1]


def piano_roll(score, ax=None):
    """Draw a score: one bar a note, time in quarter notes, pitch in MIDI numbers, a colour a voice.

    Notebook: 00_welcome

    Args:
        score: a `scores.Score`.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.

    Example:
        >>> from course_utils import plots
        >>> from course_utils.scores import melodies
        >>> ax = plots.piano_roll(melodies.parse_melody("C4 r D4:2"))
        >>> [float(bar.get_width()) for bar in ax.patches]  # in quarter notes
        [1.0, 2.0]
    """
    from course_utils.scores import REST, STEPS_PER_QUARTER, voice_name

    ax = _axes(ax, figsize=(9, 3))
    for voice in range(score.pitches.shape[1]):
        pitch, onset = score.pitches[:, voice], score.onsets[:, voice]
        begins = np.flatnonzero(onset | (np.diff(pitch, prepend=REST) != 0))
        ends = np.append(begins[1:], len(pitch))
        sounding = pitch[begins] != REST
        ax.barh(pitch[begins][sounding], (ends - begins)[sounding] / STEPS_PER_QUARTER, height=1.2,
                left=begins[sounding] / STEPS_PER_QUARTER, color=COLORS[voice % len(COLORS)],
                edgecolor="white", linewidth=0.8, label=voice_name(score, voice))
    ax.set(xlabel="time in quarter notes", ylabel="MIDI pitch")
    ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return ax


_BOXES = {
    "sound": ((0.3, 4.7), "Sound as numbers\n01 · 02 · 03", 7),
    "dnn": ((4.2, 4.7), "Deep neural network\nlayers of neurons\n04", 0),
    "score": ((8.1, 4.7), "Scores as symbols\n08", 7),
    "cnn": ((0.3, 2.6), "CNN\nsame weights at\nevery place\n04 · 05", 1),
    "rnn": ((4.2, 2.6), "RNN, LSTM\nsame weights at\nevery time step\n06 · 07 · 08", 2),
    "gan": ((8.1, 2.6), "GAN\ntwo networks,\none game\n09 · 10 · 11", 3),
    "measure": ((4.2, 0.5), "Is it any good?\n12 · 13", 4),
}
_ARROWS = (("sound", "cnn"), ("sound", "rnn"), ("sound", "gan"), ("dnn", "cnn"), ("dnn", "rnn"),
           ("dnn", "gan"), ("score", "rnn"), ("score", "gan"), ("cnn", "measure"),
           ("rnn", "measure"), ("gan", "measure"))


def course_map(ax=None):
    """Draw how the networks of the course relate, and which notebook treats which.

    Notebook: 00_welcome
    """
    ax = _axes(ax, figsize=(9, 5))
    width, height = 3.0, 1.35
    for (x, y), text, color in _BOXES.values():
        ax.add_patch(_rounded(x, y, width, height, COLORS[color]))
        ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=10)
    for tail, head in _ARROWS:
        (x0, y0), (x1, y1) = _BOXES[tail][0], _BOXES[head][0]
        ax.annotate("", (x1 + width / 2, y1 + height + 0.1), (x0 + width / 2, y0 - 0.1),
                    arrowprops={"arrowstyle": "->", "color": "#777777"})
    ax.annotate("", (8.0, 3.0), (7.3, 3.0),
                arrowprops={"arrowstyle": "->", "linestyle": "--", "color": "#777777"})
    ax.set(xlim=(0, 11.4), ylim=(0.2, 6.3))
    ax.set_axis_off()
    return ax


def _rounded(x: float, y: float, width: float, height: float, color: str):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch((x, y), width, height, boxstyle="round,pad=0.1",
                          facecolor=to_rgba(color, 0.12), edgecolor=color, linewidth=1.8)


def bar_chart(labels: Sequence[str], values: Sequence[float], xlabel: str, ax=None):
    """Draw named values as horizontal bars, the first on top, each with its number.

    Notebook: 00_welcome
    """
    ax = _axes(ax, figsize=(8, 0.4 * len(labels) + 0.9))
    drawn = ax.barh(labels, values, color=COLORS[0], height=0.6)
    ax.bar_label(drawn, fmt="%.2f", padding=4)
    ax.invert_yaxis()
    ax.set(xlabel=xlabel, xlim=(0, 1.12 * max(values)))
    return ax


def waveform(y: np.ndarray, sr: int, ax=None):
    """Draw a waveform over time: dots where samples are few, the range of each of 500 slices where
    they are many.

    Notebook: 01_loading_audio

    Args:
        y: (samples,), or (samples, channels), drawn over one another.
        sr: sample rate in Hz.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    channels = checks.waveform(y).reshape(len(y), -1).T  # (channels, samples)
    sr, ax = checks.check_rate(sr), _axes(ax, figsize=(7, 1.8))
    slices = np.linspace(0, len(y), min(len(y), 500), endpoint=False).astype(int)
    for number, channel in enumerate(channels):
        look = {"color": COLORS[number % len(COLORS)], "label": f"channel {number}",
                "alpha": 1 if number == 0 else 0.7}
        if len(y) <= 4000:
            ax.plot(np.arange(len(y)) / sr, channel, marker="o" if len(y) <= 200 else "",
                    markersize=4, **look)
        else:
            lowest, highest = (np.minimum.reduceat(channel, slices),
                               np.maximum.reduceat(channel, slices))
            ax.fill_between(slices / sr, lowest, highest, linewidth=0.5, **look)
    if len(channels) > 1:
        ax.legend(loc="upper right")
    ax.set(xlabel="time in s", ylabel="amplitude", xlim=(0, len(y) / sr))
    return ax


def spectrum(y: np.ndarray, sr: int, ax=None):
    """Draw how strong each frequency is in a whole sound, in dB relative to a sine at full scale.

    Notebook: 01_loading_audio

    Args:
        y: (samples,).
        sr: sample rate in Hz.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    y, sr, ax = checks.waveform(y, mono=True), checks.check_rate(sr), _axes(ax, figsize=(8, 2.5))
    window = np.hanning(len(y) + 2)[1:-1]
    amplitude = 2 * np.abs(np.fft.rfft(y * window)) / window.sum()
    ax.plot(np.fft.rfftfreq(len(y), 1 / sr), 20 * np.log10(np.maximum(amplitude, 1e-6)),
            linewidth=0.8)
    ax.set(xlabel="frequency in Hz", ylabel="level in dBFS", xlim=(0, sr / 2), ylim=(-120, 3))
    return ax


def spectrogram(y: np.ndarray, sr: int, ax=None):
    """Draw how strong each frequency is at each moment, in dB below the strongest; windows of 1024
    samples.

    Notebook: 01_loading_audio

    Args:
        y: (samples,).
        sr: sample rate in Hz.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    import matplotlib.pyplot as plt

    y, sr, ax = checks.waveform(y, mono=True), checks.check_rate(sr), _axes(ax, figsize=(7, 2.2))
    hop_length = int(np.clip(len(y) // 500, features.HOP_LENGTH, features.N_FFT))
    power = np.abs(features.stft(y, hop_length=hop_length))[:, :-1] ** 2
    # About as many columns and rows as the picture has pixels, and few colours: stored, it takes a
    # third of the room.
    together = 1 + len(power) // 1000
    power = np.stack([part.mean(axis=0)
                      for part in np.split(power, range(together, len(power), together))],
                     dtype=np.float64)
    power = power.reshape(len(power), -1, 4).mean(axis=2)  # (frames, bins / 4)
    level = 10 * np.log10(np.maximum(power / max(power.max(), 1e-20), 1e-6))
    image = ax.imshow(level.T, origin="lower", aspect="auto", interpolation="nearest",
                      cmap=plt.get_cmap("cividis", 20), vmin=-60, vmax=0,
                      extent=(0, len(y) / sr, 0, sr / 2))
    # Beside the axes, not out of their width: axes above and below stay aligned.
    ax.figure.colorbar(image, cax=ax.inset_axes((1.01, 0, 0.015, 1)), label="dB")
    ax.set(xlabel="time in s", ylabel="frequency in Hz")
    return ax


_FEATURE_AXES = {"power": ("frequency in Hz", ""), "STFT": ("frequency in Hz", "dB"),
                 "log-mel": ("mel band, by Hz", "dB"), "MFCC": ("coefficient", ""),
                 "chroma": ("pitch class", "")}


def feature_image(values: np.ndarray, sr: int, hop_length: int = features.HOP_LENGTH,
                  kind: str = "log-mel", ax=None):
    """Draw a feature of `features` over time.

    Notebook: 03_features

    Args:
        values: (frames, bins).
        sr: sample rate in Hz.
        hop_length: samples from frame to frame.
        kind: "STFT" (its power in dB), "power" (not in dB), "log-mel", "MFCC" or "chroma".
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    ax, bins = _axes(ax, figsize=(8, 2.5)), values.shape[1]
    ylabel, unit = _FEATURE_AXES[kind]
    low, high = 0 if kind in ("power", "chroma") else values.max() - 80, values.max()
    if kind == "MFCC":
        # The first two coefficients, loudness and tilt, would drown the others.
        high = max(1e-3, np.abs(values[:, min(2, bins - 1):]).max())
        low = -high
    edges = (0, sr / 2) if ylabel == "frequency in Hz" else (-0.5, bins - 0.5)
    image = ax.imshow(values.T, origin="lower", aspect="auto",
                      interpolation=None if bins > 128 else "nearest",
                      cmap=_few_colors("PuOr" if kind == "MFCC" else "cividis"), vmin=low,
                      vmax=high, extent=(-0.5 * hop_length / sr,
                                         (len(values) - 0.5) * hop_length / sr, *edges))
    ax.figure.colorbar(image, ax=ax, label=unit, extend="both" if kind == "MFCC" else "neither")
    ax.set(xlabel="time in s", ylabel=ylabel)
    if kind == "log-mel":
        _mel_ticks(ax, sr, bins)
    if kind == "chroma":
        ax.set_yticks([0, 2, 4, 5, 7, 9, 11], list("CDEFGAB"))
    return ax


def _few_colors(name: str):
    """Return a colour map in 32 steps: no eye sees them, and notebooks stay a third smaller."""
    import matplotlib

    return matplotlib.colormaps[name].resampled(32)


def _mel_ticks(ax, sr: int, n_mels: int) -> None:
    import librosa

    centers = librosa.mel_frequencies(n_mels=n_mels + 2, fmin=0, fmax=sr / 2)[1:-1]
    ticks = [hertz for hertz in (250, 500, 1000, 2000, 4000, 8000, 16000)
             if centers[0] <= hertz <= centers[-1]]
    ax.set_yticks(np.interp(ticks, centers, np.arange(n_mels)), ticks)


def compare_spectrograms(sounds: Mapping[str, np.ndarray], sr: int,
                         n_fft: int | Sequence[int] = features.N_FFT, seconds: float = 1.0,
                         highest: float = 3000.0):
    """Draw the beginning of several sounds side by side, each in dB below its strongest frequency.

    Notebook: 03_features

    Args:
        sounds: title and (samples,) of each.
        sr: sample rate in Hz.
        n_fft: samples in a window, even; one number for all, or one for each sound.
        seconds: how much is drawn.
        highest: frequency in Hz up to which it is drawn.

    Returns:
        The axes, an array of as many as there are sounds.
    """
    import matplotlib.pyplot as plt

    _, axes = plt.subplots(1, len(sounds), figsize=(8, 2.3), sharey=True, squeeze=False)
    for ax, (title, y), n in zip(axes[0], sounds.items(),
                                 np.broadcast_to(n_fft, len(sounds)).tolist()):
        hop_length = min(n // 2, max(1, round(seconds * sr / 100)))
        power = np.abs(features.stft(y, n, hop_length)) ** 2
        level = features.power_to_db(power / max(power.max(), 1e-20))
        # The strongest of the bins that share a line of pixels: thin harmonics would come and go
        # otherwise.
        together = max(1, round(highest * n / sr / 100))
        level = level[:,
                      :level.shape[1] // together
                      * together].reshape(len(level), -1, together).max(axis=2)
        ax.imshow(level.T, origin="lower", aspect="auto", vmin=-70, vmax=0,
                  cmap=_few_colors("cividis"), interpolation="nearest",
                  extent=(0, len(level) * hop_length / sr, 0, level.shape[1] * together * sr / n))
        ax.set(title=title, xlabel="time in s", xlim=(0, seconds))
    axes[0, 0].set(ylabel="frequency in Hz", ylim=(0, highest))
    return axes[0]


def confusion(counts: np.ndarray, names: Sequence[str], ax=None):
    """Draw a confusion matrix: rows as played, columns as heard, in per cent of the row.

    Notebook: 05_cnn_hears_timbre

    Args:
        counts: (classes, classes), how often the class of the row was taken for that of the column.
        names: of the classes.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.

    Example:
        >>> import numpy as np
        >>> from course_utils import plots
        >>> ax = plots.confusion(np.array([[3, 1], [0, 2]]), ["brass", "reeds"])
        >>> [text.get_text() for text in ax.texts]  # per cent of the row
        ['75', '25', '100']
    """
    ax = _axes(ax, figsize=(5, 4.2))
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(share, cmap=_few_colors("Blues"), vmin=0, vmax=100)
    for (row, column), value in np.ndenumerate(share):
        if value >= 0.5:
            ax.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=9,
                    color="white" if value > 55 else "black")
    ax.set_xticks(range(len(names)), names, rotation=45, ha="right")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="heard as", ylabel="played")
    return ax


def embedding(points: np.ndarray, groups: Sequence[str], ax=None):
    """Draw sounds as dots on a map, a colour and a shape for each group.

    Notebook: 05_cnn_hears_timbre

    Args:
        points: (sounds, 2).
        groups: name of each sound's group.
        ax: matplotlib axes; new ones if None.

    Returns:
        The axes.
    """
    ax, groups = _axes(ax, figsize=(7, 4.5)), np.asarray(groups)
    for number, name in enumerate(dict.fromkeys(groups.tolist())):
        ax.scatter(*points[groups == name].T, s=30, color=COLORS[number % len(COLORS)],
                   marker="osD^vPX*"[number % 8], label=name)
    ax.set(xticks=[], yticks=[])
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return ax
