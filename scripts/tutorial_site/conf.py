"""How Sphinx makes pages of the staged tutorial."""

project = "muxlab"
language = "en"
root_doc = "index"
extensions = ["myst_parser", "sphinx_copybutton"]
myst_heading_anchors = 4
smartquotes = False  # the text has the signs that it means
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "muxlab: the tutorial"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
# A page that is opened as a file may not fetch others: the search lists titles, without excerpts.
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False

copybutton_selector = "div.highlight-sh pre"
