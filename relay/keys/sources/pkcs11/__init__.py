"""The kind `pkcs11`: a key on a token, in processes of its own, for the library of a token is safe in no process with threads.

`token_process` is such a process, `process` its other end, `pool` those of one token with the rules of its PIN, `source` the
key, `mark` how far a validator's key signed, on the token too.
"""
