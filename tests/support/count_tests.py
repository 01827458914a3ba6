"""Prints how many tests passed, failed and were skipped in one of ctest's JUnit reports; fails if there is none.

usage: count_tests.py REPORT
"""

import sys
import xml.etree.ElementTree as xml

passed = failed = skipped = 0
try:
    cases = list(xml.parse(sys.argv[1]).getroot().iter("testcase"))
except (OSError, xml.ParseError) as error:
    sys.exit(str(error))
for case in cases:
    reason = case.find("skipped")
    if case.get("status") == "run":
        passed += 1
    # A test whose program was not built is "not run" too; only what skipped itself, or is disabled, is not a failure.
    elif case.get("status") == "disabled" or (reason is not None and "SKIP_" in reason.get("message", "")):
        skipped += 1
    else:
        failed += 1
print(passed, failed, skipped)
sys.exit(not cases)
