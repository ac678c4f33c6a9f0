"""The film of a run: shots of every arm, put on a screen, written as MP4 and GIF."""
