# A call through the system call table that fits no pattern is passed over.
# Tests: unit/x86_64/inspect
s/    clear = !find_patterns\( code, size, counts \);/    find_patterns( code, size, counts );\n    clear = 1;/
# Lines: 2
