# What a query takes is not passed on to trackers.
# Tests: unit/trackers
/^static int collect_written\( struct watch_region \*region/,/^}/ s/for \(i = 0; i < count; i\+\+\) note_written/for (i = 0; i < 0; i++) note_written/
