"""The networks of notebook 05: a 1-D CNN on frames of sound, a 2-D CNN on pictures of notes, and
the one that hears timbre.
"""
import keras
from keras import layers, ops


def frame_cnn(classes: int = 8, dropout: float = 0.0, weight_decay: float = 0.0) -> keras.Model:
    """Build the 1-D CNN on frames of 1024 samples.

    Notebook: 05_cnn_hears_timbre (written out)

    Args:
        classes: what it tells apart.
        dropout: share of the numbers before the last layer that are set to 0 in training.
        weight_decay: times the sum of all squared weights, added to the loss.

    Returns:
        A model from (batch, 1024, 1) to probabilities (batch, classes).
    """
    small = keras.regularizers.L2(weight_decay)
    return keras.Sequential([
        keras.Input((1024, 1)),
        layers.Conv1D(32, 5, activation="relu", kernel_regularizer=small),
        layers.MaxPooling1D(2),
        layers.Conv1D(64, 3, activation="relu", kernel_regularizer=small),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        layers.Dropout(dropout),
        layers.Dense(classes, "softmax", kernel_regularizer=small),
    ])


def picture_cnn(classes: int = 8, dropout: float = 0.3) -> keras.Model:
    """Build a 2-D CNN on log-mel spectrograms of whole notes.

    Notebook: 05_cnn_hears_timbre (written out)

    Args:
        classes: what it tells apart.
        dropout: before the last layer.

    Returns:
        A model from (batch, 63, 64) to probabilities (batch, classes).
    """
    return keras.Sequential([
        keras.Input((63, 64)),
        layers.Reshape((63, 64, 1)),
        layers.Conv2D(16, 5, strides=2, padding="same", activation="relu"),
        layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(64, 3, strides=2, padding="same", activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(dropout),
        layers.Dense(classes, "softmax"),
    ])


def timbre_cnn(classes: int = 8, channels: int = 64, dropout: float = 0.3) -> keras.Model:
    """Build the CNN that hears timbre.

    Notebook: 05_cnn_hears_timbre (written out)

    It sees two coarse pictures of a note in 16 broad bands: the outline of the spectrum, and its
    texture, which is how much neighbouring mel bands differ. Filters slide over time, and the whole
    note is pooled.

    Args:
        classes: what it tells apart.
        channels: filters of each layer.
        dropout: before each of the last two layers.

    Returns:
        A model from (batch, 63, 64), `timbre.pictures`, to probabilities (batch, classes);
        its layer "embedding" gives (batch, 64).
    """
    note = keras.Input((63, 64))
    texture = ops.abs(note - ops.roll(note, 1, axis=2))
    # (batch, 63, 64) to (batch, 63, 16 broad bands, 4), and the mean of the four
    broad = [ops.mean(ops.reshape(picture, (-1, 63, 16, 4)), axis=3) for picture in (note, texture)]
    x = layers.GaussianNoise(0.1)(layers.Concatenate()(broad))
    for _ in range(3):
        x = layers.Conv1D(channels, 5, strides=2, padding="same", use_bias=False)(x)
        x = layers.SpatialDropout1D(0.1)(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Concatenate()([layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(x)])
    x = layers.Dense(64, "relu", name="embedding")(layers.Dropout(dropout)(x))
    return keras.Model(note, layers.Dense(classes, "softmax")(layers.Dropout(dropout)(x)))
