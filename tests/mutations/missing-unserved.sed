# A page that the program dropped is opened without a fault.
# Tests: unit/dropped
/^static int serves_missing\(/,/^}/ s/kind == REGION_ANONYMOUS/kind > REGION_MIXED/
