"""The client application: a page on which people ask questions and classify pictures.

Its server holds the API keys of the scoring services and calls them for the browser, which never
sees a key.
"""
