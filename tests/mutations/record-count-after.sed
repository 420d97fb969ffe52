# A poll is recorded with the count that it has stored as the room that it had.
# Tests: unit/record
s/\*err = write_poll\( poll, max, count \);/*err = write_poll( poll, count, count );/
