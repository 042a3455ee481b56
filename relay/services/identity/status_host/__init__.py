"""Status lists as verifiers fetch them: an issuer's own, signed anew in time, and copies of others' that are judged first."""
