"""What opens in a notebook as a panel; each has a plain function beside it that does the same
without a browser.

show: the frame of all panels, moving pictures. monitor: a training. recording (01),
feature_explorer (03), sound_map (05), composer (08), latent_walk (10).
"""
