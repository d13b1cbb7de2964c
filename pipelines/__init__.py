"""The graphs: names and arrows only, and the runner that walks them on a laptop."""
