# What the native memory manager keeps is watched by faults.
# Tests: unit/own_data
s/if \(virtual_uses_memory\( start, end \)\) return OWN_DATA;//
