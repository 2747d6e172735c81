"""The report: HTML files for people that show what the marts of the read copy hold.

queries    what is asked of the read copy
figures    the answers, as rows of days, months, quarters
words      every word of the page, and how dates and numbers look
wording    a meter's figures in words
charts     the geometry of charts
panel      a meter's part of the page: tiles, load_curve, bar_charts, heat_maps, completeness, ...
balances   who feeds whom: the house's figures, by day and month
house_panel  the house's part of the page: house_wording, house_charts, flow_picture
page       all of it through templates into one file: page_parts has what each page has
index_page  many meters: an index (index_rows), and a page of each (source_files)
month_figures  the figures of each month, and the key of its page
month_page  a month through a template into one file: month_files writes those that have changed
old_pages  removes pages of months and sources that are gone
"""
