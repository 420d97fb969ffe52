# Marks are taken beyond what the backend has looked at.
# Tests: unit/marked
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/saved_collect\( saved, \*start, next, 1/saved_collect( saved, *start, end, 1/
