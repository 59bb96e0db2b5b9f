"""Messages that come by the hundred, read and written here instead of by pynetdicom: matches, and C-STOREs."""
