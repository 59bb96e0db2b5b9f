"""The binder and the rescue bundle."""
