"""Sphinx's settings for the course as a site (`make book`); tools/book.py puts the pages beside a
copy of this file.
"""
project = "Deep Learning with Music"
copyright = "the authors of Deep Learning with Music"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = html_show_sourcelink = False
# it would fetch pages, which a browser refuses to a site opened from disk
html_show_search_summary = False
exclude_patterns = ["README.md"]

nb_execution_mode = "off"  # the stored outputs are shown
nb_merge_streams = True
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["mystnb.unknown_mime_type"]

# one file without fonts, which opens from disk; put there by tools/book.py
mathjax_path = "mathjax/tex-svg.js"
mathjax3_config = {"tex": {"inlineMath": [["$", "$"], ["\\(", "\\)"]]},
                   "options": {"enableMenu": False}}
