"""Pictures of a plan: its fields, its planning image with structures and dose, its reference images.

How
    Objects come from the RT-PACS on demand (`retrieval`) and stay in a picture cache (`shelf`). Geometry (`grids`,
    `image_series`, `structures`, `dose`, `beams_eye`) is plain numbers in mm; `drawing` makes SVG of it.

Why refusals
    A picture that is drawn wrongly is worse than none. What cannot be drawn rightly raises `PictureError`, whose
    text says what is odd and where to look instead.
"""
