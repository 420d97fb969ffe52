# A tracker ends while a step still uses it.
# Tests: unit/tracker_waits
# Lines: 2
/^static void unfollow\(/,/^}/ s/table->(hold|release)\( region \);/(void)table;/
