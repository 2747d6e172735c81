"""How the pages in this folder become a site: `make docs`."""

from homeiot_batch import __version__

project = "HomeIoT batch"
version = release = __version__
extensions = ["myst_parser"]
nitpicky = True
html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
myst_heading_anchors = 3
