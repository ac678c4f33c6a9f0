"""Numbers with their unit, range, meaning and source, and how they are read from what people type."""
