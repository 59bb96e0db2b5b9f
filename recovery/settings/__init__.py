"""The settings of one clinic, read, checked and typed; and who may read what is written by them."""
