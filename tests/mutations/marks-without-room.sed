# A long step lets the backend find as many pages as there is room for, beside the marks.
# Tests: unit/marked
/^static .*step_limit\(/,/^}/ s/\*pages = room - marked;/*pages = room;/
