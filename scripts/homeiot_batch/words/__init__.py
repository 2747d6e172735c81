"""The words of pages, exports and messages, a folder of catalogues for each language."""
