# A function may be built into the code that serves other processes.
# Tests: unit/x86_64/inspect
s/if \(!serves_others\( info \)\)/if (0 \&\& !serves_others( info ))/
