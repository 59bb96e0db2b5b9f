"""The one error of the pictures: its text is shown to the reader as it is."""


class PictureError(RuntimeError):
    """A picture cannot be had, or cannot be drawn rightly. The text says what is, and what to do; no patient's name."""
