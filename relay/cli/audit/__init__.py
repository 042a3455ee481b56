"""Commands of auditors: bundles, archives, periods, and files judged offline."""
