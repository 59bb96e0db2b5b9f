"""Pictures of a plan: its fields, its planning image with structures and dose, its reference images.

Objects come from the RT-PACS on demand (`retrieval`) and stay in a picture cache (`shelf`). Geometry is plain numbers
in mm; `drawing` makes SVG of it. What cannot be drawn rightly raises `PictureError`.
"""
