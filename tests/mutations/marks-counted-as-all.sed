# A range of which all pages but one are marked is not looked at any more.
# Tests: unit/marked
/^UNINTERRUPTED int collect_marked\(/,/^}/ s/found.words, pages \) < pages/found.words, pages ) < pages - 1/
