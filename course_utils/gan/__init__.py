"""Generative adversarial networks (notebooks 09, 10, 11): on a toy, on bars, on the waves of
instruments.

losses: the two games. toy_gan: eight Gaussians. bar_gan, bar_training, bar_measures: two bars of
four voices. tone_gan, wavetables, instruments: instruments that never were, and how they play.
"""
