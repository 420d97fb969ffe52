# RESET is ignored for saved pages at the end of the range.
# Tests: model/scan
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/marks_collect\( marks, scan.start, scan.next, 1/marks_collect( marks, scan.start, scan.next, scan.next < query->end/
