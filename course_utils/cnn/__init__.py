"""Networks that hear timbre (notebook 05).

networks: their layers. timbre: pictures of notes, training, and what the shipped network says of
any recording.
"""
