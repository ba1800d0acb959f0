"""Instruments that nobody built: tones computed from how each family makes its sound, every
instrument drawn at random.

A sound font holds a few dozen instruments, far too few to learn from what all brass or all reeds
have in common. What they have in common is known, though: strings ring at multiples of one
frequency and die away, brass gets brighter as it gets louder, clarinets favour odd harmonics. Each
function below writes such knowledge down with generous ranges.
"""
from collections.abc import Callable

import numpy as np

from course_utils.checks import SR, check_whole
from course_utils.sound import tones

T = np.arange(round(tones.LENGTH * SR), dtype=np.float32) / SR
HARMONICS = np.arange(1, 60)
HIGHEST_HZ = 7800  # Hz
LEVEL = 0.3
# Frequencies of the partials of bars, tuned bars, bells, bowls, tongues and tines, relative to the
# first.
PARTIALS = ((1, 2.756, 5.404, 8.93, 13.3), (1, 4, 10, 17), (1, 3.98, 9.1, 15),
            (0.5, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5.3), (1, 2, 3.01, 4.2, 5.4, 6.8), (1, 5.6, 14),
            (1, 6.27, 17), (1, 2, 3, 4, 6, 7.1, 14))
DRAWBARS = np.array([0.5, 1.5, 1, 2, 3, 4, 5, 6, 8])
Player = Callable[[float, float, np.random.Generator], np.ndarray]


def imagined_tones(per_family: int, per_instrument: int = 5, seed: int = 0) -> tones.Tones:
    """Compute tones of instruments drawn at random.

    Notebook: 05_cnn_hears_timbre

    Args:
        per_family: instruments of each family, from 1 on.
        per_instrument: tones of each, of random pitch and velocity, from 1 on.
        seed: of everything that is drawn; the first instruments of a larger set are those of a
            smaller one.

    Returns:
        `tones.Tones`, labelled as those of a sound font; programs are numbered from 1000 on, and
        the fold is always 0. 50 tones a second, or so.

    Raises:
        ValueError: if a count is not a whole number from 1 on.
    """
    check_whole("per_family", per_family, 1)
    check_whole("per_instrument", per_instrument, 1)
    rows = [(family, number) for family in range(len(FAMILIES)) for number in range(per_family)]
    played = [_instrument(family, number, per_instrument, seed) for family, number in rows]
    family, number = np.repeat(np.array(rows), per_instrument, axis=0).T
    pitch, velocity = np.concatenate([notes for _, notes in played]).T
    instrument = np.array([f"imagined {name} {k}"
                           for name, k in zip(np.array(list(FAMILIES))[family], number)])
    return tones.Tones(np.concatenate([y for y, _ in played]), 1000 + 1000 * family + number,
                       instrument, family, np.zeros_like(family), pitch, velocity)


def _instrument(family: int, number: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw an instrument and play it: return (tones, samples), and (tones, 2) of pitch and
    velocity.
    """
    import librosa

    rng = np.random.default_rng([seed, family, number])
    play = list(FAMILIES.values())[family](rng)
    notes = np.stack([rng.choice(tones.PITCHES, count), rng.choice(tones.VELOCITIES, count)],
                     axis=1)
    sounds = [play(float(librosa.midi_to_hz(pitch)), velocity / 127, rng)
              for pitch, velocity in notes.tolist()]
    return np.stack([LEVEL * y / np.abs(y).max() for y in sounds]).astype(np.float32), notes


def plucked(rng: np.random.Generator) -> Player:
    """Draw a string that is plucked or struck once: a point of attack, stiffness, losses that grow
    with frequency, a body.
    """
    point, slope, stiffness = rng.uniform(0.04, 0.5), rng.uniform(0.3, 2.2), _log(rng, 1e-6, 1e-3)
    ring, loss, late = _log(rng, 0.08, 4), _log(rng, 0.05, 4), rng.uniform(0, 0.5)
    body, dull, strings, spread = (_body(rng, 6, 6), _log(rng, 1500, 9000), rng.integers(1, 4),
                                   _log(rng, 0.3, 6))
    shape, knock, knocked = ((_log(rng, 0.001, 0.008), _log(rng, 0.02, 0.5)), _log(rng, 0.001, 0.1),
                             _log(rng, 0.003, 0.05))

    def play(frequency, velocity, rng):
        def decay(f):
            rate = (1 / (ring * np.sqrt(260 / frequency)) + loss * (f / 2000) ** 1.3)[:, None]
            return (1 - late) * np.exp(-rate * T) + late * np.exp(-rate * T / 4)

        y = 0
        for tuned in _unison(frequency, strings, spread, rng):
            f = tuned * HARMONICS * np.sqrt(1 + stiffness * HARMONICS**2)
            a = (np.abs(np.sin(np.pi * HARMONICS * point))
                 / HARMONICS ** (slope - velocity / 2 + 0.25))
            y = y + _sines(f, a * _gain(f, body) / (1 + (f / dull) ** 2), rng, decay)
        return ((_full(y) + knock * _noise(rng, 200, _log(rng, 1500, 6000)) * np.exp(-T / knocked))
                * _envelope(*shape))
    return play


def bowed(rng: np.random.Generator) -> Player:
    """Draw a bowed string, or a section of them: a sawtooth through many resonances, a slow start,
    vibrato, bow noise.
    """
    slope, body, dull = rng.uniform(0.7, 1.5), _body(rng, 14, 6, q=(3, 20)), _log(rng, 1500, 8000)
    start, swell, rosin = _log(rng, 0.02, 0.25), rng.uniform(-0.3, 0.5), _log(rng, 0.003, 0.08)
    depth, rate, delay = (_log(rng, 2, 40) * (rng.random() < 0.7), rng.uniform(4, 7),
                          rng.uniform(0, 0.4))
    players, spread = 1 if rng.random() < 0.6 else rng.integers(2, 8), _log(rng, 3, 14)
    shape, tremolo = (start, _log(rng, 0.04, 0.4)), (rng.uniform(6, 14),
                                                     rng.uniform(0.3, 0.9) * (rng.random() < 0.15))

    def play(frequency, velocity, rng):
        y = 0
        for tuned in _unison(frequency, players, spread, rng):
            f = tuned * HARMONICS
            a = (_gain(f, body) / HARMONICS ** (slope - 0.4 * (velocity - 0.5))
                 / np.sqrt(1 + (f / dull) ** 4))
            time = _vibrato(rng, depth, rate * rng.uniform(0.9, 1.1), delay)
            y = (y + _sines(f, a, rng,
                            lambda f: (1 - np.exp(-T / start)) ** (1 + 0.3 * f[:, None] / 2000),
                            time))
        y = _full(y) + rosin * _noise(rng, 500, 5000) * (1 + 2 * np.exp(-T / 0.08))
        return y * _tremolo(*tremolo) * (1 + swell * T) * _envelope(*shape)
    return play


def bars(rng: np.random.Generator) -> Player:
    """Draw a bar, bell, tine or tongue that is struck once: few partials that die away, mostly no
    multiples of one another.
    """
    ratios = np.array(PARTIALS[rng.integers(len(PARTIALS))], float)
    ratios[1:] *= 1 + rng.normal(0, 0.02, len(ratios) - 1)
    order = np.arange(len(ratios))
    strength = np.exp(rng.normal(0, 1, len(ratios)) - rng.uniform(0.1, 1.2) * order)
    strength[0] = max(strength[0], rng.uniform(0.3, 1) * strength.max())
    ring, loss, beat = _log(rng, 0.06, 4), _log(rng, 0.1, 6), rng.uniform(0, 4)
    shape, knock, knocked = ((_log(rng, 0.001, 0.006), _log(rng, 0.03, 2)), _log(rng, 0.001, 0.12),
                             _log(rng, 0.003, 0.03))
    hardness, tremolo = (rng.uniform(1500, 7000),
                         (rng.uniform(3, 8), rng.uniform(0.1, 0.5) * (rng.random() < 0.25)))

    def play(frequency, velocity, rng):
        f, a = frequency * ratios, strength * np.exp((velocity - 0.5) / 2 * order)
        y = sum(gain * _sines(f + shift, a, rng,
                              lambda f: np.exp(-(1 / ring + loss * (f / 3000) ** 1.2)[:, None] * T))
                for gain, shift in ((1, 0), (0.4, beat)))
        y = _full(y) + knock * _noise(rng, 500, hardness) * np.exp(-T / knocked)
        return y * _tremolo(*tremolo) * _envelope(*shape)
    return play


def brass(rng: np.random.Generator) -> Player:
    """Draw a tube blown with the lips: the louder, the brighter, and high harmonics speak last."""
    start, late, over = _log(rng, 0.015, 0.1), _log(rng, 0.01, 0.06), rng.uniform(0, 0.5)
    cutoff, slope, blare = _log(rng, 500, 3500), rng.uniform(0.6, 2), rng.uniform(0.3, 1.5)
    body, breath = _body(rng, 3, 5, (300, 2500), (1, 4)), _log(rng, 0.001, 0.02)
    mute = rng.uniform(1200, 2500) * (rng.random() < 0.2)
    depth, rate, delay = (_log(rng, 1, 20) * (rng.random() < 0.4), rng.uniform(4, 7),
                          rng.uniform(0.1, 0.5))
    players, spread = 1 if rng.random() < 0.75 else rng.integers(2, 5), _log(rng, 2, 10)
    shape = start / 2, _log(rng, 0.03, 0.15)

    def play(frequency, velocity, rng):
        bright, y = max(cutoff * 2 ** (1.2 * (velocity - 0.5)), 1.2 * frequency), 0

        def swell(f):
            level = (np.clip((T - late * f[:, None] / 4000) / start, 0, 1)
                     * (1 + over * np.exp(-T / 0.1)))
            return level ** (1 + blare * f[:, None] / bright)

        for tuned in _unison(frequency, players, spread, rng):
            f = tuned * HARMONICS
            a = (_gain(f, body) / (1 + (f / bright) ** 2) ** slope
                 * (1 / (1 + (mute / f) ** 3) + 0.05))
            y = y + _sines(f, a, rng, swell, _vibrato(rng, depth, rate, delay))
        return (_full(y) + breath * _noise(rng, 300, 3000)) * _envelope(*shape)
    return play


def reeds(rng: np.random.Generator) -> Player:
    """Draw a tube blown through a cane reed: resonances of its own whatever the pitch; a cylinder
    lacks low even harmonics.
    """
    start, even = _log(rng, 0.008, 0.07), rng.uniform(0.05, 0.6) if rng.random() < 0.35 else 1
    slope, dull, first = rng.uniform(0, 1.5), _log(rng, 1200, 6000), rng.uniform(0.2, 1.2)
    body, breath = _body(rng, 4, 9, (500, 4500), (2, 8)), _log(rng, 0.002, 0.06)
    depth, rate, delay = (_log(rng, 1, 25) * (rng.random() < 0.5), rng.uniform(4, 7),
                          rng.uniform(0.1, 0.5))
    shape, throb = (start, _log(rng, 0.02, 0.12)), rng.uniform(0, 0.3)

    def play(frequency, velocity, rng):
        f = frequency * HARMONICS
        a = (_gain(f, body) / HARMONICS ** (slope - 0.3 * (velocity - 0.5))
             / np.sqrt(1 + (f / dull) ** 4))
        a[0] *= first
        a[1::2] *= np.maximum(even, 1 - 1 / (1 + (f[1::2] / 2000) ** 2))
        y = _sines(f, a, rng, lambda f: np.clip(T / (start * (1 + f[:, None] / 15000)), 0, 1),
                   _vibrato(rng, depth, rate, delay))
        return ((_full(y) * _tremolo(rate, throb, delay) + breath * _noise(rng, 1000, 5000))
                * _envelope(*shape))
    return play


def flutes(rng: np.random.Generator) -> Player:
    """Draw a tube blown across an edge: few harmonics, breath in the tone, a puff at the start."""
    start, fall, even = _log(rng, 0.02, 0.15), rng.uniform(6, 22), _log(rng, 0.3, 2)
    colour, top = np.exp(rng.normal(0, 0.6, len(HARMONICS))), rng.uniform(1000, 5000)
    breath, width = _log(rng, 0.002, 0.1), 40 * _log(rng, 1, 8)
    puff, puffed, throb = 8 * _log(rng, 0.02, 1), _log(rng, 0.02, 0.1), rng.uniform(0, 0.6)
    depth, rate, delay = (_log(rng, 1, 25) * (rng.random() < 0.6), rng.uniform(4, 7),
                          rng.uniform(0, 0.5))
    shape = start, _log(rng, 0.03, 0.25)

    def play(frequency, velocity, rng):
        f = frequency * HARMONICS
        a = 10 ** (-fall * (1.15 - 0.3 * velocity) * (HARMONICS - 1) / 20) * colour
        a[1::2] *= even
        a[0] = max(a[0], 0.5)
        y = _sines(f, a, rng, lambda f: np.clip(T
                                                / (start
                                                   * (1 + 0.3 * (f[:, None] > 1.5 * frequency))), 0,
                                                1), _vibrato(rng, depth, rate, delay))
        air = (_noise(rng, 0.7 * frequency, top) / 2
               + sum(0.6 / h * _noise_band(rng, h * frequency, width) for h in (1, 2, 3)))
        return ((_full(y) * _tremolo(rate, throb, delay) + breath * air
                 * (1 + puff * np.exp(-T / puffed))) * _envelope(*shape))
    return play


def organs(rng: np.random.Generator) -> Player:
    """Draw drawbars, a rank of pipes or free reeds: at once on and off, steady between."""
    ratios, strength = (_drawbars, _pipes, _free_reeds)[rng.integers(3)](rng)
    body, twins, beat = _body(rng, 4, 4), rng.random() < 0.6, _log(rng, 0.3, 10)
    shape, click, wind = ((_log(rng, 0.003, 0.06), _log(rng, 0.005, 0.08)), _log(rng, 0.01, 0.3),
                          _log(rng, 0.0005, 0.01))
    tremolo = rng.uniform(0.8, 7), rng.uniform(0.05, 0.4) * (rng.random() < 0.5)

    def play(frequency, velocity, rng):
        f = frequency * ratios
        y = _sines(f, strength * _gain(f, body), rng)
        if twins:
            y = y + _sines(f + beat * np.sqrt(ratios), strength * _gain(f, body), rng)
        y = (_full(y) + click * _noise(rng, 800, 5000) * np.exp(-T / 0.004) + wind
             * _noise(rng, 500, 5000))
        return y * _tremolo(*tremolo) * _envelope(*shape)
    return play


def _drawbars(rng) -> tuple[np.ndarray, np.ndarray]:
    strength = (rng.random(9) < 0.6) * rng.uniform(0.2, 1, 9)
    strength[2] = 1
    return DRAWBARS, strength


def _pipes(rng) -> tuple[np.ndarray, np.ndarray]:
    number = np.arange(32)
    strength = 10 ** (-rng.uniform(2, 10) * number / 20) * np.exp(rng.normal(0, 0.5, 32))
    strength[2 ** np.arange(5)] *= rng.uniform(1, 3)
    return np.r_[0.5, 1 + number], np.r_[(rng.random() < 0.4) * rng.uniform(0.2, 1), strength]


def _free_reeds(rng) -> tuple[np.ndarray, np.ndarray]:
    return (np.r_[0.5, HARMONICS], np.r_[(rng.random() < 0.3) * rng.uniform(0.2, 1),
                                         1 / HARMONICS ** rng.uniform(0.2, 1.2)])


def synths(rng: np.random.Generator) -> Player:
    """Draw an analogue synthesizer: sawtooth, square or pulse, in unison, through a low-pass filter
    that moves.
    """
    pulse, kind = (np.abs(np.sin(np.pi * HARMONICS * rng.uniform(0.08, 0.4))),
                   rng.choice(3, p=(0.5, 0.25, 0.25)))
    strength = ((1, HARMONICS % 2, pulse)[kind] + 1e-6) / HARMONICS
    cutoff, sweep, swept, up = (_log(rng, 400, 12000), rng.uniform(0, 3), _log(rng, 0.03, 1),
                                rng.random() < 0.3)
    order, resonance, track = rng.choice([2, 4]), rng.uniform(0, 10), rng.uniform(0, 1)
    voices, spread = 1 if rng.random() < 0.5 else rng.integers(2, 5), _log(rng, 2, 20)
    ring = _log(rng, 0.2, 5) if rng.random() < 0.3 else 1e9
    shape = _log(rng, 0.001, 0.3 if rng.random() < 0.5 else 0.02), _log(rng, 0.01, 0.5)

    def play(frequency, velocity, rng):
        moved = np.exp(-T / swept)
        edge = cutoff * 2 ** (sweep * (1 - moved if up else moved)) * (frequency / 260) ** track

        def filtered(f):
            ratio = f[:, None] / edge
            return (10 ** (resonance / 20 * np.exp(-((3 * np.log2(ratio)) ** 2)))
                    / (1 + ratio**order))

        y = sum(_sines(tuned * HARMONICS, strength, rng, filtered)
                for tuned in _unison(frequency, voices, spread, rng))
        return _full(y) * np.exp(-T / ring) * _envelope(*shape)
    return play


FAMILIES = {"plucked": plucked, "bowed": bowed, "bars": bars, "brass": brass, "reeds": reeds,
            "flutes": flutes, "organs": organs, "synths": synths}


def _log(rng, low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _body(rng, count: int, decibels: float, hertz: tuple = (150, 6500),
          q: tuple = (2, 12)) -> list[tuple]:
    """Draw resonances: frequency, gain in dB (negative for a dip), sharpness."""
    return [(_log(rng, *hertz), rng.normal(0, decibels), _log(rng, *q)) for _ in range(count)]


def _gain(f: np.ndarray, body: list[tuple]) -> np.ndarray:
    return (10 ** (sum(gain / (1 + (2 * q * np.log2(f / center)) ** 2) for center, gain, q in body)
                   / 20))


def _unison(frequency: float, count: int, cents: float, rng) -> np.ndarray:
    return frequency * 2 ** (rng.normal(0, cents if count > 1 else 0, count) / 1200)


def _sines(f: np.ndarray, a: np.ndarray, rng, envelope: Callable | None = None,
           time: np.ndarray = T) -> np.ndarray:
    """Add up sines of frequency f and amplitude a, (partials,), each with its envelope, (partials,
    samples).
    """
    heard = f < HIGHEST_HZ
    phase = rng.uniform(0, 2 * np.pi, (heard.sum(), 1))
    waves = np.sin((2 * np.pi * f[heard, None] * time + phase).astype(np.float32))
    return a[heard].astype(np.float32) @ (waves if envelope is None else waves * envelope(f[heard]))


def _vibrato(rng, cents: float, rate: float, delay: float) -> np.ndarray:
    """Return a time that runs faster and slower by turns."""
    swing = (cents * np.clip((T - delay) / 0.2, 0, 1)
             * np.sin(2 * np.pi * rate * T + rng.uniform(0, 2 * np.pi)))
    return np.cumsum(2 ** (swing / 1200), dtype=np.float64) / SR


def _tremolo(rate: float, depth: float, delay: float = -1.0) -> np.ndarray:
    return 1 - depth * np.clip((T - delay) / 0.2, 0, 1) * (0.5 + 0.5 * np.sin(2 * np.pi * rate * T))


def _envelope(rise: float, fall: float) -> np.ndarray:
    """Return the rise of a tone and its fall after the key is let go, both in seconds."""
    return (np.sin(np.pi / 2 * np.minimum(1, T / rise)) ** 2
            * np.exp(-np.maximum(T - tones.HELD, 0) / fall))


def _full(y: np.ndarray) -> np.ndarray:
    return y / np.abs(y).max()


def _noise(rng, low: float, high: float) -> np.ndarray:
    """Return noise between two frequencies in Hz, with soft edges, of standard deviation 1."""
    f = np.maximum(np.fft.rfftfreq(len(T), 1 / SR), 1)
    return _shaped(rng, 1 / (1 + (f / high) ** 2) / (1 + (low / f) ** 2))


def _noise_band(rng, center: float, width: float) -> np.ndarray:
    return _shaped(rng, np.exp(-(((np.fft.rfftfreq(len(T), 1 / SR) - center) / width) ** 2) / 2))


def _shaped(rng, gain: np.ndarray) -> np.ndarray:
    y = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(T))) * gain, len(T))
    return y / y.std()
