# A watch that was refused keeps the program from choosing another backend.
# Tests: unit/own_data
s/if \(!ret\) opening\+\+;/if (!ret) opening++, has_watches = 1;/
