"""Defences of the city: whom its end ends, and what its relay's API serves of the cases' files."""

from tests.defences.defence import Defence

READER = "relay/api/reading/case_reports.py"
IDENTITY = "relay/city/process_identity.py"
KEEPING = "relay/city/keeping.py"
CASES = "relay/api/reading/test_cases.py"
RECORD = "relay/city/test_city_record.py"

CITY = (
    Defence(
        "evidence is served under the name of a case alone",
        READER,
        "    if NAME.fullmatch(name) is None:\n        return None\n",
        "",
        (f"{CASES}::test_evidence_is_a_plain_file_of_a_case_within_its_bound",),
    ),
    Defence(
        "evidence is a plain file within its bound",
        READER,
        "    return path if stat.S_ISREG(found.st_mode) and found.st_size <= MAX_EVIDENCE_BYTES else None\n",
        "    return path if found else None\n",
        (f"{CASES}::test_evidence_is_a_plain_file_of_a_case_within_its_bound",),
    ),
    Defence(
        "a report is a plain file with the name of a case",
        READER,
        "    if NAME.fullmatch(name) is None or not stat.S_ISREG(path.lstat().st_mode):\n",
        "    if False:\n",
        (f"{CASES}::test_what_is_no_report_is_named_and_the_others_are_listed",),
    ),
    Defence(
        "another process under an old number is not the city's",
        IDENTITY,
        "        return _started(self.pid) == self.started\n",
        "        return _started(self.pid) is not None\n",
        (f"{RECORD}::test_a_number_with_another_beginning_is_another_process",),
    ),
    Defence(
        "what a killed process leaves stays on the record",
        KEEPING,
        "        known = (*self.parts.get(daemon.name, ()), *newest)\n",
        "        known = tuple(newest)\n",
        (f"{RECORD}::test_a_part_of_a_killed_process_stays_on_the_record_while_it_runs",),
    ),
)
