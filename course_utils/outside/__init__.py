"""What comes from outside (all notebooks): one door for each kind of file, bounds before memory.

archives: NumPy's and weights. containers, decoding: sound that libsndfile does not read rightly.
fonts: sound fonts. downloads: data sets and recordings.
"""
