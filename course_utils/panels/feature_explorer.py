"""A panel to try features on a sound, and a plain function that shows the same without a
browser.
"""
import html

import numpy as np

from course_utils import audio, checks, plots
from course_utils.sound import features, inversion

FEATURES = ("STFT", "log-mel", "MFCC", "chroma")
LONGEST = 30


def feature_card(y: np.ndarray, sr: int, feature: str = "log-mel", n_fft: int = features.N_FFT,
                 hop_length: int = features.HOP_LENGTH, bins: int = features.N_MELS):
    """Show a feature of a sound, its size, and the sound that comes back from it.

    Notebook: 03_features

    Args:
        y: (samples,), at most 30 seconds.
        sr: sample rate in Hz.
        feature: "STFT", "log-mel", "MFCC" or "chroma".
        n_fft: samples in a window, even; chroma has a fixed one.
        hop_length: samples from frame to frame, at most half of n_fft.
        bins: bands of log-mel, or coefficients kept of an MFCC of 64 bands; STFT and chroma have no
            choice.

    Returns:
        An `IPython.display.HTML` with figure, description and (but for chroma) player.

    Raises:
        ValueError: if the feature is another, the sound is no sound or too long, or the sizes do
            not fit.
    """
    from IPython.display import HTML

    y = _explorable(y, sr)
    if feature not in FEATURES:
        raise ValueError(f"The feature is one of {', '.join(FEATURES)}, not {feature!r}.")
    values, back = _there_and_back(y, sr, feature, n_fft, hop_length, bins)
    frames, width = values.shape
    text = (f"{feature}: {frames} frames of {width}, {width * sr / hop_length:,.0f} numbers a "
            f"second (the waveform: {sr:,}).")
    if back is None:
        return HTML(f"{_picture(values, sr, hop_length, feature)}<p>{text} Octave, timbre and "
                    "loudness are gone.</p>")
    text += (f" The sound below is {features.spectral_distance(y[:len(back)], back, sr):.1f} dB "
             "from the original.")
    player = audio.play(back, sr, label=f"Back from {feature}").data
    return HTML(f"{_picture(values, sr, hop_length, feature)}<p>{text}</p>{player}")


def _explorable(y, sr: int) -> np.ndarray:
    y = checks.waveform(y, mono=True)
    if len(y) > LONGEST * checks.check_rate(sr):
        raise ValueError(f"Explore at most {LONGEST} seconds at a time, such as y[:10 * sr].")
    return y


def _there_and_back(y, sr: int, feature: str, n_fft: int, hop_length: int,
                    bins: int) -> tuple[np.ndarray, np.ndarray | None]:
    sizes = {"n_fft": n_fft, "hop_length": hop_length}
    if feature == "STFT":
        magnitude = np.abs(features.stft(y, **sizes))
        return features.power_to_db(magnitude**2), inversion.griffin_lim(magnitude, hop_length)
    if feature == "log-mel":
        values = features.log_mel(y, sr, bins, **sizes)
        return values, inversion.from_log_mel(values, sr, **sizes)
    if feature == "MFCC":
        values = features.mfcc(y, sr, bins, **sizes)
        return values, inversion.from_mfcc(values, sr, **sizes)
    return features.chroma(y, sr, hop_length), None


def _picture(values: np.ndarray, sr: int, hop_length: int, feature: str) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.5), dpi=80, layout="constrained")
    plots.feature_image(values, sr, hop_length, feature, ax=figure.subplots())
    return plots.picture(figure, f"{feature} over time")


def feature_explorer(y: np.ndarray, sr: int):
    """Show `feature_card` under controls for feature, window, hop and bins.

    Notebook: 03_features

    Args:
        y: (samples,), at most 30 seconds.
        sr: sample rate in Hz.

    Returns:
        An `ipywidgets.VBox`; sizes that do not fit are explained in place of the picture.

    Raises:
        ValueError: if the sound is no sound of one channel, or too long.
    """
    import ipywidgets

    y = _explorable(y, sr)
    slow = {"continuous_update": False}
    feature = ipywidgets.Dropdown(options=FEATURES, value="log-mel", description="feature")
    n_fft = ipywidgets.SelectionSlider(options=[2**k for k in range(7, 15)], value=features.N_FFT,
                                       description="n_fft", **slow)
    overlap = ipywidgets.SelectionSlider(
        options=[("n_fft / 2", 2), ("n_fft / 4", 4), ("n_fft / 8", 8)], value=4, description="hop",
        **slow)
    bins = ipywidgets.IntSlider(value=features.N_MELS, min=1, max=features.N_MELS,
                                description="bins", **slow)
    card = ipywidgets.HTML()

    def update(_=None):
        n_fft.disabled = feature.value == "chroma"
        bins.disabled = feature.value in ("STFT", "chroma")
        window = features.N_FFT_CHROMA if n_fft.disabled else n_fft.value
        try:
            card.value = feature_card(y, sr, feature.value, window, window // overlap.value,
                                      bins.value).data
        except ValueError as error:
            card.value = f"<p><b>{html.escape(str(error))}</b></p>"

    for control in (feature, n_fft, overlap, bins):
        control.observe(update, names="value")
    update()
    return ipywidgets.VBox([feature, n_fft, overlap, bins, card])
