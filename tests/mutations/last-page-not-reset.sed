# RESET is ignored for saved pages at the end of the range.
# Tests: model/scan
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/saved_collect\( saved, \*start, next, 1/saved_collect( saved, *start, next, next < query->end/
