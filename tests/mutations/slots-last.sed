# The system call table is made writable only when the code has been replaced.
# Tests: unit/patch
# Lines: 1
/^    if \(protect_slots\( info, 1 \)\) goto failed;/d
s/^    (if \(move_code\( copy, code.start.*) goto failed;/    \1 goto failed;\n    if (protect_slots( info, 1 )) goto failed;/
