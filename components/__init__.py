"""The stages: one folder, one image, one typed spec each."""
