"""Sound prepared for networks (notebooks 02, 03, 05): cut, cleaned, turned into features and back,
single tones.

windows: fixed lengths, honest splits. preparing: denoise, trim, stretch. features: STFT, log-mel,
MFCC, chroma. inversion: the way back. tones: sampled instruments. imagined: instruments that nobody
built.
"""
