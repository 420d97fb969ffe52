# A child remembers what it saw of memory that the program may drop itself.
# Tests: unit/fork_dropped
s/^    if \(!kept\)$/    if (!kept \&\& 0)/
