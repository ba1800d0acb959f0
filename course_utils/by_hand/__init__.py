"""Networks written out in NumPy (notebooks 04, 06, 09), equal to Keras to 1e-5.

convolution: layers, losses, optimizers. recurrence: RNN and LSTM cells. adversarial: one step of a
GAN. ring: its toy data.
"""
