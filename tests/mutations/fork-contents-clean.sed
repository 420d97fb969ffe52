# In a child pages with contents count as not written.
# Tests: unit/fork
/^int userfault_reattach\(/,/^}/ s/PM_PRESENT \| PM_SWAP/PM_SWAP/
