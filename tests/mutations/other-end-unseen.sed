# The pages of a process that ends, or has executed another program, look untouched.
# Tests: unit/process_ends
/^int process_check\(/,/^}/ s/other_pages_exist\( &pages \)/1/
