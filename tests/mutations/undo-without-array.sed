# An array that is gone when it is to be read back leaves its pages not written.
# Tests: unit/undo
/^UNINTERRUPTED .*watch_undo_all\(/,/^}/ s/^    put_back\(/    if (0) put_back(/
