# RESET is ignored for saved pages at the end of the range.
# Tests: model/scan
/^static .*collect_mixed\(/,/^}/ {
    s/bits = reset \? saved_take/bits = reset \&\& limit < query->end ? saved_take/
}
