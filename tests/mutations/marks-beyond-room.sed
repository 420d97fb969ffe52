# More marks are taken than the array has room for.
# Tests: unit/marked
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/room -= add_runs/(void)add_runs/
