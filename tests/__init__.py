"""The tests. They mirror acr3d/; factories and servers are in tests/support/."""

import pytest

pytest.register_assert_rewrite("tests.support")  # so that a failed assert there shows its values
