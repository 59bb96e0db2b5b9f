"""The standard's nouns: records, plans and structure sets, each read from a Dataset at one door."""
