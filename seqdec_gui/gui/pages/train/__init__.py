"""The Train page: starts runs in the background and shows them live. pyqtgraph is imported when the page is first shown."""
