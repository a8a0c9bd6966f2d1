"""Everything that leans on Dagster's private API. Nothing that its public API can do belongs here.

Private parts may change with every release, so each module says why it needs them, and `READ_IN` names the release in
which they were read. A test fails when another release is installed: read the parts again there, then change `READ_IN`.
"""

READ_IN = "1.13.27"
"""Release of Dagster in which the private parts were read, and with which their tests ran."""
