# Opening a page and marking it is not one step for queries with sigbus.
# Tests: unit/hold race/sigbus
# Lines: 2
/^const struct watch_backend sigbus_backend/,/^}/ s/= fault_(hold|release),/= NULL,/
