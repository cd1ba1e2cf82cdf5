"""Programs that listen at interfaces, and read what was heard."""
