# The number of one request is enough to take a Wine for one with kernel watches.
# Tests: unit/x86_64/inspect
s/return scans && registers;/return scans || registers;/
