# A limit for the sizes of files ends the program that is recorded.
# Tests: unit/record
s/^    limited = !getrlimit.*;/    limited = 0 \& getrlimit( RLIMIT_FSIZE, \&limit );/
