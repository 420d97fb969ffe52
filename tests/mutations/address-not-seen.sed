# Code that takes a function's address, to call it by a register, is not seen.
# Tests: unit/find_calls unit/x86_64/inspect
s/if \(is_address\( .* \)\) \+\+\*addresses;/if (0 \&\& is_address( segment->start, operand )) ++*addresses;/
