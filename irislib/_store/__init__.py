"""Where versions of models are kept: files that are whole before they are seen, and the log of what was served."""
