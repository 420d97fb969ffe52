# Under Wine a decommit passes for any other mapping.
# Tests: wine/conformance/decommit
/^static int before_mmap\(/,/^}/ {
    s/if \(decommitting && prot == PROT_NONE/if (0 \&\& prot == PROT_NONE/
}
