"""Networks that remember (notebooks 07, 08): sound continued, chorales composed.

continuing: sound, frame by frame. chorale_lstm: the composer. generation: sampling from it. memory:
of a piece's own past. evaluation: nats. ngrams: baselines that count.
"""
