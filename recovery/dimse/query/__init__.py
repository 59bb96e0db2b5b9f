"""What is asked in a C-FIND, and whether the answer is complete: identifiers, smaller questions."""
