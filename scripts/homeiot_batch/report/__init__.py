"""The report: one HTML file that shows what the marts of the read copy say, for people.

figures: rows of the marts; missing: what is shown of them; charts: geometry; words: every word, and how dates and numbers look; panel: a source's
part of the page, of tiles, curve, bar_charts, grids, costs and tables, with doubts in words; build: all of it through templates into a file.
"""
