# Marks are taken beyond what the backend has looked at.
# Tests: unit/marked
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/marks_collect\( marks, scan.start, scan.next, 1/marks_collect( marks, scan.start, scan.end, 1/
