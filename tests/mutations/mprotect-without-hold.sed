# Taking marks and arming is not one step for faults with mprotect.
# Tests: unit/hold race/mprotect
# Lines: 2
/^const struct watch_backend mprotect_backend/,/^}/ s/= fault_(hold|release),/= NULL,/
